/**
 * Ordered state of a partition in LMDB, behind two layers of changes: those that wait to be written as a group, and the
 * group that waits for the disk to have the segments that its mark names. The open batch changes the first of them in
 * place, and notes what was there before, so that most reads look into one layer and a commit moves nothing. What was read
 * of the file not long ago is in read-cache.ts. The only importer of lmdb.
 */
import { closeSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, TransactionFlags, type Database, type DatabaseOptions, type RootDatabase } from 'lmdb';
import { CodedError } from '../errors.ts';
import { ChangeTable, type Change } from './change-table.ts';
import { keyHash } from './key-hash.ts';
import { keyBytesMax, type KeyedStore } from './ports.ts';
import { ReadCache } from './read-cache.ts';
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
  /** Of the pages that hold entries. */
  readonly bytes: number;
  /** What was found while it was open: its file is not what was written. */
  readonly failure: CodedError | undefined;
  copyTo(folder: string): Promise<void>;
  close(): void;
}

/** Changed entries kept in memory before `committed` writes them out by itself. */
export const overlayEntriesMax = 200_000;

const KEY_AND_CHANGE = 2;
const processCache = new ReadCache();

export class LmdbKeyedStore implements MarkedStore {
  readonly #environment: RootDatabase;
  readonly #state: Database<Buffer, string>;
  readonly #marks: Database<Buffer, Buffer>;
  readonly #folder: string;
  #failure: CodedError | undefined;
  readonly #cache: ReadCache;
  readonly #cached: number;
  #pending = new ChangeTable();
  /** Of the open batch: each key that it changed, and then what that was before in `pending`; in the order of the changes. */
  #before: (string | Change | undefined)[] = [];
  #group = new ChangeTable();

