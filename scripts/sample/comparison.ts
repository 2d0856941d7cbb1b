/** Compares where messages lie with where the oracle has them, message by message. */
import type { Oracle } from './oracle.ts';
import type { EventRow } from './tables.ts';

export interface Compared {
  readonly expected: number;
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
  /** With another person, or anonymous when it is a person's, or the other way round. */
  readonly misplaced: number;
  /** Events of a person's lane that do not stand where the oracle has them. */
  readonly misordered: number;
  /** The first few faults, in words. */
  readonly examples: readonly string[];
}

const examplesMax = 10;
/** Where a message belongs: a person's lane, or an anonymous id. */
interface Place {
  readonly person: string | null;
  readonly lane: string;
}

/** How many messages do not lie where they must, once. */
export function misplacements({ lost, doubled, misplaced, misordered }: Compared): number {
  return lost + doubled + misplaced + misordered;
}

/** Of one place that holds events, used once. */
export class Comparison {
  readonly #places = new Map<string, Place>();
  readonly #expectedLanes = new Map<string, readonly string[]>();
  readonly #idOf: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, number>();
  readonly #foundLanes = new Map<string, string[]>();
  readonly #examples: string[] = [];
  #misplaced = 0;
  #misordered = 0;
  #doubled = 0;
  #lost = 0;

  constructor(oracle: Oracle, idOf: ReadonlyMap<string, string>) {
    this.#idOf = idOf;
    for (const [person, lanes] of oracle.people) {
      for (const [lane, ids] of lanes) this.#expect({ person, lane }, ids);
    }
    for (const [lane, ids] of oracle.anonymous) this.#expect({ person: null, lane }, ids);
  }

  /** @param anonymous undefined where only what is somebody's belongs: then an event that is nobody's must not be there. */
  compare(
    events: readonly EventRow[],
    anonymous: readonly Omit<EventRow, 'person_id'>[] | undefined,
  ): Compared {
    for (const row of events) {
      this.#find(row.message_id, {
        person: this.#idOf.get(row.person_id) ?? row.person_id,
        lane: row.anonymous_id ?? '',
      });
    }
    for (const row of anonymous ?? [])
      this.#find(row.message_id, { person: null, lane: row.anonymous_id ?? '' });
    let expected = 0;
    for (const [id, place] of this.#places) {
      const times = this.#seen.get(id) ?? 0;
      const belongs = anonymous !== undefined || place.person !== null;
      if (belongs) expected += 1;
      if (belongs && times === 0) this.#lost += this.#fault(`lost: ${id} of ${nameOf(place)}`);
      if (times > 1)
        this.#doubled += this.#fault(`doubled: ${id} of ${nameOf(place)} stands ${String(times)} times`);
    }
    for (const [lane, ids] of this.#expectedLanes) this.#compareOrder(lane, ids);
    return {
      expected,
      found: this.#seen.size,
      lost: this.#lost,
      doubled: this.#doubled,
      misplaced: this.#misplaced,
      misordered: this.#misordered,
      examples: this.#examples,
    };
  }

  #expect(place: Place, ids: readonly string[]): void {
    this.#expectedLanes.set(nameOf(place), ids);
    for (const id of ids) this.#places.set(id, place);
  }

  #find(id: string, at: Place): void {
    const place = this.#places.get(id);
    if (place === undefined) return; // another run of the storefront
    this.#seen.set(id, (this.#seen.get(id) ?? 0) + 1);
    if (place.person !== at.person || place.lane !== at.lane) {
      this.#misplaced += this.#fault(`misplaced: ${id} of ${nameOf(place)} lies with ${nameOf(at)}`);
      return;
    }
    const lane = this.#foundLanes.get(nameOf(at));
    if (lane === undefined) this.#foundLanes.set(nameOf(at), [id]);
    else lane.push(id);
  }

  /** Anonymous rows lie as they arrived, which may differ from call order within one flush; people's lanes may not. */
  #compareOrder(lane: string, expected: readonly string[]): void {
    if (lane.startsWith(ANONYMOUS)) return;
    const found = this.#foundLanes.get(lane) ?? [];
    const present = new Set(found);
    const wanted = expected.filter((id) => present.has(id));
    found.forEach((id, index) => {
      if (wanted[index] !== id)
        this.#misordered += this.#fault(`misordered: ${id} in ${lane} at ${String(index)}`);
    });
  }

  #fault(text: string): 1 {
    if (this.#examples.length < examplesMax) this.#examples.push(text);
    return 1;
  }
}

const ANONYMOUS = 'nobody, ';
function nameOf({ person, lane }: Place): string {
  return `${person === null ? ANONYMOUS : `${person}, `}lane ${lane}`;
}
