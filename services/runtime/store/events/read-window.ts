/**
 * What chains are read through: the log's own buffer for what is not written yet, else one read buffer over the event store's
 * log, narrow for scattered records, wide once neighbours are asked for. A store has one for all its chains, since a buffer of
 * its own for each chain cost more than reading it.
 *
 * It reads whole pages, and the first record that is asked for in a page has all of that page checked.
 */
import { BlockWalk, pageBytes, type Stretch } from '../segments/blocks.ts';
import { lengthOf } from './event-record.ts';
import type { SegmentLog } from '../segments/segment-log.ts';

/** A visitor of a month hits another stretch each time. */
const NARROW_PAGES = 1;
/** Reading backwards through one visitor's busy hour hits neighbours: each read after the first takes twice as much. */
const NEAR_BYTES = 16 << 10;
const NEAR_PAGES = NEAR_BYTES / pageBytes;
const WIDE_PAGES = 32;

export class ReadWindow {
  readonly #log: SegmentLog;
  readonly #pages: Pages;
  /** What was found lies here: in what was read, or in the log's own buffer while it is not written. */
  bytes: Buffer;
  view: DataView;
  /** Where in `bytes` the record lies that was asked for last. */
  found = 0;

  constructor(log: SegmentLog) {
    this.#log = log;
    this.#pages = new Pages(log);
    this.bytes = this.#pages.bytes;
    this.view = this.#pages.view;
  }

  /** First segment that the log still has. */
  get segmentMin(): number {
    return this.#log.segmentMin;
  }

  /**
   * Has the whole record at `found`; the next call, or the log's next append, may overwrite it. Returns its first word.
   * @throws CodedError `store_damaged`.
   */
  find(segment: number, offset: number): number {
    const log = this.#log;
    const unwrittenFrom = log.offsetOf(0);
    if (segment === log.segment && offset >= unwrittenFrom) {
      this.bytes = log.buffer;
      this.view = log.view;
      this.found = offset - unwrittenFrom;
      return this.view.getUint32(this.found, true);
    }
    const pages = this.#pages;
    pages.bring(segment, offset);
    this.bytes = pages.bytes;
    this.view = pages.view;
    this.found = offset - pages.offset;
    const lead = this.view.getUint32(this.found, true);
    if (this.found + lengthOf(lead) > pages.length) throw log.damaged(segment, offset);
    return lead;
  }

  /** What was found lies where the log's next appends go. */
  get isUnwritten(): boolean {
    return this.bytes === this.#log.buffer;
  }
}

/** Pages of a segment, side by side. */
class Pages implements Stretch {
  readonly #log: SegmentLog;
  bytes: Buffer = Buffer.allocUnsafeSlow(NEAR_BYTES);
  view = new DataView(this.bytes.buffer);
  segment = 0;
  offset = 0;
  length = 0;
  /** By page: 1 when it was checked. */
  #checked = new Uint8Array(WIDE_PAGES);
  #count = NARROW_PAGES;
  readonly #walk = new BlockWalk();

  constructor(log: SegmentLog) {
    this.#log = log;
  }

  /** Has the page of this place, checked, with all of a longer block that begins in it. */
  bring(segment: number, offset: number): void {
    if (!this.#holds(segment, offset)) this.#load(segment, offset);
    if (!this.#holds(segment, offset)) throw this.#log.damaged(segment, offset);
    const page = (offset - this.offset - (offset % pageBytes)) / pageBytes;
    if (this.#checked[page] === 1) return;
    if (!this.#check(page)) {
      // A longer block, of which the window has only the beginning.
      const end = Math.ceil((this.#walk.bodyEnd - page * pageBytes) / pageBytes);
      this.#read(segment, this.offset + page * pageBytes, end);
      if (!this.#check(0)) throw this.#log.damaged(segment, offset);
    }
  }

  /** What was read of the newest segment is what it was: it is only added to. A cut log is a new log. */
  #holds(segment: number, offset: number): boolean {
    return segment === this.segment && offset >= this.offset && offset + 4 <= this.offset + this.length;
  }

  #load(segment: number, offset: number): void {
    const near = segment === this.segment && Math.abs(offset - this.offset) < NEAR_BYTES;
    this.#count = near ? Math.min(Math.max(2 * this.#count, NEAR_PAGES), WIDE_PAGES) : NARROW_PAGES;
    // Chains are walked from new to old: keep most of the window before the record.
    const page = Math.floor(offset / pageBytes);
    this.#read(segment, Math.max(0, page - this.#count + 1) * pageBytes, this.#count);
  }

  #read(segment: number, offset: number, pages: number): void {
    const bytes = pages * pageBytes;
    if (this.bytes.length < bytes) {
      this.bytes = Buffer.allocUnsafeSlow(bytes);
      this.view = new DataView(this.bytes.buffer);
    }
    if (this.#checked.length < pages) this.#checked = new Uint8Array(pages);
    else this.#checked.fill(0);
    this.segment = segment;
    this.offset = offset;
    this.length = 0; // should the read fail
    this.length = this.#log.read(segment, offset, this.bytes.subarray(0, bytes));
  }

  /** False when a block of the page goes on behind the window. @throws CodedError `store_damaged`. */
  #check(page: number): boolean {
    const end = Math.min((page + 1) * pageBytes, this.length);
    for (let at = page * pageBytes; at < end; at = this.#walk.next) {
      const step = this.#walk.step(this, at);
      if (step === 'end') break;
      if (step === 'short') return false;
      if (step === 'damaged') throw this.#log.damaged(this.segment, this.offset + at);
    }
    this.#checked[page] = 1;
    return true;
  }
}
