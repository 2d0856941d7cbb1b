/**
 * A partition's folder: `keyed` (LMDB), `events` and `duplicates` (segment logs). The mark lies in LMDB, in the same
 * transaction as the keyed changes, and names the ends of the other two; so one atomic write moves all three, and what
 * they hold past it is cut at the next open.
 */
import { constants } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assertState, CodedError } from '../errors.ts';
import { SegmentEventStore } from './events/event-store.ts';
import { newSecret } from './events/sip-hash.ts';
import { realFiles, type LogDisk, type StoreFiles } from './files.ts';
import { SegmentHashWindow } from './duplicates/hash-window.ts';
import { LmdbKeyedStore, overlayEntriesMax, type MarkedStore } from './keyed-store.ts';
import type { PartitionStores, StoreNeeds } from './ports.ts';
import { logStart, segmentBytesMax, type LogMark, type SegmentLog } from './segments/segment-log.ts';
import { DRAFT_FILE, SNAPSHOT_FILE } from './tables/table-snapshot.ts';

/** Of everything in the folder; raised with any change of it, a service's values in the keyed store included. */
const FORMAT = 6;

interface Mark {
  readonly format: number;
  readonly sequence: number;
  /** Of this partition's hashes, in hexadecimal digits: made with the folder, and in each of its copies. */
  readonly secret: string;
  readonly events: LogMark;
  readonly duplicates: LogMark;
}

/** In a folder whose keyed store has had a mark. */
const BEGUN_FILE = 'begun';
/** `keyed`, the partition's, the service's, `state` and the data folder may be new, and so a name in the next one. */
const NEW_FOLDERS_MAX = 5;

/** What the stores lie on. */
export interface StoreDisk extends LogDisk {
  readonly openKeyed: (folder: string) => MarkedStore;
}
export const realDisk: StoreDisk = {
  files: realFiles,
  segmentBytesMax,
  tailRecordsMin: 32_768,
  openKeyed: (folder) => new LmdbKeyedStore(folder),
};

/**
 * Opens (or makes) the stores of a partition at their mark.
 * @throws CodedError `store_behind`, `store_damaged` or `store_format`.
 */
export function openPartitionStores(
  folder: string,
  needs: StoreNeeds,
  disk: StoreDisk = realDisk,
): PartitionStores {
  return new FolderStores(folder, needs, disk);
}

class FolderStores implements PartitionStores {
  readonly #folder: string;
  readonly #files: StoreFiles;
  readonly keyed: MarkedStore;
  readonly events?: SegmentEventStore;
  readonly duplicates?: SegmentHashWindow;
  readonly #logs: readonly SegmentLog[];
  #committed: number;
  #tail: string;
  #mark: Mark;
  /** Of the flush that is under way beside the batches. */
  #flushing: Mark | undefined;
  /** Why one of those could not be done. */
  #failure: unknown;
  #hasBegun: boolean;
  /** Copies under way: no segment is deleted meanwhile. */
  #copies = 0;

