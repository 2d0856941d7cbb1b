/** Records as the sink's own rows in an engine of a test: those of a table, gathered and then inserted at once. */
import { WIRE_HEADER_BYTES } from '../../../schemas/codec.ts';
import { RowBuffer } from '../../sink/row-buffer.ts';
import { compileRowPlan } from '../../sink/row-plan.ts';
import { tables } from '../../sink/tables.ts';
import type { Target } from '../../sink/target.ts';

export class EngineRows {
  static #inserts = 0;
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #buffer: RowBuffer;

  constructor(table: string) {
    const spec = tables.find((each) => each.table === table);
    if (spec === undefined) throw new Error(`there is no table ${table}`);
    const plan = compileRowPlan(spec);
    this.#table = table;
    this.#columns = plan.columns;
    this.#buffer = new RowBuffer(plan);
  }

  /** @param value with its wire header. False when the record is no row. */
  add(value: Buffer, place: { readonly partition: number; readonly offset: number }): boolean {
    return this.#buffer.append(value, WIRE_HEADER_BYTES, value.length, place.partition, place.offset);
  }

  async insert(target: Pick<Target, 'insert'>): Promise<void> {
    if (this.#buffer.rows === 0) return;
    EngineRows.#inserts += 1;
    const token = `rows ${String(process.pid)} ${String(EngineRows.#inserts)}`;
    const { bytes: rows } = this.#buffer;
    await target.insert({ table: this.#table, columns: this.#columns, rows, token, shard: 0 });
    this.#buffer.clear();
  }
}
