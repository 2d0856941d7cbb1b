/**
 * A table of the stores (lanes, hashes) as of a position in its log, in one file with a checksum: what saves reading the
 * log from its start. Only the entries are written, in table order, so both ways are one pass over memory.
 *
 * File: u32 length of the head | u32 CRC-32C of all that follows | head as JSON | entries, little-endian words.
 *
 * Written beside the one in force and renamed over it, once the disk has it and has the partition's mark: after a power
 * failure the mark may be an older one, and a table that is newer than its mark is of no use. Both are waited for beside
 * the batches that go on.
 */
import { closeSync, existsSync, fsync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32c } from '@node-rs/crc32';
import { CodedError } from '../errors.ts';
import { writeFailed, type LogPosition } from './segment-log.ts';

export const SNAPSHOT_FILE = 'index.snapshot';
export const DRAFT_FILE = `${SNAPSHOT_FILE}.new`;
const LEAD_BYTES = 8;
const HEAD_BYTES_MAX = 16 << 20;
/** A multiple of every entry's size in words. */
const CHUNK_WORDS = 24 * 16_384;

export interface TableHead {
  readonly position: LogPosition;
  /** The latest time in each segment, in the store's own unit. */
  readonly latest: readonly (readonly [segment: number, latest: number])[];
  /** Absent in files of the first version, which hold the whole table, empty places included. */
  readonly entries?: number;
}

/** An open-addressed table of entries of a few words. */
export interface SnapshotTable {
  readonly used: number;
  /** Copies entries from place `from` on to `into` until it is full; returns the next place, and words copied. */
  copyEntries(from: number, into: Uint32Array): { readonly next: number; readonly words: number };
  /** Makes room for so many entries in all. */
  reserve(entries: number): void;
  /** Puts entries that copyEntries gave; empty ones are passed over. */
  putEntries(entries: Uint32Array): void;
}

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
    const headBytes = readSync(fd, lead, 0, LEAD_BYTES, 0) < LEAD_BYTES ? Infinity : lead.readUInt32LE(0);
    if (headBytes > HEAD_BYTES_MAX) throw damaged(path);
    const head = Buffer.alloc(headBytes);
    readSync(fd, head, 0, headBytes, LEAD_BYTES);
    let crc = crc32c(head);
    const words = new Uint32Array(CHUNK_WORDS);
    const bytes = Buffer.from(words.buffer);
    let reserved = false;
    for (let at = LEAD_BYTES + headBytes; ;) {
      const got = readFully(fd, bytes, at);
      crc = crc32c(bytes.subarray(0, got), crc);
      if (!reserved) table.reserve(entriesIn(head));
      reserved = true;
      table.putEntries(words.subarray(0, got >>> 2));
      at += got;
      if (got < bytes.length) break;
    }
    if (crc >>> 0 !== lead.readUInt32LE(4)) throw damaged(path);
    const parsed = headIn(head, path);
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

/** Before the checksum is known: a size to begin with, and no more. */
function entriesIn(head: Buffer): number {
  const entries = /"entries":(\d{1,9})[,}]/.exec(head.toString('latin1'))?.[1];
  return Number(entries ?? 0);
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
      writeAll(fd, Buffer.from(JSON.stringify({ ...head, entries: table.used })), table);
      return new TableDraft(folder, fd, head.position);
    } catch (cause) {
      closeSync(fd);
      rmSync(join(folder, DRAFT_FILE), { force: true });
      throw writeFailed(cause);
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
  let crc = crc32c(head);
  let at = LEAD_BYTES;
  const write = (bytes: Buffer): void => {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    }
    at += bytes.length;
  };
  write(head);
  const chunk = new Uint32Array(CHUNK_WORDS);
  for (let from = 0; ;) {
    const { next, words } = table.copyEntries(from, chunk);
    if (words === 0) break;
    const bytes = Buffer.from(chunk.buffer, 0, words * 4);
    crc = crc32c(bytes, crc);
    write(bytes);
    from = next;
  }
  const lead = Buffer.alloc(LEAD_BYTES);
  lead.writeUInt32LE(head.length, 0);
  lead.writeUInt32LE(crc >>> 0, 4);
  at = 0;
  write(lead);
}

/** As much as there is, up to the buffer's size. */
function readFully(fd: number, into: Buffer, position: number): number {
  let done = 0;
  while (done < into.length) {
    const got = readSync(fd, into, done, into.length - done, position + done);
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
