/**
 * A table of the stores (lanes, hashes) as of a position in its log, in one file with a checksum: what saves reading the
 * log from its start. It is written and read as it lies in memory.
 *
 * File: u32 length of the head | u32 CRC-32C of it | u32 CRC-32C of the memory | head as JSON | memory, little-endian words.
 *
 * Written beside the one in force and renamed over it, once the disk has it and has the partition's mark: after a power
 * failure the mark may be an older one, and a table that is newer than its mark is of no use. Both are waited for beside
 * the batches that go on.
 */
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { CodedError } from '../../errors.ts';
import type { StoreFiles } from '../files.ts';
import type { LogPosition } from '../segments/log-position.ts';
import { diskFailed, readFully, writeFailed, writeFully, type OpenFile } from '../segments/write-fully.ts';

export const SNAPSHOT_FILE = 'index.snapshot';
export const DRAFT_FILE = `${SNAPSHOT_FILE}.new`;
const LEAD_BYTES = 12;
const HEAD_BYTES_MAX = 16 << 20;
const WORD_BYTES = 4;
export interface TableHead {
  readonly position: LogPosition;
  /** The latest time in each segment, in the store's own unit. */
  readonly latest: readonly (readonly [segment: number, latest: number])[];
}

export interface MemoryTable<Shape = unknown> {
  readonly used: number;
  readonly memory: readonly Uint32Array[];
  /** What is to be known beside the memory, as JSON. */
  readonly shape: Shape;
  /** Becomes a table of this shape, whose memory is then to be filled. */
  reshape(shape: Shape): void;
}

/**
 * Fills the table from the folder's snapshot; undefined when there is none.
 * @throws CodedError `store_damaged`, or `store_behind` when it is newer than `end`.
 */
export function readTable<Shape>(
  files: StoreFiles,
  folder: string,
  end: LogPosition,
  table: MemoryTable<Shape>,
): TableHead | undefined {
  files.remove(join(folder, DRAFT_FILE));
  const path = join(folder, SNAPSHOT_FILE);
  if (!files.exists(path)) return undefined;
  const file = { files, fd: files.open(path, 'r+') };
  try {
    const lead = Buffer.alloc(LEAD_BYTES);
    const headBytes = readFully(file, lead, 0) < LEAD_BYTES ? Infinity : lead.readUInt32LE(0);
    if (headBytes > HEAD_BYTES_MAX) throw damaged(path);
    const head = Buffer.alloc(headBytes);
    readFully(file, head, LEAD_BYTES);
    if (crc32c(head) >>> 0 !== lead.readUInt32LE(4)) throw damaged(path);
    const { shape, words, ...parsed } = JSON.parse(head.toString()) as FileHead<Shape>; // our own, under a checksum
    const at = LEAD_BYTES + headBytes;
    if (files.sizeOf(file.fd) !== at + words * WORD_BYTES) throw damaged(path); // before so much memory is taken
    table.reshape(shape);
    if (readMemory(file, at, table.memory) !== lead.readUInt32LE(8)) throw damaged(path);
    const { position } = parsed;
    if (
      position.segment > end.segment ||
      (position.segment === end.segment && position.offset > end.offset)
    ) {
      throw new CodedError('store_behind', `could not open ${folder}: its index is newer than its mark`);
    }
    return parsed;
  } finally {
    files.close(file.fd);
  }
}

interface FileHead<Shape> extends TableHead {
  readonly shape: Shape;
  /** Of memory. */
  readonly words: number;
}

/** Returns the checksum of what was read. */
function readMemory(file: OpenFile, start: number, memory: readonly Uint32Array[]): number {
  let [at, sum] = [start, 0];
  for (const chunk of memory) {
    const bytes = bytesOf(chunk);
    readFully(file, bytes, at);
    sum = crc32c(bytes, sum);
    at += bytes.length;
  }
  return sum >>> 0;
}

/** A snapshot that has been written and is not in force yet. */
export class TableDraft {
  readonly #folder: string;
  readonly #file: OpenFile;
  readonly position: LogPosition;
  #cancelled = false;

  private constructor(folder: string, file: OpenFile, position: LogPosition) {
    this.#folder = folder;
    this.#file = file;
    this.position = position;
  }

  /** Writes the table as it is now. One at a time in a folder. @throws CodedError `store_write_failed`. */
  static write(files: StoreFiles, folder: string, { head, table }: TableContent): TableDraft {
    const file = { files, fd: openDraft(files, folder) };
    try {
      const { shape, memory } = table;
      const words = memory.reduce((sum, chunk) => sum + chunk.length, 0);
      writeAll(file, Buffer.from(JSON.stringify({ ...head, shape, words })), memory);
      return new TableDraft(folder, file, head.position);
    } catch (error) {
      files.close(file.fd);
      files.remove(join(folder, DRAFT_FILE));
      throw error;
    }
  }

  /**
   * Puts it in force once the disk has it and `marked` has resolved, which says that the disk has its mark and what the
   * mark names; false when it was cancelled meanwhile.
   */
  async keep(marked: Promise<unknown>): Promise<boolean> {
    const { files, fd } = this.#file;
    try {
      await files.sync(fd);
      await marked;
    } catch (cause) {
      throw cause instanceof CodedError ? cause : diskFailed(cause);
    } finally {
      files.close(fd);
    }
    // The folder may be another owner's by now: then nothing of ours is touched in it any more.
    if (this.#cancelled) return false;
    files.rename(join(this.#folder, DRAFT_FILE), join(this.#folder, SNAPSHOT_FILE));
    files.syncFolder(this.#folder); // segments go by it
    return true;
  }

  cancel(): void {
    this.#cancelled = true;
  }
}

export interface TableContent {
  readonly head: TableHead;
  readonly table: MemoryTable;
}

function openDraft(files: StoreFiles, folder: string): number {
  try {
    return files.open(join(folder, DRAFT_FILE), 'w+');
  } catch (cause) {
    throw writeFailed(cause);
  }
}

function writeAll(file: OpenFile, head: Buffer, memory: readonly Uint32Array[]): void {
  writeFully(file, head, LEAD_BYTES);
  let at = LEAD_BYTES + head.length;
  let crc = 0;
  for (const chunk of memory) {
    const bytes = bytesOf(chunk);
    crc = crc32c(bytes, crc);
    writeFully(file, bytes, at);
    at += bytes.length;
  }
  const lead = Buffer.alloc(LEAD_BYTES);
  lead.writeUInt32LE(head.length, 0);
  lead.writeUInt32LE(crc32c(head) >>> 0, 4);
  lead.writeUInt32LE(crc >>> 0, 8);
  writeFully(file, lead, 0);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function damaged(path: string): CodedError {
  return new CodedError('store_damaged', `could not read ${path}: its checksum is wrong`);
}
