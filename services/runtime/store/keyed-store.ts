/**
 * Ordered state of a partition in LMDB, behind two layers of changes: those of the open batch, and those of committed
 * batches that wait to be written as a group. The only importer of lmdb.
 */
import { open, TransactionFlags, type Database, type RootDatabase } from 'lmdb';
import { CodedError } from '../errors.ts';
import { keyBytesMax, type KeyedStore } from './ports.ts';
import { writeFailed } from './write-fully.ts';

/** Changed entries kept in memory before `committed` writes them out by itself. */
export const overlayEntriesMax = 200_000;

/** A value, what gives it, or null for a deletion. */
type Change = Buffer | (() => Buffer) | null;
type Layer = Map<string, Change>;

export class LmdbKeyedStore implements KeyedStore {
  readonly #environment: RootDatabase;
  readonly #state: Database<Buffer, Buffer>;
  readonly #marks: Database<Buffer, Buffer>;
  #open: Layer = new Map();
  #committed: Layer = new Map();

  constructor(folder: string) {
    this.#environment = open({
      path: folder,
      maxDbs: 2,
      encoding: 'binary',
      keyEncoding: 'binary',
      noMemInit: true,
    });
    this.#state = this.#environment.openDB({ name: 'state', encoding: 'binary', keyEncoding: 'binary' });
    this.#marks = this.#environment.openDB({ name: 'marks', encoding: 'binary', keyEncoding: 'binary' });
  }

  get(key: string): Buffer | undefined {
    for (const layer of [this.#open, this.#committed]) {
      const changed = layer.get(key);
      if (changed === undefined) continue;
      if (typeof changed !== 'function') return changed ?? undefined;
      const value = changed();
      layer.set(key, value);
      return value;
    }
    return this.#state.get(Buffer.from(key));
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
    for (const layer of [this.#committed, this.#open]) {
      for (const [key, change] of layer) {
        if (within(Buffer.from(key), start, end)) changes.set(key, valueOf(change));
      }
    }
    const deleted = [...changes.values()].filter((value) => value === null).length;
    const found = new Map<string, Buffer>();
    for (const { key, value } of this.#state.getRange({ start, end, limit: limit + deleted })) {
      found.set(key.toString(), Buffer.from(value));
    }
    for (const [key, value] of changes) {
      if (value === null) found.delete(key);
      else found.set(key, value);
    }
    return [...found].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).slice(0, limit);
  }

  /** The open batch's changes become part of the next group. */
  commit(): void {
    for (const [key, value] of this.#open) this.#committed.set(key, value);
    this.#open = new Map();
  }
  get openEntries(): number {
    return this.#open.size;
  }
  get pendingEntries(): number {
    return this.#committed.size;
  }

  /** Writes the group and the mark in one LMDB transaction. @throws CodedError `store_write_failed`. */
  write(mark: Buffer): void {
    const changes = this.#committed;
    try {
      this.#environment.transactionSync(() => {
        for (const [key, change] of changes) {
          const value = valueOf(change);
          if (value === null) this.#state.removeSync(Buffer.from(key));
          else this.#state.putSync(Buffer.from(key), value);
        }
        this.#marks.putSync(MARK, mark);
      }, COMMIT_WITHOUT_WAITING);
    } catch (cause) {
      throw writeFailed(cause);
    }
    this.#marks.put(SYNCED, mark).catch(() => undefined); // a disk that is full says so at the next flush
    this.#committed = new Map();
  }

  /** Resolves when the disk has what was written. */
  async synced(): Promise<void> {
    await this.#environment.flushed;
  }
  mark(): Buffer | undefined {
    return this.#marks.get(MARK);
  }
  async copyTo(folder: string): Promise<void> {
    await this.#environment.backup(folder, false);
  }
  close(): void {
    // Everything is written by now, or in the journal: what lmdb cannot do on its way out is of no use to anybody.
    this.#environment.close().catch(() => undefined);
  }
}

const MARK = Buffer.from('mark');
/**
 * Not waiting for the disk (10 ms and more, during which nothing else runs): lmdb's meta pages remember the last commit
 * that is on the disk for certain, so a power failure takes commits back and damages nothing; a kill -9 takes none back.
 */
const COMMIT_WITHOUT_WAITING = (TransactionFlags.ABORTABLE |
  TransactionFlags.SYNCHRONOUS_COMMIT |
  TransactionFlags.NO_SYNC_FLUSH) as TransactionFlags; // a set of them, which an enum's type does not say
/** Written behind each commit from lmdb's own thread, which then waits for the disk. */
const SYNCED = Buffer.from('synced');

function valueOf(change: Change): Buffer | null {
  return typeof change === 'function' ? change() : change;
}

function within(key: Buffer, start: Buffer, end: Buffer): boolean {
  return Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0;
}
