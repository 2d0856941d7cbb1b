/**
 * The duplicates check: 64-bit hashes with the hour in which they were added. One probe answers, no store is read.
 * New hashes are appended to a log of their own, and the table is written as a snapshot now and then; a log that is older
 * than the snapshot goes.
 *
 * Record: u32 length | u32 hash high | u32 hash low | u32 hour.
 */
import type { HashWindow } from './ports.ts';
import { logStart, recordLength, SegmentLog, type LogPosition } from './segment-log.ts';
import { TableKeeper } from './table-keeper.ts';
import { readTable, TableDraft, type EntryTable } from './table-snapshot.ts';

const HOUR_MS = 3_600_000;
const RECORD_BYTES = 16;
const WORDS = 3;
const CAPACITY_MIN = 1 << 10;
/** The table grows when it is fuller than two thirds; a grown one is at most half full. */
const FULL = 2;
const FULL_OF = 3;

export interface HashWindowOptions {
  readonly windowMs: number;
  /** Above it the oldest hours are forgotten early; `forgottenEarly` counts them. */
  readonly entriesMax: number;
}

const noTimes: ReadonlyMap<number, number> = new Map();

export class SegmentHashWindow implements HashWindow, EntryTable {
  readonly #log: SegmentLog;
  readonly #keeper: TableKeeper;
  readonly #windowHours: number;
  readonly #entriesMax: number;
  #table = new Uint32Array(CAPACITY_MIN * WORDS);
  #capacity = CAPACITY_MIN;
  #hourMin = 0;
  #hourLatest = 0;
  entries = 0;
  forgottenEarly = 0;

