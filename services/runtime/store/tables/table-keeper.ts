/**
 * When a store's table is written to its snapshot: once so much was appended to its log since the last that reading it
 * again would take long, and not before it is worth the writing. So a start reads the table and a short tail.
 */
import type { LogDisk } from '../files.ts';
import type { LogPosition } from '../segments/log-position.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import { TableDraft, type MemoryTable } from './table-snapshot.ts';

/** Of a large table: an entry is a tenth of an event's size, so snapshots write no more than events do. */
const TAIL_SHARE = 8;

export class TableKeeper {
  readonly #disk: LogDisk;
  readonly #folder: string;
  readonly #log: SegmentLog;
  readonly #table: MemoryTable;
  #position: LogPosition;
  #recordsBefore = 0;
  #draft: TableDraft | undefined;

  // eslint-disable-next-line @typescript-eslint/max-params -- all that it stands between
  constructor(disk: LogDisk, folder: string, log: SegmentLog, table: MemoryTable, position: LogPosition) {
    this.#disk = disk;
    this.#folder = folder;
    this.#log = log;
    this.#table = table;
    this.#position = position;
  }

  /** Of the snapshot in force: what lies before is not needed to open the store. */
  get position(): LogPosition {
    return this.#position;
  }

  get isDue(): boolean {
    const tail = this.#log.records - this.#recordsBefore;
    return (
      this.#draft === undefined && tail >= Math.max(this.#disk.tailRecordsMin, this.#table.used / TAIL_SHARE)
    );
  }

  /**
   * Writes the table as of the position, which the partition's mark names; it is in force some time later, or never:
   * then the next one is. @throws CodedError `store_write_failed`.
   */
  begin(position: LogPosition, latest: ReadonlyMap<number, number>, marked: Promise<unknown>): void {
    if (this.#draft !== undefined) return;
    const { records } = this.#log;
    const head = { position, latest: [...latest] };
    const draft = TableDraft.write(this.#disk.files, this.#folder, { head, table: this.#table });
    this.#draft = draft;
    const kept = (isInForce: boolean): void => {
      this.#draft = undefined;
      if (!isInForce) return;
      this.#position = position;
      this.#recordsBefore = records;
    };
    // A disk that takes no more shows at the next flush, which says so.
    draft.keep(marked).then(kept, () => {
      kept(false);
    });
  }

  close(): void {
    this.#draft?.cancel();
  }
}
