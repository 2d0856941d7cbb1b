/**
 * What a person has of each journey. As stored it is a text, which is read only where a journey is concerned: most events
 * concern none, and of a person who has entered many the text is long. Pure.
 */
import type { JourneyState } from './runs.ts';

export type StatesById = Readonly<Record<string, JourneyState>>;

/** When the next armed stall fires, ms, Infinity for none; and under the definitions of which stamp that is so. */
export interface Stalls {
  readonly stamp: number;
  readonly at: number;
}

/** Where a text lies. */
export interface LyingText {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export class JourneyStates {
  /** undefined: these states were made and have not been stored. */
  readonly lying: LyingText | undefined;
  /** undefined: nobody has asked yet. Nothing at all arms nothing, whatever the definitions. */
  readonly stalls: Stalls | undefined;
  #byId: StatesById | undefined;

  private constructor(
    byId: StatesById | undefined,
    lying: LyingText | undefined,
    stalls: Stalls | undefined,
  ) {
    this.#byId = byId;
    this.lying = lying;
    this.stalls = stalls;
  }

  static readonly none = new JourneyStates({}, undefined, undefined);

  static of(byId: StatesById, stalls?: Stalls): JourneyStates {
    return Object.keys(byId).length === 0 ? JourneyStates.none : new JourneyStates(byId, undefined, stalls);
  }

  /** A JSON object that is not empty. */
  static lyingAt(lying: LyingText, stalls: Stalls | undefined): JourneyStates {
    return new JourneyStates(undefined, lying, stalls);
  }

  get byId(): StatesById {
    if (this.#byId === undefined) {
      const { bytes, from, to } = this.lying ?? nowhere;
      this.#byId = JSON.parse(bytes.toString('utf8', from, to)) as StatesById; // written by encodePerson
    }
    return this.#byId;
  }

  /** A journey may be called as a member that every object has. */
  stateOf(journeyId: string): JourneyState | undefined {
    return Object.hasOwn(this.byId, journeyId) ? this.byId[journeyId] : undefined;
  }

  withStalls(stalls: Stalls): JourneyStates {
    if (this === JourneyStates.none || this.stallsAt(stalls.stamp) === stalls.at) return this;
    return new JourneyStates(this.#byId, this.lying, stalls);
  }

  /** When the next armed stall fires under these definitions, ms; undefined: it has to be looked for. */
  stallsAt(stamp: number): number | undefined {
    if (this === JourneyStates.none) return Infinity;
    return this.stalls?.stamp === stamp ? this.stalls.at : undefined;
  }
}

const nowhere: LyingText = { bytes: Buffer.from('{}'), from: 0, to: 2 };