  constructor(folder: string, needs: StoreNeeds, disk: StoreDisk) {
    const { files, openKeyed } = disk;
    this.#folder = folder;
    this.#files = files;
    files.makeFolder(folder);
    this.#hasBegun = files.exists(join(folder, BEGUN_FILE));
    this.keyed = openKeyed(join(folder, 'keyed'));
    try {
      this.#mark = this.#readMark();
      this.#committed = this.#mark.sequence;
      if (needs.events !== undefined) {
        this.events = SegmentEventStore.open(
          disk,
          join(folder, 'events'),
          this.#mark.events,
          Buffer.from(this.#mark.secret, 'hex'),
        );
      }
      if (needs.duplicates !== undefined) {
        const at = join(folder, 'duplicates');
        this.duplicates = SegmentHashWindow.open(disk, at, this.#mark.duplicates, needs.duplicates);
      }
    } catch (error) {
      this.keyed.close();
      this.events?.close();
      throw error;
    }
    if (this.events === undefined && this.duplicates === undefined) {
      this.takeBack = () => {
        this.keyed.takeBack();
      };
    }
    this.#logs = [this.events, this.duplicates].flatMap((store) => store?.log ?? []);
    this.#tail = this.#tails();
  }

  get mark(): number {
    return this.#mark.sequence;
  }
  get damage(): CodedError | undefined {
    const ofLogs = this.#logs.find(({ failure }) => failure !== undefined)?.failure;
    return ofLogs ?? this.keyed.failure ?? asDamage(this.#failure);
  }

  get keyedBytes(): number {
    return this.keyed.bytes;
  }
  get openChanges(): number {
    return this.keyed.openEntries;
  }
  get pendingChanges(): number {
    return this.#flushing === undefined ? this.keyed.pendingEntries : 0;
  }

  /** An append-only log and its index are not unwound. */
  readonly takeBack?: () => void;

  committed(sequence: number): void {
    this.#assertSound();
    assertState(
      sequence > this.#committed,
      `batch ${String(sequence)} follows batch ${String(this.#committed)}`,
    );
    this.#committed = sequence;
    this.keyed.commit();
    this.#tail = this.#tails();
    if (this.keyed.pendingEntries > overlayEntriesMax) this.flush();
  }

  flush(): void {
    this.#assertSound();
    if (this.#committed === this.#mark.sequence) return;
    const mark = this.#writeSegments();
    for (const log of this.#logs) log.syncNow();
    this.#flushing = undefined; // overtaken
    this.#keep(mark);
    this.#afterMark(mark, Promise.resolve());
  }

  startFlush(): boolean {
    this.#assertSound();
    if (this.#flushing !== undefined) return false;
    if (this.#committed === this.#mark.sequence) return true;
    const mark = this.#writeSegments();
    this.#flushing = mark;
    const marked = this.#flushBeside(mark);
    marked.catch((error: unknown) => {
      if (this.#flushing === mark) this.#failure = error;
    });
    this.#afterMark(mark, marked);
    return true;
  }

  /** Resolves when the disk has the mark, or a later one. */
  async #flushBeside(mark: Mark): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.sync()));
    if (this.#flushing === mark) {
      this.#keep(mark);
      this.#flushing = undefined;
    }
    assertState(this.#mark.sequence >= mark.sequence, 'a flush was overtaken by a later one');
  }

  /** Begins a group with what is committed, and writes what its mark will name. */
  #writeSegments(): Mark {
    assertState(!this.#batchOpen(), 'stores are flushed between batches');
    this.keyed.beginGroup();
    return {
      format: FORMAT,
      sequence: this.#committed,
      secret: this.#mark.secret,
      events: written(this.events),
      duplicates: written(this.duplicates),
    };
  }

  /** The disk has what the mark names. */
  #keep(mark: Mark): void {
    this.keyed.writeGroup(Buffer.from(JSON.stringify(mark)));
    this.#mark = mark;
    if (this.#copies === 0) {
      this.events?.log.dropBelow(mark.events.from);
      this.duplicates?.log.dropBelow(mark.duplicates.from);
    }
    if (!this.#hasBegun) this.#begin();
  }

  #afterMark(mark: Mark, marked: Promise<void>): void {
    this.events?.afterMark(mark.events, marked);
    this.duplicates?.afterMark(mark.duplicates, marked);
  }

  /** Keyed state that is lost altogether looks like that of a partition which has just begun: this tells them apart. */
  #begin(): void {
    const files = this.#files;
    const path = join(this.#folder, BEGUN_FILE);
    if (!files.exists(path)) files.close(files.open(path, 'w+'));
    let folder = join(this.#folder, 'keyed');
    for (let depth = 0; depth < NEW_FOLDERS_MAX; depth += 1, folder = dirname(folder))
      files.syncFolder(folder);
    this.#hasBegun = true;
  }

  #readMark(): Mark {
    const stored = this.keyed.mark();
    if (stored === undefined) {
      if (this.#hasBegun) throw markLost(this.#folder);
      // Until the first mark nothing is kept that was written under this secret.
      return {
        format: FORMAT,
        sequence: 0,
        secret: newSecret().toString('hex'),
        events: logStart,
        duplicates: logStart,
      };
    }
    const mark = JSON.parse(stored.toString()) as Mark; // our own, in LMDB's transaction
    if (mark.format !== FORMAT) throw otherFormat(this.#folder);
    return mark;
  }

  /** @throws what was found to be wrong, or could not be done beside the batches. */
  #assertSound(): void {
    if (this.damage !== undefined) throw this.damage;
    if (this.#failure !== undefined) throw asError(this.#failure);
  }
  /**
   * The tables are those of now. The mark and the segments that are copied after them may be of a later flush, which does
   * no harm: a table may be older than the mark, and segments may be longer. The other way round would be of no use.
   */
  async snapshot(folder: string, signal?: AbortSignal): Promise<void> {
    this.flush();
    const parts = { events: this.events, duplicates: this.duplicates };
    for (const part of ['keyed', ...Object.keys(parts)]) this.#files.makeFolder(join(folder, part));
    const tables = Promise.all([
      this.events?.writeSnapshot(join(folder, 'events'), this.#mark.events),
      this.duplicates?.writeSnapshot(join(folder, 'duplicates'), this.#mark.duplicates),
    ]);
    this.#copies += 1;
    try {
      await tables;
      signal?.throwIfAborted();
      await this.keyed.copyTo(join(folder, 'keyed'));
      for (const part of Object.keys(parts)) await this.#copy(part, join(folder, part), signal);
    } finally {
      this.#copies -= 1;
    }
  }

  /**
   * With a batch open its changes are given up, and with them what was not flushed: the journal has it. So it has what a
   * full disk does not take, and what lies beside damage.
   */
  close(): void {
    try {
      if (!this.#batchOpen()) this.flush();
    } catch (error) {
      if (!(error instanceof CodedError) || !error.code.startsWith('store_')) throw error;
    } finally {
      this.#flushing = undefined;
      this.keyed.close();
      this.events?.close();
      this.duplicates?.close();
    }
  }

  #batchOpen(): boolean {
    return this.keyed.openEntries > 0 || this.#tails() !== this.#tail;
  }

  /** How far the logs reach, written or not: says whether anything was appended since. */
  #tails(): string {
    return `${this.events?.tail ?? ''} ${this.duplicates?.tail ?? ''}`;
  }

  /** Segments only grow, and what a copy has past the mark is cut when it is opened. */
  async #copy(part: string, to: string, signal?: AbortSignal): Promise<void> {
    const from = join(this.#folder, part);
    const names = await readdir(from).catch(() => []);
    for (const name of names) {
      if (name === SNAPSHOT_FILE || name === DRAFT_FILE) continue;
      signal?.throwIfAborted();
      await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
    }
  }
}

/** Writes out what is appended. */
function written(store: SegmentEventStore | SegmentHashWindow | undefined): LogMark {
  return store === undefined ? logStart : { ...store.write(), from: store.log.neededFrom };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function asDamage(error: unknown): CodedError | undefined {
  return error instanceof CodedError && error.code === 'store_disk_failed' ? error : undefined;
}

function markLost(folder: string): CodedError {
  return new CodedError('store_damaged', `could not open ${folder}: its keyed state is gone`);
}

function otherFormat(folder: string): CodedError {
  return new CodedError('store_format', `could not open ${folder}: another version of Hindsight wrote it`);
}
