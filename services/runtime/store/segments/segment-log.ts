/**
 * Append-only bytes in segment files, in blocks with a checksum (blocks.ts). The log itself knows no records: the stores
 * write them and walk them. A position (segment, offset) that was reported by `write` is the end of a block. Nothing that
 * was appended lies at offset 0.
 *
 * Torn tails: a crash can leave half a block, or blocks that no committed position covers. `open` is told the committed
 * position; it cuts what lies past it, and refuses when the files end before it. So a position may be named by something
 * durable only once `sync` has resolved: what it covers must not be what a power failure takes.
 */
import { join } from 'node:path';
import { CodedError } from '../../errors.ts';
import {
  behind,
  blockBytesMax,
  endMark,
  headerBytes,
  mayBegin,
  pageBytes,
  roomIn,
  writeFiller,
  writeHeader,
} from './blocks.ts';
import type { LogDisk, StoreFiles } from '../files.ts';
import type { LogPosition } from './log-position.ts';
import { SegmentScan, type BlockVisit } from './segment-scan.ts';
import { Unsynced } from './unsynced.ts';
import { diskFailed, readFully, writeFailed, writeFully, type OpenFile } from './write-fully.ts';

/** What a mark says of a log: where it ends, and the first segment that it has. */
export interface LogMark extends LogPosition {
  readonly from: number;
}
/** Of a log that holds nothing. */
export const logStart: LogMark = { segment: 1, offset: 0, from: 1 };

export const segmentBytesMax = 64 << 20;
const recordBytesMax = blockBytesMax - headerBytes;

const NAME = /^(\d{8})\.seg$/;

