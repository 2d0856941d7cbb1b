/**
 * Tables of the shops' own, rows by key, folded from `tables.changed`: what texts of on-site messages look up. What each
 * workspace may have is bounded by who writes (services/gateway/tables-log.ts).
 */
import type { TableRow } from '../../schemas/records.ts';

export type Row = Readonly<Record<string, string | number | boolean | null>>;

export interface TableUse {
  readonly table: string;
  readonly rows: number;
  /** Of keys and rows. */
  readonly bytes: number;
}

interface Table {
  /** JSON by key. */
  readonly rows: Map<string, string>;
  bytes: number;
}

export class Tables {
  readonly #workspaces = new Map<string, Map<string, Table>>();
  /** Of all workspaces. */
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  apply({ workspace, table: name, key, row }: Pick<TableRow, 'workspace' | 'table' | 'key' | 'row'>): void {
    const tables = this.#workspaces.get(workspace) ?? new Map<string, Table>();
    const table = tables.get(name) ?? { rows: new Map<string, string>(), bytes: 0 };
    const more = rowBytes(key, row) - rowBytes(key, table.rows.get(key) ?? null);
    table.bytes += more;
    this.#bytes += more;
    if (row === null) table.rows.delete(key);
    else table.rows.set(key, row);
    if (table.rows.size > 0) tables.set(name, table);
    else tables.delete(name);
    if (tables.size > 0) this.#workspaces.set(workspace, tables);
    else this.#workspaces.delete(workspace);
  }

  /** JSON; undefined: there is none. */
  text(workspace: string, table: string, key: string): string | undefined {
    return this.#workspaces.get(workspace)?.get(table)?.rows.get(key);
  }

  row(workspace: string, table: string, key: string): Row | undefined {
    const text = this.text(workspace, table, key);
    return text === undefined ? undefined : (JSON.parse(text) as Row); // written by services/app/tables.ts
  }

  /** In the order of their names. */
  used(workspace: string): readonly TableUse[] {
    return [...(this.#workspaces.get(workspace) ?? [])]
      .map(([table, { rows, bytes }]) => ({ table, rows: rows.size, bytes }))
      .sort((a, b) => (a.table < b.table ? -1 : 1));
  }
}

/** null: no row takes any. */
export function rowBytes(key: string, row: string | null): number {
  return row === null ? 0 : Buffer.byteLength(key) + Buffer.byteLength(row);
}