  private constructor(folder: string, end: LogPosition, { windowMs, entriesMax }: HashWindowOptions) {
    const log = (this.#log = SegmentLog.open(folder, end));
    this.#windowHours = Math.ceil(windowMs / HOUR_MS);
    this.#entriesMax = entriesMax;
    const position = readTable(folder, end, this)?.position ?? logStart;
    this.#keeper = new TableKeeper(folder, log, this, position);
    log.scan(position, (block) => {
      for (let at = 0; at < block.length; at += recordLength(block.readUInt32LE(at))) {
        const [high, low] = [block.readUInt32LE(at + 4), block.readUInt32LE(at + 8)];
        this.#put(this.#find(high, low), high, low, block.readUInt32LE(at + 12));
        log.records += 1;
      }
    });
  }

  static open(folder: string, end: LogPosition, options: HashWindowOptions): SegmentHashWindow {
    return new SegmentHashWindow(folder, end, options);
  }

  seen(hashHigh: number, hashLow: number, receivedAt: number): boolean {
    const high = hashHigh >>> 0;
    const low = hashLow >>> 0;
    const hour = Math.floor(receivedAt / HOUR_MS);
    const x = this.#find(high, low);
    const added = this.#table[x + 2] as number; // within capacity by #find
    // Hours are whole, so a repeat is caught for at least the window and for less than an hour more.
    if (added !== 0 && Math.abs(hour - added) <= this.#windowHours) return true;
    this.#put(x, high, low, hour);
    const log = this.#log;
    const at = log.take(RECORD_BYTES);
    const { view } = log;
    view.setUint32(at, RECORD_BYTES, true);
    view.setUint32(at + 4, high, true);
    view.setUint32(at + 8, low, true);
    view.setUint32(at + 12, hour, true);
    return false;
  }

  expire(receivedBefore: number): void {
    this.#hourMin = Math.max(this.#hourMin, Math.floor(receivedBefore / HOUR_MS) - this.#windowHours);
  }

  /** How much was ever appended, written or not, as text to compare. */
  get tail(): string {
    return this.#log.tail;
  }
  /** Writes the buffer out; a snapshot that is due is to begin a segment, so that all before it can go. */
  write(): LogPosition {
    const position = this.#keeper.isDue ? this.#log.roll() : this.#log.write();
    this.#log.sync();
    return position;
  }
  /** After the mark, as the event store does. */
  afterMark(position: LogPosition, marked: () => Promise<unknown>, held: boolean): void {
    if (this.#keeper.isDue) this.#keeper.begin(position, noTimes, marked);
    if (!held) this.#log.dropBelow(this.#keeper.position.segment);
  }
  /** The table as of the end of what was written, for a copy of the segments. */
  async writeSnapshot(folder: string, position: LogPosition): Promise<void> {
    await TableDraft.write(folder, { position, latest: [] }, this).keep(Promise.resolve());
  }
  close(): void {
    this.#keeper.close();
    this.#log.close();
  }

  get used(): number {
    return this.entries;
  }
  /** Without what is too old to be found. */
  copyEntries(from: number, into: Uint32Array): { readonly next: number; readonly words: number } {
    const table = this.#table;
    const hourMin = Math.max(this.#hourMin, 1);
    let words = 0;
    let x = from;
    for (; x < table.length && words + WORDS <= into.length; x += WORDS) {
      if ((table[x + 2] as number) < hourMin) continue; // x < table.length, a multiple of WORDS
      for (let i = 0; i < WORDS; i += 1) into[words + i] = table[x + i] as number;
      words += WORDS;
    }
    return { next: x, words };
  }
  reserve(entries: number): void {
    if (this.entries > 0) return;
    while (entries * FULL_OF * 4 > this.#capacity * FULL * 3) this.#capacity *= 2;
    this.#table = new Uint32Array(this.#capacity * WORDS);
  }
  putEntries(entries: Uint32Array): void {
    for (let from = 0; from + WORDS <= entries.length; from += WORDS) {
      const high = entries[from] as number;
      const low = entries[from + 1] as number;
      this.#put(this.#find(high, low), high, low, entries[from + 2] as number);
    }
  }

  /** Puts the hash at its place, as `#find` gave it; room for the next is made here, so the place is valid only now. */
  #put(x: number, high: number, low: number, hour: number): void {
    const table = this.#table;
    if (table[x + 2] === 0) this.entries += 1;
    table[x] = high;
    table[x + 1] = low;
    table[x + 2] = hour;
    if (hour > this.#hourLatest) this.#hourLatest = hour;
    if (this.entries * FULL_OF > this.#capacity * FULL) this.#grow();
  }

  /** Place of the hash, or the empty one where it would go. An hour of 0 marks empty. */
  #find(high: number, low: number): number {
    const table = this.#table;
    const mask = this.#capacity - 1;
    let at = low & mask;
    for (;;) {
      const x = at * WORDS;
      if (table[x + 2] === 0 || (table[x] === high && table[x + 1] === low)) return x;
      at = (at + 1) & mask;
    }
  }

  /** Probes go upwards from the hash's low bits, so both tables are walked in order: a pass over memory, no more. */
  #grow(): void {
    const old = this.#table;
    let from = Math.max(this.#hourMin, this.#hourLatest - 2 * this.#windowHours);
    let live = countFrom(old, from);
    while (live > this.#entriesMax / 2 && from < this.#hourLatest) {
      from += 1;
      const left = countFrom(old, from);
      this.forgottenEarly += live - left;
      live = left;
    }
    while (live * FULL_OF * 4 > this.#capacity * FULL * 3) this.#capacity *= 2;
    this.#table = new Uint32Array(this.#capacity * WORDS);
    this.entries = 0;
    const table = this.#table;
    for (let x = 0; x < old.length; x += WORDS) {
      const hour = old[x + 2] as number;
      if (hour === 0 || hour < from) continue;
      const high = old[x] as number;
      const low = old[x + 1] as number;
      const to = this.#find(high, low);
      table[to] = high;
      table[to + 1] = low;
      table[to + 2] = hour;
      this.entries += 1;
    }
  }
}

function countFrom(table: Uint32Array, hour: number): number {
  let count = 0;
  for (let x = 2; x < table.length; x += WORDS) {
    const at = table[x] as number;
    if (at !== 0 && at >= hour) count += 1;
  }
  return count;
}
