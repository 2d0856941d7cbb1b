/**
 * A partition's folder: `keyed` (LMDB), `events` and `duplicates` (segment logs). The mark lies in LMDB, in the same
 * transaction as the keyed changes, and names the ends of the other two; so one atomic write moves all three, and what
 * they hold past it is cut at the next open.
 */
import { constants } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, CodedError } from '../errors.ts';
import { SegmentEventStore } from './event-store.ts';
import { SegmentHashWindow } from './hash-window.ts';
import { LmdbKeyedStore, overlayEntriesMax } from './keyed-store.ts';
import type { PartitionStores, StoreNeeds } from './ports.ts';
import { logStart, type LogPosition } from './segment-log.ts';
import { DRAFT_FILE, SNAPSHOT_FILE } from './table-snapshot.ts';

/** Of everything in the folder; raised with any change of it, a service's values in the keyed store included. */
const FORMAT = 2;

interface Mark {
  readonly format: number;
  readonly sequence: number;
  readonly events: LogPosition;
  readonly duplicates: LogPosition;
}

/** Opens (or makes) the stores of a partition at their mark. Throws `store_behind`, `store_damaged` or `store_format`. */
export function openPartitionStores(folder: string, needs: StoreNeeds): PartitionStores {
  return new FolderStores(folder, needs);
}

class FolderStores implements PartitionStores {
  readonly #folder: string;
  readonly keyed: LmdbKeyedStore;
  readonly events?: SegmentEventStore;
  readonly duplicates?: SegmentHashWindow;
  #committed: number;
  #tail: string;
  #mark: Mark;
  /** Copies under way: no segment is deleted meanwhile. */
  #copies = 0;

  constructor(folder: string, needs: StoreNeeds) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.keyed = new LmdbKeyedStore(join(folder, 'keyed'));
    const stored = this.keyed.mark();
    this.#mark =
      stored === undefined
        ? { format: FORMAT, sequence: 0, events: logStart, duplicates: logStart }
        : (JSON.parse(stored.toString()) as Mark); // our own, in LMDB's transaction
    if (this.#mark.format !== FORMAT) throw otherFormat(folder);
    this.#committed = this.#mark.sequence;
    if (needs.events !== undefined)
      this.events = SegmentEventStore.open(join(folder, 'events'), this.#mark.events);
    if (needs.duplicates !== undefined) {
      this.duplicates = SegmentHashWindow.open(
        join(folder, 'duplicates'),
        this.#mark.duplicates,
        needs.duplicates,
      );
    }
    this.#tail = this.#tails();
  }

  get mark(): number {
    return this.#mark.sequence;
  }

  committed(sequence: number): void {
    assert(sequence > this.#committed, `batch ${String(sequence)} follows batch ${String(this.#committed)}`);
    this.#committed = sequence;
    this.keyed.commit();
    this.#tail = this.#tails();
    if (this.keyed.pendingEntries > overlayEntriesMax) this.flush();
  }

  flush(): void {
    if (this.#committed === this.#mark.sequence) return;
    assert(!this.#batchOpen(), 'stores are flushed between batches');
    const mark: Mark = {
      format: FORMAT,
      sequence: this.#committed,
      events: this.events?.write() ?? logStart,
      duplicates: this.duplicates?.write() ?? logStart,
    };
    this.keyed.write(Buffer.from(JSON.stringify(mark)));
    this.#mark = mark;
    const synced = (): Promise<void> => this.keyed.synced();
    this.events?.afterMark(mark.events, synced, this.#copies > 0);
    this.duplicates?.afterMark(mark.duplicates, synced, this.#copies > 0);
  }

  /**
   * The tables are those of now. The mark and the segments that are copied after them may be of a later flush, which does
   * no harm: a table may be older than the mark, and segments may be longer. The other way round would be of no use.
   */
  async snapshot(folder: string, signal?: AbortSignal): Promise<void> {
    this.flush();
    const parts = { events: this.events, duplicates: this.duplicates };
    for (const part of ['keyed', ...Object.keys(parts)]) mkdirSync(join(folder, part), { recursive: true });
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
   * full disk does not take.
   */
  close(): void {
    try {
      if (!this.#batchOpen()) this.flush();
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'store_write_failed') throw error;
    }
    this.keyed.close();
    this.events?.close();
    this.duplicates?.close();
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

function otherFormat(folder: string): CodedError {
  return new CodedError('store_format', `could not open ${folder}: another version of Hindsight wrote it`, {
    hint: 'Start that version, or begin with an empty HINDSIGHT_DATA and new topics.',
  });
}
