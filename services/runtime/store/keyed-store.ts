/**
 * Ordered state of a partition in LMDB, behind layers of changes: those of the open batch, those of committed batches
 * that wait to be written as a group, and the group that waits for the disk to have the segments that its mark names. The
 * only importer of lmdb.
 */
import { closeSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, TransactionFlags, type Database, type DatabaseOptions, type RootDatabase } from 'lmdb';
import { CodedError } from '../errors.ts';
import { keyBytesMax, type KeyedStore } from './ports.ts';
import { utf8Keys } from './utf8-keys.ts';
import { writeFailed } from './segments/write-fully.ts';

/** The keyed store as the one that keeps its mark sees it. */
export interface MarkedStore extends KeyedStore {
  /** The open batch's changes become part of the next group. */
  commit(): void;
  /** The open batch's changes are forgotten. */
  takeBack(): void;
  readonly openEntries: number;
  readonly pendingEntries: number;
  /** What is committed is what the next `writeGroup` writes. One group at a time. */
  beginGroup(): void;
  /** Writes the group and the mark as one; the disk has them when it returns. @throws CodedError `store_write_failed`. */
  writeGroup(mark: Buffer): void;
  mark(): Buffer | undefined;
  /** What was found while it was open: its file is not what was written. */
  readonly failure: CodedError | undefined;
  copyTo(folder: string): Promise<void>;
  close(): void;
}

/** Changed entries kept in memory before `committed` writes them out by itself. */
export const overlayEntriesMax = 200_000;

/**
 * Of addresses, not of memory or of the disk. A file that grows beyond what it was mapped with is mapped once more, and
 * lmdb keeps each mapping with the pages that were read through it: a growing file was in memory twice. Beyond this it
 * grows as before.
 */
const addressBytes = 2 ** 36;

/** A value, what gives it, or null for a deletion. */
type Change = Buffer | (() => Buffer) | null;
type Layer = Map<string, Change>;

export class LmdbKeyedStore implements MarkedStore {
  readonly #environment: RootDatabase;
  readonly #state: Database<Buffer, string>;
  readonly #marks: Database<Buffer, Buffer>;
  readonly #folder: string;
  #failure: CodedError | undefined;
  #open: Layer = new Map();
  #committed: Layer = new Map();
  #group: Layer = new Map();

