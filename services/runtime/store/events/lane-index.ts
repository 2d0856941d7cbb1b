/**
 * Lanes by hash, off-heap, 20 bytes each in a table that is two to four fifths full:
 * hash (32 bits, 32, 24; 8 more are the shard's) and flags (8) | segment (16 bits), offset of the newest event (26)
 * and count (22) of the lane's chain.
 * Entries are never removed in place; making room leaves out those that have no flags and whose chain has expired.
 */
import { CodedError } from '../../errors.ts';
import type { HashWords } from './sip-hash.ts';
import type { LogPosition } from '../segments/log-position.ts';
import {
  CHUNK_ENTRIES_LOG,
  CHUNK_MASK,
  SHARDS,
  SpreadTable,
  type TableShape,
} from '../tables/spread-table.ts';
import type { MemoryTable } from '../tables/table-snapshot.ts';

const WORDS = 5;
const FLAGS = 2;
const PLACE = 3;
const COUNT = 4;
const FLAGS_MASK = 0xff;
const OFFSET_BITS = 26;
const OFFSET_MASK = 2 ** OFFSET_BITS - 1;
const SEGMENT_LOW_BITS = 32 - OFFSET_BITS;
const COUNT_BITS = 22;
export const chainEventsMax = 2 ** COUNT_BITS - 1;
/** Segments are told apart within so many of the newest: what is older has been left out long before. */
const SEGMENT_MASK = 2 ** (32 - COUNT_BITS + SEGMENT_LOW_BITS) - 1;
/** 1.3 GiB of index. */
export const indexEntriesMax = 1 << 26;

/** Lanes of no chain that is worth keeping, whatever segments there are. */
const NO_SEGMENT = 0;

export class LaneIndex implements MemoryTable<IndexShape> {
  readonly #table = new SpreadTable(WORDS);
  /** The segment that was pushed last, which is the newest of all. */
  #newest = 0;
  /** What was read last: an object for each event would be garbage. */
  readonly chain: ChainEnd = { first: 0, segment: 0, offset: 0, count: 0 };