export class SegmentLog {
  readonly #files: StoreFiles;
  readonly #segmentBytesMax: number;
  readonly #folder: string;
  readonly #fds = new Map<number, number>();
  /** A longer block is filled up to the end of its page. */
  readonly #buffer = Buffer.allocUnsafeSlow(blockBytesMax + 2 * pageBytes);
  /** The buffer again: V8 compiles a DataView's setters to a store, and a Buffer's to four with checks. */
  readonly view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength);
  #buffered = 0;
  /** Where the open block begins in the buffer; negative: none is open. */
  #block = -1;
  /** How far the open block may reach. */
  #blockLimit = 0;
  #written: number;
  #taken = 0;
  readonly #unsynced: Unsynced;
  #isClosed = false;
  /** Why nothing of this log can be trusted any more. */
  failure: CodedError | undefined;
  segment: number;
  segmentMin: number;
  /** Segments below may go once a mark has said so: else one that is lost would pass for one that has expired. */
  neededFrom: number;
  /** Taken room for, or, by the store's count, read by its scan. */
  records = 0;

  private constructor(disk: LogDisk, folder: string, segments: readonly number[], end: LogPosition) {
    const { files } = disk;
    this.#files = files;
    this.#segmentBytesMax = disk.segmentBytesMax;
    this.#folder = folder;
    this.segment = end.segment;
    this.segmentMin = segments[0] ?? end.segment;
    this.neededFrom = this.segmentMin;
    this.#written = end.offset;
    this.#unsynced = new Unsynced({
      sync: (segment) => files.sync(this.#fd(segment)),
      syncNow: (segment) => {
        files.syncNow(this.#fd(segment));
      },
      syncFolder: () => {
        files.syncFolder(folder);
      },
      failed: (error) => this.#failed(error),
    });
    this.#unsynced.madeFile(); // so may a process have that ended before it could sync
    for (const segment of segments) this.#fds.set(segment, files.open(this.#path(segment), 'r+'));
    if (!this.#fds.has(end.segment)) this.#make(end.segment);
  }

  /** Opens the log as it was at `end`. @throws CodedError `store_behind` or `store_damaged`. */
  static open(disk: LogDisk, folder: string, end: LogMark): SegmentLog {
    const { files } = disk;
    files.makeFolder(folder);
    const all = files
      .list(folder)
      .map((name) => NAME.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
    const isMarked = (segment: number): boolean => segment >= end.from && segment <= end.segment;
    for (const segment of all) if (!isMarked(segment)) files.remove(join(folder, fileName(segment)));
    const kept = all.filter(isMarked);
    const gap = kept.find((segment, index) => index > 0 && segment !== (kept[index - 1] ?? 0) + 1);
    if (gap !== undefined) throw missing(folder, `there is no segment before ${String(gap)}`);
    if (end.segment > 1 || end.offset > 0) {
      for (const segment of [end.from, end.segment]) {
        if (!kept.includes(segment)) throw missing(folder, `segment ${String(segment)} is missing`);
      }
    }
    const log = new SegmentLog(disk, folder, kept, end);
    try {
      log.#assertWhole();
    } catch (error) {
      log.close();
      throw error;
    }
    files.truncate(log.#fd(end.segment), end.offset);
    return log;
  }

  /** Where the next append will lie, or shortly before. */
  get offset(): number {
    return this.#written + this.#buffered;
  }

  /** Room for `bytes` more in one piece: the place in `buffer` to write them to. */
  take(bytes: number): number {
    let at = this.#buffered;
    if (at + bytes > this.#blockLimit) at = this.#beginBlock(bytes);
    this.#buffered = at + bytes;
    this.#taken += bytes;
    this.records += 1;
    return at;
  }
  /** Whether what `take` placed at `at` is the first of its block. */
  beginsBlock(at: number): boolean {
    return at === this.#block + headerBytes;
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

  needFrom(segment: number): void {
    this.neededFrom = Math.max(this.neededFrom, Math.min(segment, this.segment));
  }

  /** Writes what is buffered; returns the position behind it. */
  write(): LogPosition {
    if (this.#buffered > 0) {
      this.#endBlock();
      this.#unsynced.wrote(this.segment);
      writeFully(this.#file(this.segment), this.#buffer.subarray(0, this.#buffered), this.#written);
      this.#written += this.#buffered;
      this.#buffered = 0;
    }
    return { segment: this.segment, offset: this.#written };
  }

  /** Writes what is buffered, and goes on in a new segment, whose start is returned. */
  roll(): LogPosition {
    if (this.write().offset > 0) this.#nextSegment();
    return { segment: this.segment, offset: 0 };
  }

  /**
   * Resolves once the disk has what was written before the call, in whichever segments; one at a time.
   * @throws CodedError `store_disk_failed`: the log is of no use any more.
   */
  async sync(): Promise<void> {
    try {
      await this.#unsynced.sync();
    } finally {
      if (this.#isClosed) this.#closeFiles();
    }
  }
  /** The same, while everything waits. */
  syncNow(): void {
    this.#unsynced.syncNow();
  }

  /** Reads what was written, from this place on, into `into`. Returns how many bytes there were. */
  read(segment: number, offset: number, into: Buffer): number {
    const limit = segment === this.segment ? this.#written - offset : into.length;
    try {
      return this.#files.read(this.#fd(segment), into, 0, Math.min(into.length, limit), offset);
    } catch (cause) {
      throw this.#failed(cause instanceof CodedError ? cause : diskFailed(cause));
    }
  }

  sizeOf(segment: number): number {
    return segment === this.segment ? this.offset : this.#files.sizeOf(this.#fd(segment));
  }

  /**
   * Calls visit with what was appended in each block from a position on, in order. The bytes are reused.
   * Throws `store_damaged` at a block whose checksum is wrong: everything here lies before a committed position.
   */
  scan(from: LogPosition, visit: BlockVisit): void {
    const scan = new SegmentScan();
    for (let segment = Math.max(from.segment, this.segmentMin); segment <= this.segment; segment += 1) {
      const isNewest = segment === this.segment;
      const bytes = isNewest ? this.#written : this.sizeOf(segment);
      const damaged = this.damaged.bind(this);
      const offset = segment === from.segment ? from.offset : 0;
      scan.read({ file: this.#file(segment), bytes, isNewest, damaged }, { segment, offset }, visit);
    }
  }

  /** What lies behind this position can be scanned; a table that is gone does not reach so far. */
  assertHas({ segment }: LogPosition): void {
    if (segment >= this.segmentMin) return;
    throw missing(this.#folder, `it has no table that reaches to segment ${String(this.segmentMin)}`);
  }

  /**
   * Closes and deletes segments below this one. Not before the folder is synced: the table that they are not needed with
   * may have got its name a moment ago, and in a power failure could lose it while they are gone.
   */
  dropBelow(segment: number): void {
    if (this.#unsynced.isFolderNew) return;
    while (this.segmentMin < segment && this.segmentMin < this.segment) {
      if (this.#unsynced.isUnderWay(this.segmentMin)) return;
      this.#files.close(this.#fd(this.segmentMin));
      this.#fds.delete(this.segmentMin);
      this.#unsynced.dropped(this.segmentMin);
      this.#files.remove(this.#path(this.segmentMin));
      this.segmentMin += 1;
    }
  }

  get segments(): readonly number[] {
    return [...this.#fds.keys()].sort((a, b) => a - b);
  }

  /** A sync that is under way ends first. */
  close(): void {
    this.#isClosed = true;
    if (!this.#unsynced.isBusy) this.#closeFiles();
  }

  /** What lies here is not what was written: remembered, so that whoever closes the log knows. */
  damaged(segment: number, offset: number): CodedError {
    const path = this.#path(segment);
    return this.#failed(
      new CodedError('store_damaged', `could not read ${path}: the block at ${String(offset)} is damaged`),
    );
  }

  #failed(failure: CodedError): CodedError {
    this.failure ??= failure;
    return failure;
  }

  /** Segments that were gone on from are as long as they were; the newest reaches to its position. */
  #assertWhole(): void {
    const mark = Buffer.alloc(headerBytes);
    for (const segment of this.#fds.keys()) {
      const size = this.#files.sizeOf(this.#fd(segment));
      if (segment === this.segment) {
        if (size >= this.#written) continue;
        const has = `has ${String(size)} of ${String(this.#written)} bytes`;
        throw missing(this.#folder, `segment ${String(segment)} ${has}`);
      }
      const offset = size - headerBytes;
      const got = offset < 0 ? 0 : readFully(this.#file(segment), mark, offset);
      if (got < headerBytes || !mark.equals(endMark({ segment, offset }).bytes))
        throw this.damaged(segment, size);
    }
  }

  /** Where the first record of a new block goes in the buffer. */
  #beginBlock(bytes: number): number {
    if (bytes > recordBytesMax) throw tooLarge(bytes);
    this.#endBlock();
    const needed = headerBytes + bytes + 2 * pageBytes; // with what fills pages up, before and behind
    if (this.#buffered + needed > this.#buffer.length) this.write();
    if (this.offset + needed > this.#segmentBytesMax) {
      this.write();
      this.#nextSegment();
    }
    const room = roomIn(this.offset);
    if (!mayBegin(this.offset, bytes)) {
      writeFiller(this.#buffer.subarray(this.#buffered, this.#buffered + room));
      this.#buffered += room;
    }
    this.#block = this.#buffered;
    const at = this.#block + headerBytes;
    this.#blockLimit = Math.max(at + bytes, this.#block + roomIn(this.offset));
    return at;
  }

  #endBlock(): void {
    if (this.#block < 0) return;
    const [start, end] = [this.offsetOf(this.#block), this.offset];
    const block = this.#buffer.subarray(this.#block, this.#buffered);
    writeHeader(block, { segment: this.segment, offset: start });
    const next = behind(start, end) - this.#written;
    this.#buffer.fill(0, this.#buffered, next);
    this.#buffered = next;
    this.#block = -1;
    this.#blockLimit = 0;
  }

  /** Everything is written. */
  #nextSegment(): void {
    const mark = endMark({ segment: this.segment, offset: this.#written });
    writeFully(this.#file(this.segment), mark.bytes, mark.offset);
    this.#unsynced.wrote(this.segment);
    const next = this.segment + 1;
    try {
      this.#make(next);
    } catch (cause) {
      throw writeFailed(cause);
    }
    this.segment = next;
    this.#written = 0;
  }

  #make(segment: number): void {
    this.#fds.set(segment, this.#files.open(this.#path(segment), 'w+'));
    this.#unsynced.madeFile();
  }
  #closeFiles(): void {
    for (const fd of this.#fds.values()) this.#files.close(fd);
    this.#fds.clear();
  }

  #file(segment: number): OpenFile {
    return { files: this.#files, fd: this.#fd(segment) };
  }
  #fd(segment: number): number {
    const fd = this.#fds.get(segment);
    if (fd === undefined) throw missing(this.#folder, `segment ${String(segment)} is missing`);
    return fd;
  }

  #path(segment: number): string {
    return join(this.#folder, fileName(segment));
  }
}

function tooLarge(bytes: number): CodedError {
  const detail = `a block holds ${String(recordBytesMax)}`;
  return new CodedError('record_too_large', `could not store ${String(bytes)} bytes: ${detail}`);
}

function fileName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.seg`;
}

function missing(folder: string, detail: string): CodedError {
  return new CodedError('store_behind', `could not open ${folder} at its mark: ${detail}`);
}
