/**
 * Which hours the duplicates window remembers, and how many hashes of each. What is remembered goes by what was added and
 * by nothing else, neither the size of a table nor the moment at which it grew: a replay must answer as the first run did.
 *
 * The newest hours that have hashes are kept, as many as the window needs; and of these, while there are more hashes than
 * there may be, the oldest goes. Each has a code of eight bits, so that an entry keeps no more of it.
 */
import { CodedError } from '../../errors.ts';

const CODES = 256;
/** Of hours and of those whose entries have not been thrown out yet; 0 is nobody's. */
export const hoursMax = CODES / 2;

export interface HoursShape {
  readonly live: readonly (readonly [code: number, hour: number, hashes: number])[];
  /** Codes of forgotten hours, whose entries may be there. */
  readonly dead: readonly number[];
}

export class LiveHours {
  readonly #hoursKept: number;
  readonly #hashesMax: number;
  /** By code; NaN: not live. */
  readonly #hours = new Float64Array(CODES).fill(NaN);
  readonly #hashes = new Uint32Array(CODES);
  /** By code: 1 when it is live. */
  readonly #live = new Uint8Array(CODES);
  readonly #codes = new Map<number, number>();
  #dead: number[] = [];
  #free: number[] = Array.from({ length: CODES - 1 }, (_, index) => CODES - 1 - index);
  #last = NaN;
  #lastCode = 0;
  hashes = 0;
  forgottenEarly = 0;

  constructor(hoursKept: number, hashesMax: number) {
    if (hoursKept > hoursMax) {
      throw new CodedError('window_too_long', `could not remember ${String(hoursKept)} hours of hashes`);
    }
    this.#hoursKept = hoursKept;
    this.#hashesMax = hashesMax;
  }

  /** NaN when the code is no live hour's. */
  hourOf(code: number): number {
    return this.#hours[code] as number; // codes are below CODES
  }
  isLive(code: number): boolean {
    return this.#live[code] === 1;
  }

  /** Codes of forgotten hours can be given out again only after their entries have been thrown out. */
  get areCodesScarce(): boolean {
    return this.#free.length === 0;
  }
  /** No entry has a code of a forgotten hour any more. */
  swept(): void {
    this.#free.push(...this.#dead);
    this.#dead = [];
  }

  /**
   * A hash is added with this hour, in place of one with the code `before`, 0 being none. Returns its code; 0 when the
   * hour is older than what is remembered.
   */
  add(hour: number, before: number): number {
    const code = hour === this.#last ? this.#lastCode : this.#codeOf(hour);
    if (code === 0) return 0;
    if (this.isLive(before)) this.#count(before, -1);
    this.#count(code, 1);
    this.#last = hour;
    this.#lastCode = code;
    while (this.hashes > this.#hashesMax && this.#codes.size > 1) this.forgottenEarly += this.#forgetOldest();
    return code;
  }

  get shape(): HoursShape {
    const live = [...this.#codes].map(([hour, code]) => [code, hour, this.#hashes[code] ?? 0] as const);
    return { live, dead: this.#dead };
  }
  reshape({ live, dead }: HoursShape): void {
    for (const [code, hour, hashes] of live) {
      this.#codes.set(hour, code);
      this.#hours[code] = hour;
      this.#live[code] = 1;
      this.#count(code, hashes);
    }
    this.#dead = [...dead];
    this.#free = this.#free.filter((code) => !this.isLive(code) && !dead.includes(code));
  }

  #codeOf(hour: number): number {
    const known = this.#codes.get(hour);
    if (known !== undefined) return known;
    const isFull = this.#codes.size === this.#hoursKept;
    if (isFull && hour < Math.min(...this.#codes.keys())) return 0;
    if (isFull) this.#forgetOldest();
    const code = this.#free.pop() as number; // the window sweeps before there is none
    this.#codes.set(hour, code);
    this.#hours[code] = hour;
    this.#live[code] = 1;
    return code;
  }

  #count(code: number, change: number): void {
    this.#hashes[code] = (this.#hashes[code] as number) + change; // codes are below CODES
    this.hashes += change;
  }

  #forgetOldest(): number {
    const oldest = Math.min(...this.#codes.keys());
    const code = this.#codes.get(oldest) as number; // of its own keys
    const hashes = this.#hashes[code] as number;
    this.#codes.delete(oldest);
    this.#hours[code] = NaN;
    this.#live[code] = 0;
    this.#hashes[code] = 0;
    this.hashes -= hashes;
    this.#dead.push(code);
    if (oldest === this.#last) this.#last = NaN;
    return hashes;
  }
}
