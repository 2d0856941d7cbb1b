/**
 * What keyed stores have read of their files not long ago, and of what they asked in vain: a look into LMDB's pages takes
 * ten times as long. One for all partitions of a process, bounded in bytes, outside of V8's heap, where nothing of it has
 * to be marked. Two halves take turns: the one is filled, from the other what is asked for again is taken over, and when
 * the one is full the other is forgotten. A store tells it what it has written, so nothing in it is of before. Where more
 * is asked in turn than it holds, all would be forgotten before it is asked for again: then it keeps some of the keys only.
 */

export const readCacheBytesMax = 32 * 1_024 * 1_024;
/** A larger value is read from the file. */
export const cachedBytesMax = 16_384;

/** Of a place in the index: one more than the word at which the record begins (0: it is free), and the record's hash. */
const SLOT_WORDS = 2;
/** What is before a record's key: whose it is, how long key and value are, and how many bytes there are for a value. */
const [STORE, KEY_LENGTH, VALUE_LENGTH, ROOM, HEAD_WORDS] = [0, 1, 2, 3, 4];
const WORD_BYTES = 4;
const NOT_THERE = -1;
/** A record of usual size has some hundred. */
const BYTES_A_SLOT = 64;
/** So many of the places are taken at most. */
const FULL = 0.75;
const ASCII_MAX = 127;

/** A quarter as often as something is put into it, something is to be found. */
const keptAFoundMax = 4;
/** One of so many keys is kept at least. */
const keysAKeptMax = 32;
/** After so many questions twice as many keys are kept again: what is asked may be less by now. */
const questionsATry = 1_000_000;
/** Bits of a hash by which it is told whether its key is kept; the index goes by the lowest. */
const KEPT_BITS_AT = 26;

export class ReadCache {
  readonly #bytesMax: number;
  #halves: { filled: Half; other: Half } | undefined;
  #stores = 0;
  /** Of the bits that say whether a key is kept: these are to be 0. */
  #keptMask = 0;
  #asked = 0;
  /** Since the halves took turns. */
  #found = 0;
  #kept = 0;

