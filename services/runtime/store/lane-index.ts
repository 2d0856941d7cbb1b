/**
 * Lanes by hash, off-heap: open addressing over one Uint32Array. An entry is 8 words:
 * hash (4), segment and offset of the chain's newest event (0 = no chain), count, flags.
 * Entries are never removed in place; growing leaves out those that have no flags and whose chain has expired.
 * Places go by the hash's high bits, so the table may have any size, and its memory is written and read as it is.
 */
import { CodedError } from '../errors.ts';
import type { HashWords } from './lane-hash.ts';
import type { MemoryTable } from './table-snapshot.ts';

const WORDS = 8;
const SEGMENT = 4;
const OFFSET = 5;
const COUNT = 6;
const FLAGS = 7;
const CAPACITY_MIN = 1 << 12;
/** 2 GiB of index: 67 million entries, at most two thirds of them in use. */
export const indexEntriesMax = 1 << 26;
/** The table grows when it is fuller than two thirds; a grown one is two fifths full: 48 to 80 bytes a lane. */
const FULL = 2;
const FULL_OF = 3;
const GROWN_ENTRIES = 2.5;
/** As many as make the product with a capacity exact. */
const PLACE_BITS = 26;
/** Worked out once: V8 calls its library for a power of a module's constant, at every look-up. */
const PLACES = 2 ** PLACE_BITS;

export class LaneIndex implements MemoryTable {
  #table: Uint32Array = new Uint32Array(CAPACITY_MIN * WORDS);
  #capacity = CAPACITY_MIN;
  used = 0;

  get memory(): Uint32Array {
    return this.#table;
  }
  adopt(memory: Uint32Array, used: number): void {
    this.#table = memory;
    this.#capacity = memory.length / WORDS;
    this.used = used;
  }

  /** From a snapshot of the first version: the whole table, by other places. */
  putEntries(entries: Uint32Array): void {
    for (let from = 0; from + WORDS <= entries.length; from += WORDS) {
      if (!occupied(entries, from)) continue;
      this.makeRoom(1, 0);
      this.used += 1;
      copyTo(this.#table, this.#capacity, entries, from);
    }
  }

  /**
   * Makes sure that the next `entries` new hashes find room. Slots that were handed out before are void after this,
   * and only after this. Chains in segments below segmentMin count as expired.
   */
  makeRoom(entries: number, segmentMin: number): void {
    if ((this.used + entries) * FULL_OF > this.#capacity * FULL) this.#grow(segmentMin);
  }

  /** The slot of this hash, made if absent; makeRoom comes first. */
  slot(hash: HashWords): number {
    const table = this.#table;
    const capacity = this.#capacity;
    // Typed array reads below are within capacity: placeOf is below it, and what reaches it starts again.
    const h0 = hash[0] as number;
    const h1 = hash[1] as number;
    const h2 = hash[2] as number;
    const h3 = hash[3] as number;
    for (let at = placeOf(h0, capacity); ; at = at + 1 === capacity ? 0 : at + 1) {
      const x = at * WORDS;
      if (table[x] === h0 && table[x + 1] === h1 && table[x + 2] === h2 && table[x + 3] === h3) return x;
      if (occupied(table, x)) continue;
      table[x] = h0;
      table[x + 1] = h1;
      table[x + 2] = h2;
      table[x + 3] = h3;
      this.used += 1;
      return x;
    }
  }

  segment(slot: number): number {
    return this.#table[slot + SEGMENT] as number;
  }
  offset(slot: number): number {
    return this.#table[slot + OFFSET] as number;
  }
  count(slot: number): number {
    return this.#table[slot + COUNT] as number;
  }
  flags(slot: number): number {
    return this.#table[slot + FLAGS] as number;
  }
  setFlags(slot: number, flags: number): void {
    this.#table[slot + FLAGS] = flags;
  }
  /** Makes this place the newest of the chain. */
  push(slot: number, segment: number, offset: number): void {
    this.#table[slot + SEGMENT] = segment;
    this.#table[slot + OFFSET] = offset;
    this.#table[slot + COUNT] = (this.#table[slot + COUNT] as number) + 1;
  }
  clear(slot: number): void {
    this.#table[slot + SEGMENT] = 0;
    this.#table[slot + OFFSET] = 0;
    this.#table[slot + COUNT] = 0;
  }
  /** One of the entry's four hash words. */
  word(slot: number, i: number): number {
    return this.#table[slot + i] as number;
  }

  #grow(segmentMin: number): void {
    const old = this.#table;
    let live = 0;
    for (let x = 0; x < old.length; x += WORDS) if (alive(old, x, segmentMin)) live += 1;
    this.#resize(live, segmentMin);
    this.used = live;
  }

  /** Makes a table for so many entries, and moves what is alive. */
  #resize(entries: number, segmentMin: number): void {
    this.#capacity = Math.max(CAPACITY_MIN, Math.ceil(entries * GROWN_ENTRIES));
    if (this.#capacity > indexEntriesMax) {
      throw new CodedError(
        'index_full',
        `could not index another lane: ${String(entries)} lanes are indexed`,
        {
          hint: 'Raise HINDSIGHT_PARTITIONS by a replay into new topics, or shorten the retention of waiting events.',
        },
      );
    }
    const old = this.#table;
    this.#table = new Uint32Array(this.#capacity * WORDS);
    for (let x = 0; x < old.length; x += WORDS) {
      if (alive(old, x, segmentMin)) copyTo(this.#table, this.#capacity, old, x);
    }
  }
}

/** Where a hash belongs: its high bits as a share of the table. */
function placeOf(h0: number, capacity: number): number {
  return Math.floor(((h0 >>> (32 - PLACE_BITS)) * capacity) / PLACES);
}

/** Copies an entry that the table does not have to its place there. */
function copyTo(table: Uint32Array, capacity: number, entries: Uint32Array, from: number): void {
  let at = placeOf(entries[from] as number, capacity);
  while (occupied(table, at * WORDS)) at = at + 1 === capacity ? 0 : at + 1;
  for (let i = 0; i < WORDS; i += 1) table[at * WORDS + i] = entries[from + i] as number;
}

function occupied(table: Uint32Array, x: number): boolean {
  return (
    ((table[x] as number) |
      (table[x + 1] as number) |
      (table[x + 2] as number) |
      (table[x + 3] as number)) !==
    0
  );
}

function alive(table: Uint32Array, x: number, segmentMin: number): boolean {
  if (!occupied(table, x)) return false;
  return table[x + FLAGS] !== 0 || (table[x + SEGMENT] !== 0 && (table[x + SEGMENT] as number) >= segmentMin);
}
