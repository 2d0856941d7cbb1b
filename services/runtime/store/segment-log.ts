/**
 * Append-only bytes in segment files, in blocks that begin with their length and checksum. The log itself knows no
 * records: the stores write them and walk them. A position (segment, offset) that was reported by `write` is the end of a
 * block. Nothing that was appended lies at offset 0.
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
/** A block's header: magic, length of what follows, its CRC-32C. */
const HEADER_BYTES = 12;
const HEADER_MAGIC = 0xb10c_b10d;

/** Read in one go by a scan: several blocks. */
const SCAN_BYTES = 8 << 20;

const NAME = /^(\d{8})\.seg$/;

export class SegmentLog {
  readonly #folder: string;
  readonly #files = new Map<number, number>();
  readonly #buffer = Buffer.allocUnsafeSlow(blockBytesMax);
  /** The buffer again: V8 compiles a DataView's setters to a store, and a Buffer's to four with checks. */
  readonly view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength);
  /** Of the block's bytes, its header included; 0 while there is none. */
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
    let at = Math.max(this.#buffered, HEADER_BYTES);
    if (at + bytes > blockBytesMax || this.#written + at + bytes > segmentBytesMax) {
      this.#makeRoom(bytes);
      at = HEADER_BYTES;
    }
    this.#buffered = at + bytes;
    this.#taken += bytes;
    this.records += 1;
    return at;
  }
  /** Whether what `take` placed at `at` is the first of its block. */
  beginsBlock(at: number): boolean {
    return at === HEADER_BYTES;
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
      const block = this.#buffer.subarray(0, this.#buffered);
      block.writeUInt32LE(HEADER_MAGIC, 0);
      block.writeUInt32LE(block.length - HEADER_BYTES, 4);
      block.writeUInt32LE(crc32c(block.subarray(HEADER_BYTES)) >>> 0, 8);
      writeFully(this.#fd(this.segment), block, this.#written);
      this.#written += block.length;
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

  /** Reads what was written, from this place on, into `into`. Returns how many bytes there were. */
  read(segment: number, offset: number, into: Buffer): number {
    const limit = segment === this.segment ? this.#written - offset : into.length;
    return readSync(this.#fd(segment), into, 0, Math.min(into.length, limit), offset);
  }

  sizeOf(segment: number): number {
    return segment === this.segment ? this.offset : fstatSync(this.#fd(segment)).size;
  }

  /**
   * Calls visit with what was appended in each block from a position on, in order. The bytes are reused.
   * Throws `store_damaged` at a block whose checksum is wrong: everything here lies before a committed position.
   */
  scan(from: LogPosition, visit: (block: Buffer, segment: number, offset: number) => void): void {
    const window = Buffer.allocUnsafeSlow(SCAN_BYTES);
    for (let segment = Math.max(from.segment, this.segmentMin); segment <= this.segment; segment += 1) {
      const start = segment === from.segment ? from.offset : 0;
      this.#scanSegment(window, segment, start, visit);
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

  #scanSegment(
    window: Buffer,
    segment: number,
    start: number,
    visit: (block: Buffer, segment: number, offset: number) => void,
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
        const block = bytes.subarray(at + HEADER_BYTES, end);
        if (crc32c(block) >>> 0 !== view.getUint32(at + 8, true)) {
          throw damaged(this.#path(segment), begin + at);
        }
        visit(block, segment, begin + at + HEADER_BYTES);
        at = end;
      }
      // The window is larger than a block, so one that does not end in it has no end.
      if (at === 0) throw damaged(this.#path(segment), begin);
      begin += at;
    }
  }

  #makeRoom(bytes: number): void {
    if (bytes > blockBytesMax - HEADER_BYTES) {
      throw new CodedError(
        'record_too_large',
        `could not store ${String(bytes)} bytes: a block holds ${String(blockBytesMax - HEADER_BYTES)}`,
      );
    }
    this.write();
    if (this.#written + HEADER_BYTES + bytes > segmentBytesMax) this.#nextSegment();
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

/** Of the block that begins here; undefined when it is not whole. */
function endOfBlock(view: DataView, start: number): number | undefined {
  if (start + HEADER_BYTES > view.byteLength || view.getUint32(start, true) !== HEADER_MAGIC)
    return undefined;
  const end = start + HEADER_BYTES + view.getUint32(start + 4, true);
  return end <= view.byteLength ? end : undefined;
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
