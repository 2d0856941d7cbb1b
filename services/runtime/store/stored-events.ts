/** The events of one chain: where they lie and when they were, ordered by arrival until sorted. */
import { recordLength, type SegmentLog } from './segment-log.ts';
import type { StoredEvents } from './ports.ts';

/** Record of an event: see event-store.ts. */
export const RECORD_HEADER_BYTES = 40;
export const RECEIVED_AT = 28;
export const TIMESTAMP = 34;

/** Reading backwards through one visitor's busy hour hits the same stretch; a visitor of a month hits another each time. */
const WINDOW_BYTES = 16 << 10;
const NARROW_BYTES = 4 << 10;
/** Longest chain whose values are kept in memory from the walk. */
const keptEventsMax = 64;

export class ChainEvents implements StoredEvents {
  readonly #log: SegmentLog;
  readonly #window: ReadWindow;
  #places: Float64Array;
  #received: Float64Array;
  #timestamps: Float64Array;
  /** Values of a short chain, kept from the walk, so that releasing it reads nothing twice. */
  #kept: Buffer[] | undefined;
  length = 0;

  constructor(log: SegmentLog, expected: number) {
    this.#log = log;
    this.#window = windowOf(log);
    const capacity = Math.max(4, expected);
    this.#places = new Float64Array(capacity);
    this.#received = new Float64Array(capacity);
    this.#timestamps = new Float64Array(capacity);
    if (expected <= keptEventsMax) this.#kept = [];
  }

  /** Follows the back pointers from the newest event; keeps those received at or after receivedFrom. */
  walk(segment: number, offset: number, receivedFrom: number): this {
    let at = segment;
    let place = offset;
    while (at !== 0 && at >= this.#log.segmentMin) {
      const window = this.#window;
      const length = window.find(at, place);
      const { view, found } = window;
      const receivedAt = timeAt(view, found + RECEIVED_AT);
      if (receivedAt >= receivedFrom) {
        this.#add(at * 2 ** 32 + place, receivedAt, timeAt(view, found + TIMESTAMP));
        this.#kept?.push(Buffer.from(window.bytes.subarray(found + RECORD_HEADER_BYTES, found + length)));
      }
      at = view.getUint32(found + 4, true);
      place = view.getUint32(found + 8, true);
    }
    this.#places.subarray(0, this.length).reverse();
    this.#received.subarray(0, this.length).reverse();
    this.#timestamps.subarray(0, this.length).reverse();
    this.#kept?.reverse();
    return this;
  }

  sortByTimestamp(): void {
    if (this.#isSorted()) return; // most visitors' clocks agree with their arrival
    // The index breaks ties, so equal timestamps keep their arrival order.
    const timestamps = this.#timestamps;
    const order = Array.from({ length: this.length }, (_, index) => index).sort(
      (a, b) => (timestamps[a] as number) - (timestamps[b] as number) || a - b, // both < length
    );
    const kept = this.#kept;
    if (kept !== undefined) this.#kept = order.map((index) => kept[index] as Buffer); // index < length
    this.#places = Float64Array.from(order, (index) => this.#places[index] as number);
    this.#received = Float64Array.from(order, (index) => this.#received[index] as number);
    this.#timestamps = Float64Array.from(order, (index) => timestamps[index] as number);
  }

  #isSorted(): boolean {
    for (let i = 1; i < this.length; i += 1) {
      if ((this.#timestamps[i] as number) < (this.#timestamps[i - 1] as number)) return false;
    }
    return true;
  }

  receivedAt(index: number): number {
    return this.#received[index] as number; // index < length is the caller's duty
  }
  timestamp(index: number): number {
    return this.#timestamps[index] as number;
  }
  read(index: number): Buffer {
    const kept = this.#kept?.[index];
    if (kept !== undefined) return kept;
    const place = this.#places[index] as number;
    const window = this.#window;
    const length = window.find(Math.floor(place / 2 ** 32), place % 2 ** 32);
    return window.bytes.subarray(window.found + RECORD_HEADER_BYTES, window.found + length);
  }

  #add(place: number, receivedAt: number, timestamp: number): void {
    if (this.length === this.#places.length) {
      this.#places = doubled(this.#places);
      this.#received = doubled(this.#received);
      this.#timestamps = doubled(this.#timestamps);
    }
    this.#places[this.length] = place;
    this.#received[this.length] = receivedAt;
    this.#timestamps[this.length] = timestamp;
    this.length += 1;
  }
}

/** Chains of one log share their window: a buffer of its own for each chain cost more than reading it. */
const windows = new WeakMap<SegmentLog, ReadWindow>();
function windowOf(log: SegmentLog): ReadWindow {
  let window = windows.get(log);
  if (window === undefined) windows.set(log, (window = new ReadWindow(log)));
  return window;
}

/** One read buffer over the log: narrow for scattered records, wide once neighbours are asked for. */
class ReadWindow {
  readonly #log: SegmentLog;
  bytes: Buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  view = new DataView(this.bytes.buffer);
  /** Where in `bytes` the record lies that was asked for last. */
  found = 0;
  #segment = 0;
  #start = 0;
  #length = 0;

  constructor(log: SegmentLog) {
    this.#log = log;
  }

  /** Has the whole record at `found`; the next call may overwrite it. Returns its length. */
  find(segment: number, offset: number): number {
    if (!this.#holds(segment, offset, 4)) this.#load(segment, offset, NARROW_BYTES);
    const length = recordLength(this.view.getUint32(offset - this.#start, true));
    if (!this.#holds(segment, offset, length)) this.#load(segment, offset, length);
    this.found = offset - this.#start;
    return length;
  }

  /** What was read of the unwritten tail is what it was: records are only added behind it. A cut log is a new log. */
  #holds(segment: number, offset: number, bytes: number): boolean {
    return segment === this.#segment && offset >= this.#start && offset + bytes <= this.#start + this.#length;
  }

  #load(segment: number, offset: number, need: number): void {
    const near = segment === this.#segment && Math.abs(offset - this.#start) < WINDOW_BYTES;
    const span = Math.max(need, near ? WINDOW_BYTES : NARROW_BYTES);
    if (this.bytes.length < span) {
      this.bytes = Buffer.allocUnsafeSlow(span);
      this.view = new DataView(this.bytes.buffer);
    }
    // Chains are walked from new to old: keep most of the window before the record. The unwritten tail is read apart.
    const unwrittenFrom = segment === this.#log.segment ? this.#log.offsetOf(0) : Infinity;
    const before = near ? span - Math.max(need, NARROW_BYTES) : 0;
    this.#start = offset >= unwrittenFrom ? offset : Math.max(0, offset - before);
    this.#segment = segment;
    this.#length = this.#log.read(segment, this.#start, this.bytes.subarray(0, span));
  }
}

function doubled(array: Float64Array): Float64Array {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** As event-store.ts writes it: six bytes, little-endian. */
function timeAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
}
