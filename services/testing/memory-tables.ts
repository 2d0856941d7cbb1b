/** The store of shops' tables without a log: for tests of routes that are about something else. */
import type { Workspace } from '../../schemas/ids.ts';
import type { RowChange, TableStore } from '../app/ports.ts';
import { Tables } from '../runtime/tables.ts';

export class MemoryTables implements TableStore {
  readonly bounds = { tablesMax: 20, rowsMax: 20_000, bytesMax: 8_388_608 };
  readonly #fold = new Tables();

  text(workspace: Workspace, table: string, key: string): string | undefined {
    return this.#fold.text(workspace, table, key);
  }
  used(workspace: Workspace) {
    return this.#fold.used(workspace);
  }
  write(workspace: Workspace, table: string, changes: readonly RowChange[]): Promise<boolean> {
    for (const { key, row } of changes) this.#fold.apply({ workspace, table, key, row });
    return Promise.resolve(true);
  }
}
