/**
 * A table of the stores (lanes, hashes) as of a position in its log, in one file with a checksum: what saves reading the
 * log from its start. A table that has nothing but its memory is written and read as it lies there; of another the entries
 * alone are, in table order, so that both ways are one pass.
 *
 * File: u32 length of the head | u32 CRC-32C of all that follows | head as JSON | entries, little-endian words.
 *
 * Written beside the one in force and renamed over it, once the disk has it and has the partition's mark: after a power
 * failure the mark may be an older one, and a table that is newer than its mark is of no use. Both are waited for beside
 * the batches that go on.
 */
import { closeSync, existsSync, fstatSync, fsync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32c } from '@node-rs/crc32';
import { CodedError } from '../errors.ts';
import type { LogPosition } from './segment-log.ts';
import { CALL_BYTES_MAX, writeFully } from './write-fully.ts';

export const SNAPSHOT_FILE = 'index.snapshot';
export const DRAFT_FILE = `${SNAPSHOT_FILE}.new`;
const LEAD_BYTES = 8;
const HEAD_BYTES_MAX = 16 << 20;
const WORD_BYTES = 4;
/** A multiple of every entry's size in words. */
const CHUNK_WORDS = 24 * 16_384;

export interface TableHead {
  readonly position: LogPosition;
  /** The latest time in each segment, in the store's own unit. */
  readonly latest: readonly (readonly [segment: number, latest: number])[];
  /** Entries in use. Absent in files of the first version, which hold a table's memory by places of another kind. */
  readonly entries?: number;
  /** Words of memory that follow; absent: entries follow. */
  readonly memory?: number;
}

/** An open-addressed table that is written as its memory. */
export interface MemoryTable {
  readonly used: number;
  readonly memory: Uint32Array;
  /** Becomes the table whose memory this was. */
  adopt(memory: Uint32Array, used: number): void;
  /** Entries of a file of the first version, empty ones among them. */
  putEntries(entries: Uint32Array): void;
}
/** One that is written as its entries, of a few words each. */
export interface EntryTable {
  readonly used: number;
  /** Copies entries from place `from` on to `into` until it is full; returns the next place, and words copied. */
  copyEntries(from: number, into: Uint32Array): { readonly next: number; readonly words: number };
  /** Makes room for so many entries in all. */
  reserve(entries: number): void;
  /** Puts entries that copyEntries gave. */
  putEntries(entries: Uint32Array): void;
}
export type SnapshotTable = MemoryTable | EntryTable;

/**
 * Fills the table from the folder's snapshot; undefined when there is none.
 * @throws CodedError `store_damaged`, or `store_behind` when it is newer than `end`.
 */
export function readTable(folder: string, end: LogPosition, table: SnapshotTable): TableHead | undefined {
  rmSync(join(folder, DRAFT_FILE), { force: true });
  const path = join(folder, SNAPSHOT_FILE);
  if (!existsSync(path)) return undefined;
  const fd = openSync(path, 'r');
  try {
    const lead = Buffer.alloc(LEAD_BYTES);
    const headBytes = readFully(fd, lead, 0) < LEAD_BYTES ? Infinity : lead.readUInt32LE(0);
    if (headBytes > HEAD_BYTES_MAX) throw damaged(path);
    const head = Buffer.alloc(headBytes);
    readFully(fd, head, LEAD_BYTES);
    const parsed = headIn(head, path);
    const body: Body = {
      fd,
      path,
      at: LEAD_BYTES + headBytes,
      crc: crc32c(head),
      wanted: lead.readUInt32LE(4),
    };
    if ('adopt' in table && parsed.memory !== undefined) readMemory(body, parsed, table);
    else readEntries(body, parsed, table);
    const { position } = parsed;
    if (
      position.segment > end.segment ||
      (position.segment === end.segment && position.offset > end.offset)
    ) {
      throw new CodedError('store_behind', `could not open ${folder}: its index is newer than its mark`);
    }
    return parsed;
  } finally {
    closeSync(fd);
  }
}

/** The checksum does not cover where the head ends. */
function headIn(bytes: Buffer, path: string): TableHead {
  try {
    return JSON.parse(bytes.toString()) as TableHead; // our own, under a checksum
  } catch {
    throw damaged(path);
  }
}

interface Body {
  readonly fd: number;
  readonly path: string;
  readonly at: number;
  /** Of the head. */
  readonly crc: number;
  readonly wanted: number;
}

