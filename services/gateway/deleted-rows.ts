/**
 * Rows that a workspace has deleted from its tables on a day. The topic keeps the last word of each key for ever, also that
 * it was deleted, and every gateway and in-app reads all of it at its start. So rows made and deleted again, always under new
 * keys, would be a topic without bound.
 */
import type { TableRow } from '../../schemas/records.ts';
import { CodedError } from '../runtime/errors.ts';
import { DayCounts, dayLeftS } from './usage/day-counts.ts';

/** Five times all rows that a workspace may have. */
export const deletedRowsDayMax = 100_000;

export class DeletedRows {
  readonly #rows = new DayCounts();
  readonly #rowsMax: number;

  constructor(rowsMax = deletedRowsDayMax) {
    this.#rowsMax = rowsMax;
  }

  apply({ workspace, at, row }: Pick<TableRow, 'workspace' | 'at' | 'row'>): void {
    if (row === null) this.#rows.add(workspace, at, 1);
  }

  /** @throws CodedError `tables_day_full` when there is no room for so many on this day. */
  take(workspace: string, rows: number, at: number): void {
    const before = this.#rows.of(workspace, at);
    if (rows === 0 || before + rows <= this.#rowsMax) return;
    const message = `could not delete rows of tables: this workspace has deleted ${String(before)} of ${String(this.#rowsMax)} today`;
    throw new CodedError('tables_day_full', message, { retryAfterS: dayLeftS(at) });
  }
}