  /** @param cache of the process, as a rule. */
  constructor(folder: string, cache = processCache) {
    this.#folder = folder;
    this.#cache = cache;
    this.#cached = cache.newStore();
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
      });
      this.#state = this.#environment.openDB('state', options);
      this.#marks = this.#environment.openDB({ name: 'marks', encoding: 'binary', keyEncoding: 'binary' });
    } catch (cause) {
      throw failed(folder, cause);
    }
  }

  get(key: string): Buffer | undefined {
    const hash = keyHash(key);
    let layer = this.#pending;
    let at = layer.find(key, hash);
    if (at < 0 && this.#group.size > 0) at = (layer = this.#group).find(key, hash);
    if (at >= 0) return layer.value(at) ?? undefined;
    const cached = this.#cache.get(this.#cached, key, hash);
    if (cached !== undefined) return cached ?? undefined;
    const value = this.#read(key);
    this.#cache.keep(this.#cached, key, hash, value ?? null);
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
    const own = Buffer.allocUnsafe(value.length);
    own.set(value); // Buffer.from takes twice as long
    this.#put(key, own);
  }
  putLate(key: string, encode: () => Buffer): void {
    this.#put(key, encode);
  }
  delete(key: string): void {
    this.#change(key, null);
  }
  #put(key: string, change: Change): void {
    if (key.length * 3 > keyBytesMax && Buffer.byteLength(key) > keyBytesMax) {
      throw new CodedError(
        'key_too_large',
        `could not store a key of ${String(Buffer.byteLength(key))} bytes`,
      );
    }
    this.#change(key, change);
  }
  #change(key: string, change: Change): void {
    this.#before.push(key, this.#pending.set(key, keyHash(key), change));
  }

  scan(from: string, to: string, limit: number): [key: string, value: Buffer][] {
    const most = limit + this.#deletions(from, to);
    const found = new Map<string, Buffer>();
    let end = to;
    try {
      for (const { key, value } of this.#state.getRange({ start: from, end: to, limit: most })) {
        found.set(key, Buffer.from(value));
        if (found.size === most) end = `${key}\0`; // there are enough up to here, whatever was deleted
      }
    } catch (cause) {
      throw this.#wrong(cause);
    }
    const isWithin = rangeOf(from, end);
    for (const layer of [this.#group, this.#pending]) {
      for (let at = 0; at < layer.size; at += 1) {
        const key = layer.key(at);
        if (!isWithin(key)) continue;
        const value = layer.value(at);
        if (value === null) found.delete(key);
        else found.set(key, value);
      }
    }
    return [...found].sort(([a], [b]) => compareKeys(a, b)).slice(0, limit);
  }

  /** Of keys in the range, at most: what waits to be written may be far more than is asked for, so it is not copied. */
  #deletions(from: string, to: string): number {
    const isWithin = rangeOf(from, to);
    let deletions = 0;
    for (const layer of [this.#group, this.#pending]) {
      for (let at = 0; at < layer.size; at += 1) {
        if (layer.isDeletion(at) && isWithin(layer.key(at))) deletions += 1;
      }
    }
    return deletions;
  }

  commit(): void {
    this.#before = [];
  }
  takeBack(): void {
    const before = this.#before;
    for (let at = before.length - KEY_AND_CHANGE; at >= 0; at -= KEY_AND_CHANGE) {
      const key = before[at] as string; // as #change pushes them
      const change = before[at + 1] as Change | undefined; // likewise
      if (change === undefined) this.#pending.removeLast(key, keyHash(key));
      else this.#pending.set(key, keyHash(key), change);
    }
    this.#before = [];
  }
  get openEntries(): number {
    return this.#before.length / KEY_AND_CHANGE;
  }
  get pendingEntries(): number {
    return this.#pending.size + this.#group.size;
  }

  beginGroup(): void {
    this.#group = over(this.#group, this.#pending); // where one was overtaken, there is something in it
    this.#pending = new ChangeTable();
  }

  writeGroup(mark: Buffer): void {
    const changes = this.#group;
    try {
      this.#environment.transactionSync(() => {
        for (let at = 0; at < changes.size; at += 1) {
          const value = changes.value(at);
          if (value === null) this.#state.removeSync(changes.key(at));
          else this.#state.putSync(changes.key(at), value);
        }
        this.#marks.putSync(MARK, mark);
      }, DURABLE_COMMIT);
    } catch (cause) {
      throw this.#wrong(cause);
    }
    for (let at = 0; at < changes.size; at += 1) {
      this.#cache.written(this.#cached, changes.key(at), changes.hash(at), changes.value(at));
    }
    this.#group = new ChangeTable();
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
  get bytes(): number {
    const { pageSize, ...pages } = this.#state.getStats() as PageCounts; // lmdb types it as `{}`
    return pageSize * (pages.treeBranchPageCount + pages.treeLeafPageCount + pages.overflowPages);
  }
  async copyTo(folder: string): Promise<void> {
    await this.#environment.backup(folder, false);
  }
  close(): void {
    // Everything is written by now, or in the journal: what lmdb cannot do on its way out is of no use to anybody.
    this.#environment.close().catch(() => undefined);
  }
}

interface PageCounts {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
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
function over(earlier: ChangeTable, later: ChangeTable): ChangeTable {
  const [most, rest] = earlier.size > later.size ? [earlier, later] : [later, earlier];
  for (let at = 0; at < rest.size; at += 1) {
    if (rest === later || most.find(rest.key(at), rest.hash(at)) < 0) {
      most.set(rest.key(at), rest.hash(at), rest.change(at));
    }
  }
  return most;
}

/** Units from here on may be ordered otherwise in UTF-8. */
const SURROGATES = 0xd800;

/** Whether a key is from the first of these on and before the second, in the order of their bytes, as lmdb has them. */
function rangeOf(from: string, to: string): (key: string) => boolean {
  if (isPlain(from) && isPlain(to)) return (key) => key >= from && key < to;
  return (key) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0;
}

/** Against such a text any other is ordered by units as it is by bytes. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) >= SURROGATES) return false;
  return true;
}

function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const [unit, other] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (unit === other) continue;
    if (unit < SURROGATES && other < SURROGATES) return unit - other;
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}
