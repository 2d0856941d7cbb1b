/**
 * Append-only bytes in segment files, in blocks that end with a checksum. The log itself knows no records: the event
 * store writes them and walks them. A position (segment, offset) that was reported by `write` is the end of a block.
 *
 * Torn tails: a crash can leave half a block, or blocks that no committed position covers. `open` is told the committed
 * position; it cuts what lies past it, and refuses when the files end before it.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { CodedError } from '../errors.ts';
import { writeFailed, writeFully } from './write-fully.ts';

export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}
/** Position of a log that holds nothing. */
export const logStart: LogPosition = { segment: 1, offset: 0 };

export const segmentBytesMax = 64 << 20;
/** Buffered before it is written: one block. */
export const blockBytesMax = 1 << 20;
/** A block's trailer: magic, length of the block before it, its CRC-32C. */
export const TRAILER_BYTES = 12;
const TRAILER_MAGIC = 0xb10c_b10c;

/** Read in one go by a scan: several blocks. */
const SCAN_BYTES = 8 << 20;

const NAME = /^(\d{8})\.seg$/;

export class SegmentLog {
  readonly #folder: string;
  readonly #files = new Map<number, number>();
  readonly #buffer = Buffer.allocUnsafeSlow(blockBytesMax + TRAILER_BYTES);
  /** The buffer again: V8 compiles a DataView's setters to a store, and a Buffer's to four with checks. */
  readonly view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength);
  #buffered = 0;
  #written: number;
  #taken = 0;
  #syncing = false;
  segment: number;
  segmentMin: number;
  /** Taken room for, or, by the store's count, read by its scan. */
  records = 0;

  private constructor(folder: string, segments: readonly number[], end: LogPosition) {
    this.#folder = folder;
    this.segment = end.segment;
    this.segmentMin = segments[0] ?? end.segment;
    this.#written = end.offset;
    for (const segment of segments) this.#files.set(segment, openSync(this.#path(segment), 'r+'));
    if (!this.#files.has(end.segment)) this.#files.set(end.segment, openSync(this.#path(end.segment), 'w+'));
  }

  /** Opens the log as it was at `end`. Throws `store_behind` when the files do not reach so far. */
  static open(folder: string, end: LogPosition): SegmentLog {
    mkdirSync(folder, { recursive: true });
    const all = readdirSync(folder)
      .map((name) => NAME.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
    for (const segment of all.filter((s) => s > end.segment)) unlinkSync(join(folder, fileName(segment)));
    const kept = all.filter((segment) => segment <= end.segment);
    const path = join(folder, fileName(end.segment));
    const size = existsSync(path) ? statSync(path).size : 0;
    const gap = kept.some((segment, index) => index > 0 && segment !== (kept[index - 1] ?? 0) + 1);
    if (size < end.offset || gap || (kept.length > 0 && !kept.includes(end.segment) && end.offset > 0)) {
      throw behind(
        folder,
        `segment ${String(end.segment)} has ${String(size)} of ${String(end.offset)} bytes`,
      );
    }
    const log = new SegmentLog(folder, kept, end);
    ftruncateSync(log.#fd(end.segment), end.offset);
    return log;
  }

  /** Where the next append will lie. */
  get offset(): number {
    return this.#written + this.#buffered;
  }

  /** Room for `bytes` more in one piece: the place in `buffer` to write them to. */
  take(bytes: number): number {
    if (this.#buffered + bytes > blockBytesMax || this.#written + this.#buffered + bytes > segmentBytesMax) {
      this.#makeRoom(bytes);
    }
    const at = this.#buffered;
    this.#buffered += bytes;
    this.#taken += bytes;
    this.records += 1;
    return at;
  }
  /** Offset in the current segment of what `take` placed at `at`. */
  offsetOf(at: number): number {
    return this.#written + at;
  }
  get buffer(): Buffer {
    return this.#buffer;
  }

  get tail(): string {
    return String(this.#taken);
  }

  /** Writes what is buffered as a block; returns the position behind it. */
  write(): LogPosition {
    if (this.#buffered > 0) {
      const length = this.#buffered;
      const buffer = this.#buffer;
      buffer.writeUInt32LE(TRAILER_MAGIC, length);
      buffer.writeUInt32LE(length, length + 4);
      buffer.writeUInt32LE(crc32c(buffer.subarray(0, length)) >>> 0, length + 8);
      writeFully(this.#fd(this.segment), buffer.subarray(0, length + TRAILER_BYTES), this.#written);
      this.#written += length + TRAILER_BYTES;
      this.#buffered = 0;
    }
    return { segment: this.segment, offset: this.#written };
  }

  /** Writes what is buffered, and goes on in a new segment, whose start is returned. */
  roll(): LogPosition {
    if (this.write().offset > 0) this.#nextSegment();
    return { segment: this.segment, offset: 0 };
  }

  /** Asks the disk to keep what was written, without waiting: it bounds what a power failure can take. */
  sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    fdatasync(this.#fd(this.segment), () => {
      this.#syncing = false;
    });
  }

  /** Copies bytes to `into` from a place that was appended before. Returns how many there were. */
  read(segment: number, offset: number, into: Buffer): number {
    if (segment === this.segment && offset >= this.#written) {
      return this.#buffer.copy(into, 0, offset - this.#written, this.#buffered);
    }
    const limit = segment === this.segment ? this.#written - offset : into.length;
    return readSync(this.#fd(segment), into, 0, Math.min(into.length, limit), offset);
  }

  sizeOf(segment: number): number {
    return segment === this.segment ? this.offset : fstatSync(this.#fd(segment)).size;
  }

  /**
   * Calls visit with each whole block from a position on, in order. The bytes are reused.
   * Throws `store_damaged` at a block whose checksum is wrong: everything here lies before a committed position.
   */
  scan(from: LogPosition, visit: (block: Buffer, segment: number, offset: number) => void): void {
    const window = Buffer.allocUnsafeSlow(SCAN_BYTES);
    for (let segment = Math.max(from.segment, this.segmentMin); segment <= this.segment; segment += 1) {
      const start = segment === from.segment ? from.offset : 0;
      this.#scanSegment(window, segment, start, (block, offset) => {
        visit(block, segment, offset);
      });
    }
  }

  /** Closes and deletes segments below this one. */
  dropBelow(segment: number): void {
    while (this.segmentMin < segment && this.segmentMin < this.segment) {
      closeSync(this.#fd(this.segmentMin));
      this.#files.delete(this.segmentMin);
      unlinkSync(this.#path(this.segmentMin));
      this.segmentMin += 1;
    }
  }

  get segments(): readonly number[] {
    return [...this.#files.keys()].sort((a, b) => a - b);
  }

  close(): void {
    for (const fd of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  /** Blocks are not indexed, so a segment is walked: records up to each trailer. A trailer is found by the walker. */
  #scanSegment(
    window: Buffer,
    segment: number,
    start: number,
    visit: (block: Buffer, offset: number) => void,
  ): void {
    const size = segment === this.segment ? this.#written : this.sizeOf(segment);
    const fd = this.#fd(segment);
    for (let begin = start; begin < size;) {
      const length = Math.min(window.length, size - begin);
      for (let got = 0; got < length;) {
        const more = readSync(fd, window, got, length - got, begin + got);
        if (more === 0) throw damaged(this.#path(segment), begin + got);
        got += more;
      }
      const bytes = window.subarray(0, length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      let at = 0;
      for (let end = endOfBlock(view, at); end !== undefined; end = endOfBlock(view, at)) {
        if (crc32c(bytes.subarray(at, end)) >>> 0 !== view.getUint32(end + 8, true)) {
          throw damaged(this.#path(segment), begin + at);
        }
        visit(bytes.subarray(at, end), begin + at);
        at = end + TRAILER_BYTES;
      }
      // The window is larger than a block, so one that does not end in it has no end.
      if (at === 0) throw damaged(this.#path(segment), begin);
      begin += at;
    }
  }

  #makeRoom(bytes: number): void {
    if (bytes > blockBytesMax) {
      throw new CodedError(
        'record_too_large',
        `could not store ${String(bytes)} bytes: a block holds ${String(blockBytesMax)}`,
      );
    }
    if (this.#buffered + bytes > blockBytesMax) this.write();
    if (this.#written + this.#buffered + bytes + TRAILER_BYTES <= segmentBytesMax) return;
    this.write();
    this.#nextSegment();
  }

  #nextSegment(): void {
    const next = this.segment + 1;
    try {
      this.#files.set(next, openSync(this.#path(next), 'w+'));
    } catch (cause) {
      throw writeFailed(cause);
    }
    this.segment = next;
    this.#written = 0;
  }

  #fd(segment: number): number {
    const fd = this.#files.get(segment);
    if (fd === undefined) throw behind(this.#folder, `segment ${String(segment)} is missing`);
    return fd;
  }

  #path(segment: number): string {
    return join(this.#folder, fileName(segment));
  }
}

/** Every record starts with its length in the low 28 bits of a word, so a block is walked from record to record. */
const LENGTH_MASK = 0x0fff_ffff;
export const recordLength = (word: number): number => word & LENGTH_MASK;

function endOfBlock(view: DataView, start: number): number | undefined {
  let at = start;
  while (at + TRAILER_BYTES <= view.byteLength) {
    const word = view.getUint32(at, true);
    if (word === TRAILER_MAGIC && view.getUint32(at + 4, true) === at - start) return at;
    const length = recordLength(word);
    if (length < 4) return undefined;
    at += length;
  }
  return undefined;
}

function damaged(path: string, offset: number): CodedError {
  return new CodedError(
    'store_damaged',
    `could not read ${path}: the block at ${String(offset)} fails its checksum`,
    { hint: 'Move the partition folder away; the service then starts from a snapshot or from the logs.' },
  );
}

function fileName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.seg`;
}

function behind(folder: string, detail: string): CodedError {
  return new CodedError('store_behind', `could not open ${folder} at its mark: ${detail}`, {
    hint: 'The partition starts from a snapshot or from the logs instead.',
  });
}
