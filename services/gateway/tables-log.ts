/**
 * The `tables.changed` topic as a gateway sees it, and its writer. The last record of a row counts, whichever gateway wrote
 * it; two that write at the same moment may pass a bound by one call each.
 */
import type { Codec } from '../../schemas/codec.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { TableRow } from '../../schemas/records.ts';
import type { RowChange, TableStore } from '../app/ports.ts';
import { rowBytes, Tables, type TableUse } from '../runtime/tables.ts';
import { DeletedRows } from './deleted-rows.ts';
import { FoldedTopic, type FoldedTopicPorts } from './folded-topic.ts';

export interface TablesLogOptions extends FoldedTopicPorts {
  readonly codec: Codec<'TableRow'>;
  /** ms, of the wall. */
  readonly now: () => number;
}

export interface TableBounds {
  readonly tablesMax: number;
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** Of all workspaces together: every gateway and every in-app holds them in memory. */
  readonly installationBytesMax: number;
  /** As usual where it is not given (deleted-rows.ts). */
  readonly deletedRowsDayMax?: number;
}
/** Of a workspace. */
export const tableBounds: TableBounds = {
  tablesMax: 20,
  rowsMax: 20_000,
  bytesMax: 8 * 1_024 * 1_024,
  installationBytesMax: 128 * 1_024 * 1_024,
};

export class TablesLog implements TableStore {
  readonly #codec: Codec<'TableRow'>;
  readonly #now: () => number;
  readonly #bounds: TableBounds;
  readonly #topic: FoldedTopic;
  readonly #fold = new Tables();
  readonly #deleted: DeletedRows;
  /** Records of this gateway that have not come back. Turns are taken one by one, so they are of one call. */
  readonly #awaited = new Set<string>();

  constructor({ codec, now, ...ports }: TablesLogOptions, bounds = tableBounds) {
    this.#codec = codec;
    this.#now = now;
    this.#bounds = bounds;
    this.#deleted = new DeletedRows(bounds.deletedRowsDayMax);
    this.#topic = new FoldedTopic({
      ...ports,
      topic: 'tablesChanged',
      what: 'tables',
      apply: ({ bytes, valueStart, valueEnd }) => {
        const row = codec.decode(bytes, valueStart, valueEnd);
        this.#fold.apply(row);
        this.#deleted.apply(row);
        this.#awaited.delete(textOf(row));
      },
    });
  }

  /** Resolves when everything that the topic held at the call is folded. */
  open(): Promise<void> {
    return this.#topic.open();
  }
  close(): Promise<void> {
    return this.#topic.close();
  }

  text(workspace: Workspace, table: string, key: string): string | undefined {
    return this.#fold.text(workspace, table, key);
  }
  used(workspace: Workspace): readonly TableUse[] {
    return this.#fold.used(workspace);
  }
  get bounds(): TableBounds {
    return this.#bounds;
  }

  /**
   * Resolves when it is on the log and every later question here finds it; false: there is no room for all of it.
   * @throws CodedError `tables_day_full`
   */
  write(workspace: Workspace, table: string, changes: readonly RowChange[]): Promise<boolean> {
    return this.#topic.inTurn(async () => {
      if (!this.#hasRoom(workspace, table, changes)) return false;
      const at = this.#now();
      const rows = changes
        // A compacted topic keeps the last of each key for ever: what is not there needs no record that says so.
        .filter(({ key, row }) => row !== null || this.text(workspace, table, key) !== undefined)
        .map(({ key, row }): TableRow => ({ workspace, table, key, at, row }));
      this.#deleted.take(workspace, rows.filter(({ row }) => row === null).length, at);
      this.#awaited.clear();
      for (const row of rows) this.#awaited.add(textOf(row));
      await Promise.all(
        rows.map((row) => this.#topic.send(`${workspace}/${table}/${row.key}`, this.#codec.encode(row))),
      );
      await this.#topic.until(() => this.#awaited.size === 0);
      return true;
    }, workspace);
  }

  #hasRoom(workspace: Workspace, table: string, changes: readonly RowChange[]): boolean {
    const used = this.used(workspace);
    let [rows, bytes] = [0, 0];
    for (const { key, row } of changes) {
      const before = this.text(workspace, table, key) ?? null;
      rows += Number(row !== null) - Number(before !== null);
      bytes += rowBytes(key, row) - rowBytes(key, before);
    }
    const sum = (of: 'rows' | 'bytes') => used.reduce((total, each) => total + each[of], 0);
    const { tablesMax, rowsMax, bytesMax, installationBytesMax } = this.#bounds;
    const isNew = rows > 0 && !used.some((each) => each.table === table);
    return (
      (!isNew || used.length < tablesMax) &&
      // What shrinks always may.
      (rows <= 0 || sum('rows') + rows <= rowsMax) &&
      (bytes <= 0 || (sum('bytes') + bytes <= bytesMax && this.#fold.bytes + bytes <= installationBytesMax))
    );
  }
}

function textOf({ table, key, at, row }: TableRow): string {
  return JSON.stringify([table, key, at, row]);
}
