/**
 * What waits in the browser for consent: so many events, so many days, so many characters, oldest left out first. How
 * many were left out, and why, is told when consent comes.
 */
import { KeptList } from './kept-list.ts';

export interface HeldEvent {
  /** ISO 8601, by the device's clock. */
  readonly timestamp: string;
  readonly [key: string]: unknown;
}

export interface LeftOut {
  readonly by_count: number;
  readonly by_age: number;
}

interface Kept {
  readonly events: readonly HeldEvent[];
  readonly left: LeftOut;
}

export interface HeldLimits {
  readonly eventsMax: number;
  readonly daysMax: number;
}

export const usualLimits: HeldLimits = { eventsMax: 100, daysMax: 14 };

const charsMax = 500_000;
const dayMs = 86_400_000;

/** Pure. @param now ms. */
export function withinLimits(kept: Kept, { eventsMax, daysMax }: HeldLimits, now: number): Kept {
  const young = kept.events.filter(({ timestamp }) => Date.parse(timestamp) > now - daysMax * dayMs);
  const events = young.slice(-eventsMax);
  let chars = JSON.stringify(events).length;
  while (chars > charsMax) chars -= JSON.stringify(events.shift()).length + 1;
  const { by_age, by_count } = kept.left;
  return {
    events,
    left: {
      by_age: by_age + kept.events.length - young.length,
      by_count: by_count + young.length - events.length,
    },
  };
}

const nothing: Kept = { events: [], left: { by_count: 0, by_age: 0 } };

export class HeldEvents {
  readonly #list = new KeptList<Kept>('hindsight.held');
  readonly #limits: HeldLimits;
  /** Where the browser keeps nothing: this page's. */
  #memory: Kept = nothing;

  constructor(limits: HeldLimits) {
    this.#limits = limits;
  }

  hold(event: HeldEvent): void {
    const { events, left } = this.read();
    this.#write(withinLimits({ events: [...events, event], left }, this.#limits, Date.now()));
  }

  read(): Kept {
    return withinLimits(this.#list.read()[0] ?? this.#memory, this.#limits, Date.now());
  }

  forget(): void {
    this.#memory = nothing;
    this.#list.write([]);
  }

  #write(kept: Kept): void {
    this.#memory = this.#list.write([kept]) ? nothing : kept;
  }
}