  constructor(folder: string) {
    this.#folder = folder;
    assertLmdbFile(folder);
    beginOpening(folder);
    const options: DatabaseOptions & { readonly keyEncoder: unknown } = {
      encoding: 'binary',
      keyEncoder: utf8Keys,
    };
    try {
      this.#environment = open({
        path: folder,
        maxDbs: 2,
        encoding: 'binary',
        keyEncoding: 'binary',
        noMemInit: true,
        mapSize: addressBytes,
      });
      this.#state = this.#environment.openDB('state', options);
      this.#marks = this.#environment.openDB({ name: 'marks', encoding: 'binary', keyEncoding: 'binary' });
    } catch (cause) {
      throw failed(folder, cause);
    }
  }

  get(key: string): Buffer | undefined {
    let layer = this.#open;
    let changed = layer.get(key);
    if (changed === undefined) changed = (layer = this.#committed).get(key);
    if (changed === undefined && this.#group.size > 0) changed = (layer = this.#group).get(key);
    if (changed === undefined) return this.#read(key);
    if (typeof changed !== 'function') return changed ?? undefined;
    const value = changed();
    layer.set(key, value);
    return value;
  }

  /** lmdb's own copy is a buffer by itself, which costs more than the look-up. */
  #read(key: string): Buffer | undefined {
    let found: Buffer | undefined;
    try {
      found = this.#state.getBinaryFast(key); // its bytes are those of the next one read
    } catch (cause) {
      throw this.#wrong(cause);
    }
    if (found === undefined) return undefined;
    const { length } = found;
    const value = Buffer.allocUnsafe(length);
    found.copy(value, 0, 0, length);
    return value;
  }

  put(key: string, value: Uint8Array): void {
    this.#change(key, Buffer.from(value));
  }
  putLate(key: string, encode: () => Buffer): void {
    this.#change(key, encode);
  }
  delete(key: string): void {
    this.#open.set(key, null);
  }
  #change(key: string, change: Change): void {
    if (key.length * 3 > keyBytesMax && Buffer.byteLength(key) > keyBytesMax) {
      throw new CodedError(
        'key_too_large',
        `could not store a key of ${String(Buffer.byteLength(key))} bytes`,
      );
    }
    this.#open.set(key, change);
  }

  scan(from: string, to: string, limit: number): [key: string, value: Buffer][] {
    const changes = new Map<string, Buffer | null>();
    const [start, end] = [Buffer.from(from), Buffer.from(to)];
    for (const layer of [this.#group, this.#committed, this.#open]) {
      for (const [key, change] of layer) {
        if (within(Buffer.from(key), start, end)) changes.set(key, valueOf(change));
      }
    }
    const deleted = [...changes.values()].filter((value) => value === null).length;
    const found = new Map<string, Buffer>();
    try {
      for (const { key, value } of this.#state.getRange({ start: from, end: to, limit: limit + deleted })) {
        found.set(key, Buffer.from(value));
      }
    } catch (cause) {
      throw this.#wrong(cause);
    }
    for (const [key, value] of changes) {
      if (value === null) found.delete(key);
      else found.set(key, value);
    }
    return [...found].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).slice(0, limit);
  }

  commit(): void {
    this.#committed = over(this.#committed, this.#open);
    this.#open = new Map();
  }
  takeBack(): void {
    this.#open = new Map();
  }
  get openEntries(): number {
    return this.#open.size;
  }
  get pendingEntries(): number {
    return this.#committed.size + this.#group.size;
  }

  beginGroup(): void {
    this.#group = over(this.#group, this.#committed); // where one was overtaken, there is something in it
    this.#committed = new Map();
  }

  writeGroup(mark: Buffer): void {
    const changes = this.#group;
    try {
      this.#environment.transactionSync(() => {
        for (const [key, change] of changes) {
          const value = valueOf(change);
          if (value === null) this.#state.removeSync(key);
          else this.#state.putSync(key, value);
        }
        this.#marks.putSync(MARK, mark);
      }, DURABLE_COMMIT);
    } catch (cause) {
      throw this.#wrong(cause);
    }
    this.#group = new Map();
  }

  get failure(): CodedError | undefined {
    return this.#failure;
  }
  /** What the operation is given up with; of a damaged file the partition's folder is put away when it is closed. */
  #wrong(cause: unknown): CodedError {
    const error = failed(this.#folder, cause);
    if (error.code === 'store_damaged') this.#failure = error;
    return error;
  }

  mark(): Buffer | undefined {
    try {
      const mark = this.#marks.get(MARK);
      rmSync(join(this.#folder, OPENING), { force: true });
      return mark;
    } catch (cause) {
      throw this.#wrong(cause);
    }
  }
  async copyTo(folder: string): Promise<void> {
    await this.#environment.backup(folder, false);
  }
  close(): void {
    // Everything is written by now, or in the journal: what lmdb cannot do on its way out is of no use to anybody.
    this.#environment.close().catch(() => undefined);
  }
}

/** How often in a row it was begun to open the file; away once its mark was read. */
const OPENING = 'opening';
/** Killed so often within the milliseconds of opening, a process was not killed by chance. */
const openingsMax = 3;

/**
 * lmdb follows what stands in its pages out of the file, and the process ends with SIGBUS, which nobody can catch: so it is
 * written down before, and the start after some such ends finds it.
 */
function beginOpening(folder: string): void {
  const path = join(folder, OPENING);
  let begun = 0;
  try {
    begun = Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    // it was opened whole the last time
  }
  if (begun >= openingsMax)
    throw failed(folder, `MDB_INVALID: the process ended ${String(begun)} times as it was opened`);
  try {
    writeFileSync(path, String(begun + 1));
  } catch {
    // a full disk; whoever writes will say so
  }
}

const META_MAGIC = 0xbeef_c0de;
/** In the first page and the second: what lmdb knows its files by; in the first, how large a page is. */
const META_AT = 24;
const PAGE_SIZE_AT = 48;

/** lmdb maps the file and believes it: the process ends, with no error, over one that does not begin as its files do. */
function assertLmdbFile(folder: string): void {
  const path = join(folder, 'data.mdb');
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return; // it is made anew, and has no mark
  const fd = openSync(path, 'r');
  try {
    const word = Buffer.alloc(4);
    const read = (at: number): number => (readSync(fd, word, 0, 4, at) < 4 ? 0 : word.readUInt32LE());
    const pageBytes = read(PAGE_SIZE_AT);
    const isOurs = read(META_AT) === META_MAGIC && read(pageBytes + META_AT) === META_MAGIC;
    if (!isOurs || size < 2 * pageBytes) throw failed(folder, 'MDB_INVALID: it does not begin as it should');
  } finally {
    closeSync(fd);
  }
}

/** MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID and their like: the file is not one that lmdb wrote, or not all of it. */
const DAMAGE = /MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|VERSION_MISMATCH|PANIC)|not an LMDB file|corrupt/i;

function failed(folder: string, cause: unknown): CodedError {
  if (!DAMAGE.test(String(cause))) return writeFailed(cause);
  return new CodedError('store_damaged', `could not use ${folder}: ${String(cause)}`, { cause });
}

const MARK = Buffer.from('mark');
/** Waits for the disk, as lmdb does anyway when it is told not to: a mark must not be half there. */
const DURABLE_COMMIT = (TransactionFlags.ABORTABLE | TransactionFlags.SYNCHRONOUS_COMMIT) as TransactionFlags; // a set of them, which an enum's type does not say

/** The later changes over the earlier ones. Both are given up; the smaller is what is gone through. */
function over(earlier: Layer, later: Layer): Layer {
  if (earlier.size > later.size) {
    for (const [key, change] of later) earlier.set(key, change);
    return earlier;
  }
  for (const [key, change] of earlier) if (!later.has(key)) later.set(key, change);
  return later;
}

function valueOf(change: Change): Buffer | null {
  return typeof change === 'function' ? change() : change;
}

function within(key: Buffer, start: Buffer, end: Buffer): boolean {
  return Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0;
}
