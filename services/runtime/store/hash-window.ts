/**
 * The duplicates check: 64-bit hashes with the hour in which they were added. One probe answers, no store is read.
 * New hashes are appended to a segment log of their own, so the table is a fold of it, as the lane index is.
 *
 * Record: u32 length | u32 hash high | u32 hash low | u32 hour.
 */
import type { HashWindow } from './ports.ts';
import { recordLength, SegmentLog, type LogPosition } from './segment-log.ts';

const HOUR_MS = 3_600_000;
const RECORD_BYTES = 16;
const WORDS = 3;
const CAPACITY_MIN = 1 << 10;

export interface HashWindowOptions {
  readonly windowMs: number;
  /** Above it the oldest hours are forgotten early; `forgottenEarly` counts them. */
  readonly entriesMax: number;
}

export class SegmentHashWindow implements HashWindow {
  readonly #log: SegmentLog;
  readonly #windowHours: number;
  readonly #entriesMax: number;
  #table = new Uint32Array(CAPACITY_MIN * WORDS);
  #capacity = CAPACITY_MIN;
  #hourMin = 0;
  #hourLatest = 0;
  readonly #latest = new Map<number, number>();
  entries = 0;
  forgottenEarly = 0;

  private constructor(log: SegmentLog, { windowMs, entriesMax }: HashWindowOptions) {
    this.#log = log;
    this.#windowHours = Math.ceil(windowMs / HOUR_MS);
    this.#entriesMax = entriesMax;
    log.scan({ segment: log.segmentMin, offset: 0 }, (block, segment) => {
      for (let at = 0; at < block.length; at += recordLength(block.readUInt32LE(at))) {
        const hour = block.readUInt32LE(at + 12);
        this.#add(block.readUInt32LE(at + 4), block.readUInt32LE(at + 8), hour);
        if (hour > (this.#latest.get(segment) ?? 0)) this.#latest.set(segment, hour);
      }
    });
  }

  static open(folder: string, end: LogPosition, options: HashWindowOptions): SegmentHashWindow {
    return new SegmentHashWindow(SegmentLog.open(folder, end), options);
  }

  seen(hashHigh: number, hashLow: number, receivedAt: number): boolean {
    const hour = Math.floor(receivedAt / HOUR_MS);
    const x = this.#find(hashHigh >>> 0, hashLow >>> 0);
    const added = this.#table[x + 2] as number; // within capacity by #find
    // Hours are whole, so a repeat is caught for at least the window and for less than an hour more.
    if (added !== 0 && Math.abs(hour - added) <= this.#windowHours) return true;
    this.#add(hashHigh >>> 0, hashLow >>> 0, hour);
    const log = this.#log;
    const at = log.take(RECORD_BYTES);
    const target = log.buffer;
    target.writeUInt32LE(RECORD_BYTES, at);
    target.writeUInt32LE(hashHigh >>> 0, at + 4);
    target.writeUInt32LE(hashLow >>> 0, at + 8);
    target.writeUInt32LE(hour, at + 12);
    if (hour > (this.#latest.get(log.segment) ?? 0)) this.#latest.set(log.segment, hour);
    return false;
  }

  expire(receivedBefore: number): void {
    this.#hourMin = Math.max(this.#hourMin, Math.floor(receivedBefore / HOUR_MS) - this.#windowHours);
  }

  /** How much was ever appended, written or not, as text to compare. */
  get tail(): string {
    return this.#log.tail;
  }
  write(): LogPosition {
    const position = this.#log.write();
    this.#log.sync();
    return position;
  }
  afterMark(): void {
    let segment = this.#log.segmentMin;
    while (segment < this.#log.segment && (this.#latest.get(segment) ?? 0) < this.#hourMin) segment += 1;
    this.#log.dropBelow(segment);
    for (const key of this.#latest.keys()) if (key < this.#log.segmentMin) this.#latest.delete(key);
  }
  close(): void {
    this.#log.close();
  }

  #add(high: number, low: number, hour: number): void {
    if (hour > this.#hourLatest) this.#hourLatest = hour;
    if (this.entries * 2 >= this.#capacity) this.#grow();
    const table = this.#table;
    const x = this.#find(high, low);
    if (table[x + 2] === 0) this.entries += 1;
    table[x] = high;
    table[x + 1] = low;
    table[x + 2] = hour;
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
    while (live * 3 > this.#capacity) this.#capacity *= 2;
    this.#table = new Uint32Array(this.#capacity * WORDS);
    this.entries = 0;
    for (let x = 0; x < old.length; x += WORDS) {
      const hour = old[x + 2] as number;
      if (hour === 0 || hour < from) continue;
      const to = this.#find(old[x] as number, old[x + 1] as number);
      this.#table.set(old.subarray(x, x + WORDS), to);
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
