/** When what is kept goes: a key for each thing and the day after which nobody has asked for it for long enough. */
import type { KeyedStore } from '../runtime/store/ports.ts';

const DAY_MS = 86_400_000;
const DAY_DIGITS = 6;
/** Of a visitor and of a person, since anything last happened: as long as the client's own plugin keeps its share. */
export const keptDays = 365;
/** Removed at the end of one batch. */
export const expiriesMax = 500;

export function dayNumber(at: number): number {
  return Math.floor(at / DAY_MS);
}

export class KeptUntil {
  readonly #store: KeyedStore;
  /** A day up to which nothing is left: an idle service asks ten times a second. */
  #noneUpTo = 0;

  constructor(store: KeyedStore) {
    this.#store = store;
  }

  /** @param before 0: it was not there. */
  move(key: string, before: number, now: number): void {
    if (before === now) return;
    if (before !== 0) this.#store.delete(keyOf(before, key));
    if (now === 0) return;
    this.#store.put(keyOf(now, key), Buffer.alloc(0));
    if (now <= this.#noneUpTo) this.#noneUpTo = 0;
  }

  hasDue(time: number): boolean {
    return this.#due(time, 1).length > 0;
  }

  /** Keys whose time is over; each is taken off the list. */
  takeDue(time: number): readonly string[] {
    return this.#due(time, expiriesMax).map((key) => {
      this.#store.delete(key);
      return key.slice(`x:${'0'.repeat(DAY_DIGITS)}:`.length);
    });
  }

  #due(time: number, max: number): readonly string[] {
    const oldest = dayNumber(time) - keptDays;
    if (oldest <= 0 || oldest === this.#noneUpTo) return [];
    const due = this.#store.scan('x:', keyOf(oldest, ''), max).map(([key]) => key);
    if (due.length === 0) this.#noneUpTo = oldest;
    return due;
  }
}

function keyOf(day: number, key: string): string {
  return `x:${String(day).padStart(DAY_DIGITS, '0')}:${key}`;
}
