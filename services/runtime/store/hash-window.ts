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
/** The table grows when it is fuller than two thirds; a grown one is at most half full. */
const FULL = 2;
const FULL_OF = 3;

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
  /** The latest hour of the segment that was noted last. */
  #segment = 0;
  #segmentLatest = 0;
  entries = 0;
  forgottenEarly = 0;

  private constructor(log: SegmentLog, { windowMs, entriesMax }: HashWindowOptions) {
    this.#log = log;
    this.#windowHours = Math.ceil(windowMs / HOUR_MS);
    this.#entriesMax = entriesMax;
    log.scan({ segment: log.segmentMin, offset: 0 }, (block, segment) => {
      for (let at = 0; at < block.length; at += recordLength(block.readUInt32LE(at))) {
        const [high, low] = [block.readUInt32LE(at + 4), block.readUInt32LE(at + 8)];
        const hour = block.readUInt32LE(at + 12);
        this.#put(this.#find(high, low), high, low, hour);
        this.#noteLatest(segment, hour);
      }
    });
  }

  static open(folder: string, end: LogPosition, options: HashWindowOptions): SegmentHashWindow {
    return new SegmentHashWindow(SegmentLog.open(folder, end), options);
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
    this.#noteLatest(log.segment, hour);
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

  #noteLatest(segment: number, hour: number): void {
    if (segment === this.#segment && hour <= this.#segmentLatest) return;
    this.#segment = segment;
    this.#segmentLatest = Math.max(hour, this.#latest.get(segment) ?? 0);
    this.#latest.set(segment, this.#segmentLatest);
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