  constructor(bytesMax = readCacheBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** The number of a store that has just been opened: what another one has read, of the same files too, is not its own. */
  newStore(): number {
    return ++this.#stores;
  }

  /** A copy; null: it is known not to be there; undefined: the file has to be asked. @param hash of keyHash. */
  get(store: number, key: string, hash: number): Buffer | null | undefined {
    if ((this.#asked += 1) >= questionsATry) this.#keepOf(this.#keptMask >>> 1);
    if (this.#halves === undefined || !this.#isKept(hash)) return undefined;
    const { filled, other } = this.#halves;
    const here = filled.find(store, key, hash);
    if (here >= 0) {
      this.#found += 1;
      return filled.value(here);
    }
    const there = other.find(store, key, hash);
    if (there < 0) return undefined;
    this.#found += 1;
    const value = other.value(there);
    other.forget(there); // a key is in one of them
    this.#add({ store, key, hash }, value);
    return value;
  }

  /** What was read in the file after `get` knew nothing; null: there is nothing. */
  keep(store: number, key: string, hash: number, value: Buffer | null): void {
    if (!this.#isKept(hash)) return;
    this.#kept += 1;
    this.#add({ store, key, hash }, value);
  }

  /** What the file has from now on; kept where the key was known. */
  written(store: number, key: string, hash: number, value: Buffer | null): void {
    if (this.#halves === undefined) return;
    const { filled, other } = this.#halves;
    for (const half of [filled, other]) {
      const at = half.find(store, key, hash);
      if (at < 0) continue;
      if (half.replace(at, value)) return;
      half.forget(at);
      this.#add({ store, key, hash }, value);
      return;
    }
  }

  #add(named: Named, value: Buffer | null): void {
    if (value !== null && value.length > cachedBytesMax) return;
    this.#halves ??= { filled: new Half(this.#bytesMax / 2), other: new Half(this.#bytesMax / 2) };
    const { filled, other } = this.#halves;
    if (filled.add(named, value)) return;
    other.clear();
    this.#halves = { filled: other, other: filled };
    other.add(named, value);
    if (this.#found * keptAFoundMax < this.#kept) {
      this.#keepOf(Math.min(2 * this.#keptMask + 1, keysAKeptMax - 1));
    }
    this.#found = this.#kept = 0;
  }

  #isKept(hash: number): boolean {
    return ((hash >>> KEPT_BITS_AT) & this.#keptMask) === 0;
  }

  #keepOf(mask: number): void {
    this.#keptMask = mask;
    this.#asked = 0;
  }
}

interface Named {
  readonly store: number;
  readonly key: string;
  readonly hash: number;
}

class Half {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #index: Int32Array;
  readonly #mask: number;
  readonly #recordsMax: number;
  #records = 0;
  /** Words that records lie in. */
  #used = 0;

  constructor(bytesMax: number) {
    const slots = 2 ** Math.floor(Math.log2(bytesMax / BYTES_A_SLOT));
    this.#index = new Int32Array(slots * SLOT_WORDS);
    this.#mask = slots - 1;
    this.#recordsMax = Math.floor(slots * FULL);
    this.#words = new Int32Array(Math.floor((bytesMax - this.#index.byteLength) / WORD_BYTES));
    this.#bytes = Buffer.from(this.#words.buffer);
  }

  /** Where the record begins, in words; -1: there is none. */
  find(store: number, key: string, hash: number): number {
    const index = this.#index;
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = (index[slot * SLOT_WORDS] ?? 0) - 1;
      if (at < 0) return -1;
      if (index[slot * SLOT_WORDS + 1] === hash && this.#isOf(at, store, key)) return at;
    }
  }

  value(at: number): Buffer | null {
    const words = this.#words;
    const length = words[at + VALUE_LENGTH] ?? NOT_THERE;
    if (length === NOT_THERE) return null;
    const from = (at + HEAD_WORDS) * WORD_BYTES + (words[at + KEY_LENGTH] ?? 0);
    const value = Buffer.allocUnsafe(length);
    this.#bytes.copy(value, 0, from, from + length);
    return value;
  }

  /** False: there is no room for it. What cannot be found again by its bytes is left out. */
  add({ store, key, hash }: Named, value: Buffer | null): boolean {
    const valueBytes = value === null ? 0 : value.length;
    const recordWords = HEAD_WORDS + Math.ceil((key.length + valueBytes) / WORD_BYTES);
    const at = this.#used;
    if (this.#records >= this.#recordsMax || at + recordWords > this.#words.length) return false;
    const from = (at + HEAD_WORDS) * WORD_BYTES;
    for (let i = 0; i < key.length; i += 1) {
      const unit = key.charCodeAt(i);
      if (unit > ASCII_MAX) return true;
      this.#bytes[from + i] = unit;
    }
    const words = this.#words;
    words[at + STORE] = store;
    words[at + KEY_LENGTH] = key.length;
    words[at + VALUE_LENGTH] = value === null ? NOT_THERE : valueBytes;
    words[at + ROOM] = (recordWords - HEAD_WORDS) * WORD_BYTES - key.length;
    value?.copy(this.#bytes, from + key.length, 0, valueBytes);
    this.#used = at + recordWords;
    this.#enter(at, hash);
    return true;
  }

  /** False: there is no room for it where the one before lay. */
  replace(at: number, value: Buffer | null): boolean {
    const words = this.#words;
    if (value === null) {
      words[at + VALUE_LENGTH] = NOT_THERE;
      return true;
    }
    if (value.length > (words[at + ROOM] ?? 0)) return false;
    words[at + VALUE_LENGTH] = value.length;
    value.copy(this.#bytes, (at + HEAD_WORDS) * WORD_BYTES + (words[at + KEY_LENGTH] ?? 0), 0, value.length);
    return true;
  }

  /** Its place is free again when the half is. */
  forget(at: number): void {
    this.#words[at + STORE] = 0;
  }

  clear(): void {
    this.#index.fill(0);
    this.#records = 0;
    this.#used = 0;
  }

  #enter(at: number, hash: number): void {
    let slot = hash & this.#mask;
    while (this.#index[slot * SLOT_WORDS] !== 0) slot = (slot + 1) & this.#mask;
    this.#index[slot * SLOT_WORDS] = at + 1;
    this.#index[slot * SLOT_WORDS + 1] = hash;
    this.#records += 1;
  }

  #isOf(at: number, store: number, key: string): boolean {
    if (this.#words[at + STORE] !== store || this.#words[at + KEY_LENGTH] !== key.length) return false;
    const from = (at + HEAD_WORDS) * WORD_BYTES;
    for (let i = 0; i < key.length; i += 1) if (this.#bytes[from + i] !== key.charCodeAt(i)) return false;
    return true;
  }
}