  get used(): number {
    return this.#table.used;
  }
  get memory(): readonly Uint32Array[] {
    return this.#table.chunks;
  }
  get shape(): IndexShape {
    return { ...this.#table.shape, newest: this.#newest };
  }
  reshape(shape: IndexShape): void {
    this.#newest = shape.newest;
    this.#table.reshape(shape);
  }

  /**
   * Makes sure that the next `entries` new hashes find room. Slots that were handed out before are void after this,
   * and only after this. Chains in segments below segmentMin count as expired.
   */
  makeRoom(entries: number, segmentMin = NO_SEGMENT): void {
    if (this.#table.hasRoom(entries)) return;
    if (this.#table.room * SHARDS > indexEntriesMax) {
      throw new CodedError(
        'index_full',
        `could not index another lane: ${String(this.used)} lanes are indexed`,
      );
    }
    const isAlive = (chunk: Uint32Array, x: number): boolean => {
      const place = chunk[x + PLACE] as number; // as the rest, of an entry
      if (((chunk[x + FLAGS] as number) & FLAGS_MASK) !== 0) return true;
      return place !== 0 && this.#segmentOf(place, chunk[x + COUNT] as number) >= segmentMin;
    };
    this.#table.makeRoom(this.#table.countAlive(isAlive), isAlive);
  }

  /** The slot of this hash, made if absent; makeRoom comes first. */
  slot(hash: HashWords): number {
    const found = this.find(hash);
    if (found >= 0) return found;
    const slot = ~found;
    const chunk = this.#chunk(slot);
    const x = (slot & CHUNK_MASK) * WORDS;
    const third = hash[2] as number;
    chunk[x] = hash[0] as number;
    chunk[x + 1] = secondOf(hash);
    chunk[x + FLAGS] = third & ~FLAGS_MASK;
    this.#table.added(third & FLAGS_MASK);
    return slot;
  }

  /** The slot of this hash, or the complement of where it would go. */
  find(hash: HashWords): number {
    const table = this.#table;
    const { chunks } = table;
    const first = hash[0] as number; // hashes have four words
    const second = secondOf(hash);
    const third = hash[2] as number;
    const shard = third & FLAGS_MASK;
    const { room } = table;
    const end = (shard + 1) * room;
    for (let slot = table.home(shard, first); ; slot = slot + 1 === end ? end - room : slot + 1) {
      const chunk = chunks[slot >>> CHUNK_ENTRIES_LOG] as Uint32Array; // a slot lies in a chunk
      const x = (slot & CHUNK_MASK) * WORDS;
      if (chunk[x + 1] === 0) return ~slot;
      if (chunk[x] !== first || chunk[x + 1] !== second) continue;
      if (((chunk[x + FLAGS] as number) ^ third) >>> 8 === 0) return slot;
    }
  }

  /** The slot of the chain whose newest event lies here: of a shard, and of the hash with this first word. */
  findChain({ shard, first }: HashPart, { segment, offset }: LogPosition): number | undefined {
    const table = this.#table;
    for (let slot = table.home(shard, first); ; slot = table.after(slot, shard)) {
      const chunk = this.#chunk(slot);
      const x = (slot & CHUNK_MASK) * WORDS;
      if (chunk[x + 1] === 0) return undefined;
      if (chunk[x] === first && this.offset(slot) === offset && this.segment(slot) === segment) return slot;
    }
  }

  /** Has what an event behind the chain's newest needs in `chain`. */
  readChain(slot: number): ChainEnd {
    const chunk = this.#chunk(slot);
    const x = (slot & CHUNK_MASK) * WORDS;
    const place = chunk[x + PLACE] as number;
    const count = chunk[x + COUNT] as number;
    const { chain } = this;
    chain.first = chunk[x] as number;
    chain.segment = place === 0 ? 0 : this.#segmentOf(place, count);
    chain.offset = place & OFFSET_MASK;
    chain.count = count & chainEventsMax;
    return chain;
  }
  shardOf(slot: number): number {
    return Math.floor(slot / this.#table.room);
  }
  /** Of the chain's newest event; 0: there is no chain. */
  segment(slot: number): number {
    const chunk = this.#chunk(slot);
    const x = (slot & CHUNK_MASK) * WORDS;
    const place = chunk[x + PLACE] as number;
    return place === 0 ? 0 : this.#segmentOf(place, chunk[x + COUNT] as number);
  }
  offset(slot: number): number {
    return (this.#chunk(slot)[(slot & CHUNK_MASK) * WORDS + PLACE] as number) & OFFSET_MASK;
  }
  count(slot: number): number {
    return (this.#chunk(slot)[(slot & CHUNK_MASK) * WORDS + COUNT] as number) & chainEventsMax;
  }
  flags(slot: number): number {
    return (this.#chunk(slot)[(slot & CHUNK_MASK) * WORDS + FLAGS] as number) & FLAGS_MASK;
  }
  setFlags(slot: number, flags: number): void {
    const chunk = this.#chunk(slot);
    const x = (slot & CHUNK_MASK) * WORDS + FLAGS;
    chunk[x] = ((chunk[x] as number) & ~FLAGS_MASK) | flags;
  }
  /** Makes this place the newest of the chain of so many events. An offset is never 0. */
  push(slot: number, segment: number, offset: number, count: number): void {
    const chunk = this.#chunk(slot);
    const x = (slot & CHUNK_MASK) * WORDS;
    chunk[x + PLACE] = (segment << OFFSET_BITS) | offset;
    chunk[x + COUNT] = ((segment >>> SEGMENT_LOW_BITS) << COUNT_BITS) | Math.min(count, chainEventsMax);
    this.#newest = segment;
  }
  clear(slot: number): void {
    const chunk = this.#chunk(slot);
    const x = (slot & CHUNK_MASK) * WORDS;
    chunk[x + PLACE] = 0;
    chunk[x + COUNT] = 0;
  }
  /** One of the three words that are known of the entry's hash. */
  word(slot: number, i: 0 | 1 | 2): number {
    const word = this.#chunk(slot)[(slot & CHUNK_MASK) * WORDS + i] as number;
    if (i < FLAGS) return word;
    return ((word & ~FLAGS_MASK) | this.shardOf(slot)) >>> 0;
  }

  #segmentOf(place: number, count: number): number {
    const known = ((count >>> COUNT_BITS) << SEGMENT_LOW_BITS) | (place >>> OFFSET_BITS);
    return this.#newest - ((this.#newest - known) & SEGMENT_MASK);
  }
  #chunk(slot: number): Uint32Array {
    return this.#table.chunks[slot >>> CHUNK_ENTRIES_LOG] as Uint32Array; // a slot lies in a chunk
  }
}

export interface ChainEnd {
  /** Word of the hash. */
  first: number;
  segment: number;
  offset: number;
  count: number;
}
export interface HashPart {
  readonly shard: number;
  readonly first: number;
}

export interface IndexShape extends TableShape {
  readonly newest: number;
}

/** Never 0, which would say that there is no entry. */
function secondOf(hash: HashWords): number {
  return hash[1] === 0 ? 1 : (hash[1] as number);
}
