/**
 * Rows that a workspace has deleted from its tables on a day. The topic keeps the last word of each key for ever, also that
 * it was deleted, and every gateway and in-app reads all of it at its start. So rows made and deleted again, always under new
 * keys, would be a topic without bound. Counted from the topic itself, as days of definitions are.
 */
import type { TableRow } from '../../schemas/records.ts';
import { CodedError } from '../runtime/errors.ts';

/** Five times all rows that a workspace may have. */
export const deletedRowsDayMax = 100_000;
const DAY_MS = 86_400_000;

export class DeletedRows {
  /** By workspace, of the last day (UTC) on which it deleted any. */
  readonly #days = new Map<string, { readonly day: number; readonly rows: number }>();
  readonly #rowsMax: number;

  constructor(rowsMax = deletedRowsDayMax) {
    this.#rowsMax = rowsMax;
  }

  apply({ workspace, at, row }: Pick<TableRow, 'workspace' | 'at' | 'row'>): void {
    const day = Math.floor(at / DAY_MS);
    const last = this.#days.get(workspace);
    if (row !== null || (last !== undefined && last.day > day)) return;
    this.#days.set(workspace, { day, rows: (last?.day === day ? last.rows : 0) + 1 });
  }

  /** @throws CodedError `tables_day_full` when there is no room for so many on this day. */
  take(workspace: string, rows: number, at: number): void {
    const last = this.#days.get(workspace);
    const before = last?.day === Math.floor(at / DAY_MS) ? last.rows : 0;
    if (rows === 0 || before + rows <= this.#rowsMax) return;
    const message = `could not delete rows of tables: this workspace has deleted ${String(before)} of ${String(this.#rowsMax)} today`;
    const retryAfterS = Math.ceil((DAY_MS - (at % DAY_MS)) / 1_000);
    throw new CodedError('tables_day_full', message, { retryAfterS });
  }
}
