/**
 * When each person of a partition has to be looked at although nothing happens: an index in the keyed store, by time and
 * then by person, with at most one entry for each (when a look is next due is one of the person's own figures). An entry
 * is its key and nothing else. The nearest are kept in memory too, so that neither asking nor arming scans the store.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { KeyHeap } from './key-heap.ts';

/** Of the nearest; above it the later half is forgotten, and read again when its time is near. */
export const nearTimersMax = 20_000;

export interface Timer {
  /** ms */
  readonly at: number;
  readonly personKey: string;
}

/** Where the entries lie, up to `end`, which is none of them. */
export interface TimerKeys {
  readonly prefix: string;
  readonly end: string;
}
const ofAll: TimerKeys = { prefix: 'z:', end: 'z;' };
/** Base 36, which holds every time that a condition can name (year 9999) in the order of the numbers. */
const TIME_DIGITS = 10;
const TIME_MAX = 36 ** TIME_DIGITS - 1;

/** When a timer that is set to `at` is due, ms. */
export function timerTimeOf(at: number): number {
  return Math.min(Math.max(0, Math.ceil(at)), TIME_MAX);
}

export class TimerIndex {
  readonly #store: KeyedStore;
  readonly #nearMax: number;
  readonly #keys: TimerKeys;
  readonly #near = new KeyHeap();
  /** Every entry of the store below this key is in `near`. */
  #horizon: string;

  constructor(store: KeyedStore, keys = ofAll, nearMax = nearTimersMax) {
    this.#store = store;
    this.#keys = keys;
    this.#nearMax = nearMax;
    this.#horizon = keys.prefix;
    this.#readOn();
  }

  /** @param from when it was due before, @param to when it is due now; Infinity: not at all. */
  move(personKey: string, from: number, to: number): void {
    if (from === to) return;
    if (from !== Infinity) this.#remove(this.#keyOf(from, personKey));
    if (to !== Infinity) this.#add(this.#keyOf(to, personKey));
  }

  /** The earliest that is due at `time`, left where it is. */
  due(time: number): Timer | undefined {
    if (this.#near.size === 0 && this.#horizon !== this.#keys.end) this.#readOn();
    const key = this.#near.first();
    if (key === undefined) return undefined;
    const timer = this.#timerOf(key);
    return timer.at <= time ? timer : undefined;
  }

  #add(key: string): void {
    this.#store.put(key, NOTHING);
    if (key >= this.#horizon) return;
    this.#near.add(key);
    if (this.#near.size > this.#nearMax) this.#horizon = this.#near.keepHalf();
  }

  #remove(key: string): void {
    this.#store.delete(key);
    this.#near.delete(key);
  }

  #readOn(): void {
    const found = this.#store.scan(this.#horizon, this.#keys.end, this.#nearMax);
    for (const [key] of found) this.#near.add(key);
    const last = found.at(-1)?.[0];
    this.#horizon = last === undefined || found.length < this.#nearMax ? this.#keys.end : `${last}\0`;
  }

  #keyOf(at: number, personKey: string): string {
    return this.#keys.prefix + digitsOf(timerTimeOf(at)) + personKey;
  }

  #timerOf(key: string): Timer {
    const start = this.#keys.prefix.length;
    const end = start + TIME_DIGITS;
    return { at: Number.parseInt(key.slice(start, end), 36), personKey: key.slice(end) };
  }
}

const NOTHING = Buffer.alloc(0);

const LOW_DIGITS = 5;
const LOW_END = 36 ** LOW_DIGITS;
const PAIR = 36 ** 2;
const pairs = Array.from({ length: PAIR }, (_, value) => padded(value, 2));
/** The first half of the last time's digits, which stay for sixteen hours. */
let [lastHigh, lastHighDigits] = [-1, ''];

/** Two at a time: a number's own way to write itself in base 36 goes by halves, and takes as long as all else here. */
function digitsOf(time: number): string {
  const high = Math.floor(time / LOW_END);
  const low = time - high * LOW_END;
  if (high !== lastHigh) [lastHigh, lastHighDigits] = [high, padded(high, TIME_DIGITS - LOW_DIGITS)];
  const first = Math.floor(low / PAIR / PAIR);
  const second = Math.floor(low / PAIR) % PAIR;
  return lastHighDigits + first.toString(36) + (pairs[second] ?? '') + (pairs[low % PAIR] ?? '');
}

function padded(value: number, digits: number): string {
  return value.toString(36).padStart(digits, '0');
}
