/**
 * One read buffer over the event store's log: narrow for scattered records, wide once neighbours are asked for. A store has one for all
 * its chains, since a buffer of its own for each chain cost more than reading it.
 */
import { lengthOf } from './event-record.ts';
import type { SegmentLog } from './segment-log.ts';

/** A visitor of a month hits another stretch each time. */
const NARROW_BYTES = 4 << 10;
/** Reading backwards through one visitor's busy hour hits neighbours: each read after the first takes twice as much. */
const NEAR_BYTES = 16 << 10;
const WIDE_BYTES = 256 << 10;

export class ReadWindow {
  readonly #log: SegmentLog;
  #buffer: Buffer = Buffer.allocUnsafeSlow(NEAR_BYTES);
  #bufferView = new DataView(this.#buffer.buffer);
  /** What was found lies here: in the buffer, or in the log's own while it is not written. */
  bytes = this.#buffer;
  view = this.#bufferView;
  /** Where in `bytes` the record lies that was asked for last. */
  found = 0;
  #segment = 0;
  #start = 0;
  #length = 0;
  #span = NARROW_BYTES;

  constructor(log: SegmentLog) {
    this.#log = log;
  }

  /** First segment that the log still has. */
  get segmentMin(): number {
    return this.#log.segmentMin;
  }

  /** Has the whole record at `found`; the next call, or the log's next append, may overwrite it. Returns its first word. */
  find(segment: number, offset: number): number {
    const log = this.#log;
    const unwrittenFrom = log.offsetOf(0);
    if (segment === log.segment && offset >= unwrittenFrom) {
      this.bytes = log.buffer;
      this.view = log.view;
      this.found = offset - unwrittenFrom;
      return this.view.getUint32(this.found, true);
    }
    if (!this.#holds(segment, offset, 4)) this.#load(segment, offset, NARROW_BYTES);
    const lead = this.#bufferView.getUint32(offset - this.#start, true);
    const length = lengthOf(lead);
    if (!this.#holds(segment, offset, length)) this.#load(segment, offset, length);
    this.bytes = this.#buffer;
    this.view = this.#bufferView;
    this.found = offset - this.#start;
    return lead;
  }

  /** What was found lies where the log's next appends go. */
  get isUnwritten(): boolean {
    return this.bytes === this.#log.buffer;
  }

  #holds(segment: number, offset: number, bytes: number): boolean {
    return segment === this.#segment && offset >= this.#start && offset + bytes <= this.#start + this.#length;
  }

  #load(segment: number, offset: number, need: number): void {
    const near = segment === this.#segment && Math.abs(offset - this.#start) < NEAR_BYTES;
    this.#span = near ? Math.min(Math.max(2 * this.#span, NEAR_BYTES), WIDE_BYTES) : NARROW_BYTES;
    const span = Math.max(need, this.#span);
    if (this.#buffer.length < span) {
      this.#buffer = Buffer.allocUnsafeSlow(span);
      this.#bufferView = new DataView(this.#buffer.buffer);
    }
    // Chains are walked from new to old: keep most of the window before the record.
    const before = near ? span - Math.max(need, NARROW_BYTES) : 0;
    this.#start = Math.max(0, offset - before);
    this.#segment = segment;
    this.#length = this.#log.read(segment, this.#start, this.#buffer.subarray(0, span));
  }
}