function readMemory({ fd, path, at, crc, wanted }: Body, head: TableHead, table: MemoryTable): void {
  const words = head.memory ?? 0;
  if (fstatSync(fd).size !== at + words * WORD_BYTES) throw damaged(path); // before so much is taken
  const memory = new Uint32Array(words);
  const bytes = Buffer.from(memory.buffer);
  readFully(fd, bytes, at);
  if (crc32c(bytes, crc) >>> 0 !== wanted) throw damaged(path);
  table.adopt(memory, head.entries ?? 0);
}

function readEntries({ fd, path, at, crc, wanted }: Body, head: TableHead, table: SnapshotTable): void {
  const sizeMax = fstatSync(fd).size / WORD_BYTES;
  if ('reserve' in table) table.reserve(Math.min(head.entries ?? 0, sizeMax));
  const words = new Uint32Array(CHUNK_WORDS);
  const bytes = Buffer.from(words.buffer);
  let [place, sum] = [at, crc];
  for (let got = bytes.length; got === bytes.length; place += got) {
    got = readFully(fd, bytes, place);
    sum = crc32c(bytes.subarray(0, got), sum);
    table.putEntries(words.subarray(0, Math.floor(got / WORD_BYTES)));
  }
  if (sum >>> 0 !== wanted) throw damaged(path);
}

/** A snapshot that has been written and is not in force yet. */
export class TableDraft {
  readonly #folder: string;
  readonly #fd: number;
  readonly position: LogPosition;
  #cancelled = false;

  private constructor(folder: string, fd: number, position: LogPosition) {
    this.#folder = folder;
    this.#fd = fd;
    this.position = position;
  }

  /** Writes the table as it is now. One at a time in a folder. @throws CodedError `store_write_failed`. */
  static write(folder: string, head: TableHead, table: SnapshotTable): TableDraft {
    const fd = openSync(join(folder, DRAFT_FILE), 'w');
    try {
      const memory = 'memory' in table ? { memory: table.memory.length } : {};
      writeAll(fd, Buffer.from(JSON.stringify({ ...head, entries: table.used, ...memory })), table);
      return new TableDraft(folder, fd, head.position);
    } catch (error) {
      closeSync(fd);
      rmSync(join(folder, DRAFT_FILE), { force: true });
      throw error;
    }
  }

  /** Puts it in force once the disk has it and `marked` has resolved; false when it was cancelled meanwhile. */
  async keep(marked: Promise<unknown>): Promise<boolean> {
    try {
      await promisify(fsync)(this.#fd);
      await marked;
    } finally {
      closeSync(this.#fd);
    }
    // The folder may be another owner's by now: then nothing of ours is touched in it any more.
    if (this.#cancelled) return false;
    renameSync(join(this.#folder, DRAFT_FILE), join(this.#folder, SNAPSHOT_FILE));
    return true;
  }

  cancel(): void {
    this.#cancelled = true;
  }
}

function writeAll(fd: number, head: Buffer, table: SnapshotTable): void {
  let crc = 0;
  let at = LEAD_BYTES;
  for (const bytes of partsOf(head, table)) {
    crc = crc32c(bytes, crc);
    writeFully(fd, bytes, at);
    at += bytes.length;
  }
  const lead = Buffer.alloc(LEAD_BYTES);
  lead.writeUInt32LE(head.length, 0);
  lead.writeUInt32LE(crc >>> 0, 4);
  writeFully(fd, lead, 0);
}

/** Each is used up before the next. */
function* partsOf(head: Buffer, table: SnapshotTable): Generator<Buffer> {
  yield head;
  if ('memory' in table) {
    const { buffer, byteOffset, byteLength } = table.memory;
    yield Buffer.from(buffer, byteOffset, byteLength);
    return;
  }
  const chunk = new Uint32Array(CHUNK_WORDS);
  for (let from = 0; ;) {
    const { next, words } = table.copyEntries(from, chunk);
    if (words === 0) return;
    yield Buffer.from(chunk.buffer, 0, words * WORD_BYTES);
    from = next;
  }
}

/** As much as there is, up to the buffer's size. */
function readFully(fd: number, into: Buffer, position: number): number {
  let done = 0;
  while (done < into.length) {
    const got = readSync(fd, into, done, Math.min(into.length - done, CALL_BYTES_MAX), position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

function damaged(path: string): CodedError {
  return new CodedError('store_damaged', `could not read ${path}: its checksum is wrong`, {
    hint: 'Move the partition folder away; the service then starts from a snapshot or from the logs.',
  });
}
