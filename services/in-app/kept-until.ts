/**
 * When what is kept goes. What is stored of a visitor or a person begins with the day on which they were last heard of, and
 * once a day all of it is gone through, so much at the end of each batch. A key for each by their day, as older versions had,
 * was an eighth of what a visitor took, and had a page written for every visit: the walk takes such keys along.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';

const DAY_MS = 86_400_000;
/** Of a visitor and of a person, since anything last happened: as long as the client's own plugin keeps its share. */
export const keptDays = 365;
/** Looked at at the end of one batch. */
export const lookedAtMax = 200;

/** People, visitors, and keys of older versions. */
const ranges = [
  ['q:', 'r:'],
  ['v:', 'w:'],
  ['x:', 'y:'],
] as const;
const OLDER = 'x:';
const WALK = 'd:';

/** In the store, so that a start and a replay look at the same. */
interface Walk {
  /** What was last heard of before that day goes. */
  readonly day: number;
  /** The key up to which everything was looked at; null: to the end. */
  readonly upTo: string | null;
}

export function dayNumber(at: number): number {
  return Math.floor(at / DAY_MS);
}

export class KeptUntil {
  readonly #store: KeyedStore;
  #walk: Walk;

  constructor(store: KeyedStore) {
    this.#store = store;
    const stored = store.get(WALK);
    this.#walk = stored === undefined ? { day: 0, upTo: null } : (JSON.parse(stored.toString()) as Walk); // written below
  }

  /** Something is left to be looked at. @param time of the batch, ms. */
  hasDue(time: number): boolean {
    return this.#walk.upTo !== null || oldestDay(time) > this.#walk.day;
  }

  /** Goes on. @returns keys whose time is over, which the caller deletes. */
  due(time: number): readonly string[] {
    if (!this.hasDue(time)) return [];
    const day = this.#walk.upTo === null ? oldestDay(time) : this.#walk.day;
    const looked = this.#next(this.#walk.upTo ?? '');
    this.#keep({ day, upTo: looked.at(-1)?.[0] ?? null });
    return looked.flatMap(([key, value]) => {
      if (!key.startsWith(OLDER)) return value.readUInt32LE(0) < day ? [key] : [];
      this.#store.delete(key);
      return [];
    });
  }

  /** None: that was the end. */
  #next(after: string): [key: string, value: Buffer][] {
    for (const [from, to] of ranges) {
      if (after >= to) continue;
      const found = this.#store.scan(after < from ? from : `${after}\0`, to, lookedAtMax);
      if (found.length > 0) return found;
    }
    return [];
  }

  #keep(walk: Walk): void {
    this.#walk = walk;
    this.#store.put(WALK, Buffer.from(JSON.stringify(walk)));
  }
}

function oldestDay(time: number): number {
  return dayNumber(time) - keptDays;
}
