/**
 * What is changed and not yet written, by key, in the order in which the keys were first changed. A map of V8 looks at each
 * string that may be the one to know its hash, wherever it lies; here the hashes lie beside each other.
 */
import { assert } from '../errors.ts';

/** A value, what gives it, or null for a deletion. */
export type Change = Buffer | (() => Buffer) | null;

const FIRST_SLOTS = 64;
/** Of a slot in `#index`: one more than the number of the entry (0: it is free), and the entry's hash. */
const SLOT_WORDS = 2;

export class ChangeTable {
  readonly #keys: string[] = [];
  readonly #changes: Change[] = [];
  readonly #hashes: number[] = [];
  #index = new Int32Array(FIRST_SLOTS * SLOT_WORDS);
  #mask = FIRST_SLOTS - 1;

  get size(): number {
    return this.#keys.length;
  }

  /** Number of the entry, below `size`; -1: there is none. @param hash of keyHash. */
  find(key: string, hash: number): number {
    return (this.#index[this.#slotOf(key, hash) * SLOT_WORDS] ?? 0) - 1;
  }

  key(at: number): string {
    return this.#keys[at] ?? '';
  }
  hash(at: number): number {
    return this.#hashes[at] ?? 0;
  }
  change(at: number): Change {
    return this.#changes[at] ?? null;
  }
  isDeletion(at: number): boolean {
    return this.#changes[at] === null;
  }
  /** Null for a deletion. Who gives a value is asked once. */
  value(at: number): Buffer | null {
    const change = this.change(at);
    return typeof change === 'function' ? (this.#changes[at] = change()) : change;
  }

  /** @returns what it was before. */
  set(key: string, hash: number, change: Change): Change | undefined {
    const slot = this.#slotOf(key, hash) * SLOT_WORDS;
    const at = (this.#index[slot] ?? 0) - 1;
    if (at >= 0) {
      const before = this.#changes[at];
      this.#changes[at] = change;
      return before;
    }
    this.#index[slot] = this.#keys.push(key);
    this.#index[slot + 1] = hash;
    this.#changes.push(change);
    this.#hashes.push(hash);
    if (this.#keys.length * 2 > this.#mask) this.#grow();
    return undefined;
  }

  /** Takes away the key that came last: nothing was put behind it in the index. */
  removeLast(key: string, hash: number): void {
    const slot = this.#slotOf(key, hash) * SLOT_WORDS;
    assert(this.#index[slot] === this.#keys.length, 'changes are taken back from the last one on');
    this.#index[slot] = 0;
    this.#keys.pop();
    this.#changes.pop();
    this.#hashes.pop();
  }

  /** Where the key is, or would be. */
  #slotOf(key: string, hash: number): number {
    const index = this.#index;
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = index[slot * SLOT_WORDS] ?? 0;
      if (entry === 0) return slot;
      if (index[slot * SLOT_WORDS + 1] === hash && this.#keys[entry - 1] === key) return slot;
    }
  }

  #grow(): void {
    this.#mask = this.#mask * 4 + 3;
    const index = new Int32Array((this.#mask + 1) * SLOT_WORDS);
    for (let at = 0; at < this.#hashes.length; at += 1) {
      const hash = this.#hashes[at] ?? 0;
      let slot = hash & this.#mask;
      while (index[slot * SLOT_WORDS] !== 0) slot = (slot + 1) & this.#mask;
      index[slot * SLOT_WORDS] = at + 1;
      index[slot * SLOT_WORDS + 1] = hash;
    }
    this.#index = index;
  }
}
