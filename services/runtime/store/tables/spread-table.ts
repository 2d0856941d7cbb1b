/**
 * Entries of a few words each by hash, off-heap: the memory of the lane index and of the duplicates window.
 *
 * 256 shards of equal room lie end to end over chunks of memory. A hash's byte says the shard, so no entry keeps it;
 * the first word of an entry says its place there as a share of the room, and from there on the first free one is taken.
 * The second word is never 0 where there is an entry.
 *
 * Growing adds chunks, and moves shards one by one from the last to the first. So it needs no second table beside the
 * first, which would be half of the memory that a process ever takes, and leaves none to the garbage collector.
 */
export const SHARDS = 256;
/** A shift: where an entry lies is worked out with it. */
export const CHUNK_ENTRIES_LOG = 12;
const CHUNK_ENTRIES = 1 << CHUNK_ENTRIES_LOG;
export const CHUNK_MASK = CHUNK_ENTRIES - 1;
const ROOM_MIN = 16;
/** The fullest shard is at most four fifths full: probing stays short. */
const FULL = 4;
const FULL_OF = 5;
/** A small table doubles; a large one is nearly two thirds full after it has grown. */
const SMALL_ROOM_MAX = 512;
const GROWTH = 1.25;
const SMALL_GROWTH = 2;
/** A table grows only where throwing out what is dead would not win as much. */
const LIVE_SHARE_MAX = FULL / FULL_OF / GROWTH;
const WORD_VALUES = 2 ** 32;

/** Says of the entry at a place of a chunk whether it is still needed. */
export type IsAlive = (chunk: Uint32Array, x: number) => boolean;

/** What a snapshot says beside the memory. */
export interface TableShape {
  readonly room: number;
  /** Entries of each shard. */
  readonly counts: readonly number[];
}

export class SpreadTable {
  /** Entry e lies in chunk e >>> CHUNK_ENTRIES_LOG at (e & CHUNK_MASK) * words. */
  readonly chunks: Uint32Array[] = [];
  readonly words: number;
  /** Entries that a shard has room for. */
  room = ROOM_MIN;
  used = 0;
  #counts = new Uint32Array(SHARDS);
  #fullest = 0;

  constructor(words: number) {
    this.words = words;
    this.#addChunks();
  }

  /** Whether the next so many entries find room, whatever their hashes are. */
  hasRoom(entries: number): boolean {
    return (this.#fullest + entries) * FULL_OF <= this.room * FULL;
  }
  /** Where an entry of the shard belongs. */
  home(shard: number, place: number): number {
    return shard * this.room + Math.floor((place / WORD_VALUES) * this.room);
  }
  /** The entry after this one in its shard; the last is followed by the first. */
  after(entry: number, shard: number): number {
    const next = entry + 1;
    return next === (shard + 1) * this.room ? next - this.room : next;
  }
  /** An entry was written to a place that had none. */
  added(shard: number): void {
    const count = (this.#counts[shard] as number) + 1; // shard < SHARDS
    this.#counts[shard] = count;
    if (count > this.#fullest) this.#fullest = count;
    this.used += 1;
  }

  /** How many are still needed. */
  countAlive(isAlive: IsAlive): number {
    const { words } = this;
    let live = 0;
    for (const chunk of this.chunks) {
      for (let x = 0; x < chunk.length; x += words) if (chunk[x + 1] !== 0 && isAlive(chunk, x)) live += 1;
    }
    return live;
  }

  /** Leaves out all but what is alive, and grows where that is not enough. Entries have other places then. */
  makeRoom(live: number, isAlive: IsAlive): void {
    const isEnough = live <= LIVE_SHARE_MAX * SHARDS * this.room && live < this.used;
    this.#rebuild(isEnough ? this.room : this.#largerRoom(), isAlive);
    // What was left of the fullest shard alone may be too much still: then the table grows after all.
    if (isEnough && !this.hasRoom(2)) this.#rebuild(this.#largerRoom(), isAlive);
  }

  #largerRoom(): number {
    return Math.ceil(this.room * (this.room < SMALL_ROOM_MAX ? SMALL_GROWTH : GROWTH));
  }

  get shape(): TableShape {
    return { room: this.room, counts: [...this.#counts] };
  }
  /** Becomes the table of this shape; its chunks are then to be filled with what that one's had. */
  reshape({ room, counts }: TableShape): void {
    this.room = room;
    this.#counts = Uint32Array.from(counts);
    this.#fullest = Math.max(...counts);
    this.used = counts.reduce((sum, count) => sum + count, 0);
    this.#addChunks();
  }

  #addChunks(): void {
    const chunks = Math.ceil((this.room * SHARDS) / CHUNK_ENTRIES);
    while (this.chunks.length < chunks) this.chunks.push(new Uint32Array(CHUNK_ENTRIES * this.words));
  }

  /** What a shard moves to lies at or behind what it leaves, and before it only shards that have not moved. */
  #rebuild(room: number, isAlive: IsAlive): void {
    const { words, room: roomBefore } = this;
    this.room = room;
    this.#addChunks();
    this.#fullest = 0;
    this.used = 0;
    const moved = new Uint32Array(roomBefore * words);
    for (let shard = SHARDS - 1; shard >= 0; shard -= 1) {
      this.#takeOut(moved, shard * roomBefore);
      let count = 0;
      for (let x = 0; x < moved.length; x += words) {
        if (moved[x + 1] === 0 || !isAlive(moved, x)) continue;
        this.#put(shard, moved, x);
        count += 1;
      }
      this.#counts[shard] = count;
      this.used += count;
      if (count > this.#fullest) this.#fullest = count;
    }
  }

  #takeOut(into: Uint32Array, first: number): void {
    const { words } = this;
    for (let done = 0, entry = first; done < into.length;) {
      const chunk = this.#chunk(entry);
      const x = (entry & CHUNK_MASK) * words;
      const part = chunk.subarray(x, x + into.length - done);
      into.set(part, done);
      part.fill(0);
      done += part.length;
      entry += part.length / words;
    }
  }

  #put(shard: number, from: Uint32Array, at: number): void {
    const { words } = this;
    const end = (shard + 1) * this.room;
    let entry = this.home(shard, from[at] as number); // at is the place of an entry
    let chunk = this.#chunk(entry);
    let x = (entry & CHUNK_MASK) * words;
    while (chunk[x + 1] !== 0) {
      entry = entry + 1 === end ? end - this.room : entry + 1;
      chunk = this.#chunk(entry);
      x = (entry & CHUNK_MASK) * words;
    }
    for (let i = 0; i < words; i += 1) chunk[x + i] = from[at + i] as number;
  }

  #chunk(entry: number): Uint32Array {
    return this.chunks[entry >>> CHUNK_ENTRIES_LOG] as Uint32Array; // an entry lies in a chunk
  }
}
