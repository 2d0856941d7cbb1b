/** A batch in memory: the ranges that it covers and the rows of each table, taken from slices of the log. */
import { WIRE_HEADER_BYTES, schemaIdOf, UnknownSchemaError, type Codecs } from '../../schemas/codec.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { InputRecord, RecordSlice } from '../runtime/log/ports.ts';
import type { Range } from './ranges.ts';
import { RowBuffer } from './row-buffer.ts';
import { compileRowPlan, type RowPlan } from './row-plan.ts';
import { tables, type TableSpec } from './tables.ts';
import { isResolving } from './today.ts';

/** When a batch takes no more slices. It ends up larger by one slice at most. */
export const BATCH_ROWS_MAX = 100_000;
export const BATCH_BYTES_MAX = 48 * 1024 * 1024;
/** Most records of some topics are no rows; what a successor has to read again is bounded all the same. */
export const BATCH_OFFSETS_MAX = 200_000;

export interface TableRows {
  readonly spec: TableSpec;
  readonly plan: RowPlan;
  readonly rows: RowBuffer;
}

/** A record that could not be read, as it will lie in dead.letters. */
export interface Undecodable {
  readonly topic: TopicId;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly message: string;
}

export class Batch {
  readonly tables: readonly TableRows[];
  /** Latest watermark by partition of events.collected. */
  readonly watermarks = new Map<number, number>();
  readonly undecodable: Undecodable[] = [];
  /** Ranges of identity.log with a fact after which rows are another person's, or nobody's. */
  readonly #resolving = new Map<number, Range>();
  readonly #codecs: Codecs;
  readonly #byTopic = new Map<TopicId, TableRows[]>();
  readonly #ranges = new Map<string, { topic: TopicId; partition: number; from: number; to: number }>();

  #offsets = 0;

  constructor(codecs: Codecs) {
    this.#codecs = codecs;
    this.tables = tables.map((spec) => {
      const plan = compileRowPlan(spec);
      return { spec, plan, rows: new RowBuffer(plan) };
    });
    for (const entry of this.tables) {
      const { topic } = entry.spec;
      this.#byTopic.set(topic, [...(this.#byTopic.get(topic) ?? []), entry]);
    }
  }

  get rows(): number {
    return this.tables.reduce((sum, { rows }) => sum + rows.rows, 0);
  }
  get bytes(): number {
    return this.tables.reduce((sum, { rows }) => sum + rows.byteLength, 0);
  }
  get isFull(): boolean {
    return this.rows >= BATCH_ROWS_MAX || this.bytes >= BATCH_BYTES_MAX || this.#offsets >= BATCH_OFFSETS_MAX;
  }
  get isEmpty(): boolean {
    return this.#ranges.size === 0;
  }
  /** Something has to reach ClickHouse or dead.letters, not only an offset the broker. */
  get hasEffects(): boolean {
    return this.rows > 0 || this.watermarks.size > 0 || this.undecodable.length > 0;
  }
  get ranges(): readonly Range[] {
    return [...this.#ranges.values()];
  }
  /** Of identity.log, from the first to the last fact after which rows are another person's, or nobody's. */
  get resolvingRanges(): readonly Range[] {
    return [...this.#resolving.values()];
  }

  /**
   * Takes the slice's records below `to`. Throws UnknownSchemaError with nothing of the slice taken: load the schema
   * and add it again. The slice may be released afterwards.
   */
  add(slice: RecordSlice, to = slice.next): void {
    const entries = this.#byTopic.get(slice.topic);
    if (entries === undefined) return;
    const rowsBefore = entries.map(({ rows }) => rows.rows);
    const undecodableBefore = this.undecodable.length;
    try {
      slice.forEach((record) => {
        this.#take(entries, record);
      }, to);
    } catch (error) {
      for (const [index, { rows }] of entries.entries()) rows.truncate(rowsBefore[index] ?? 0);
      this.undecodable.length = undecodableBefore;
      throw error;
    }
    this.#extend(slice.topic, slice.partition, slice.from, Math.min(slice.next, to));
  }

  clear(): void {
    for (const { rows } of this.tables) rows.clear();
    this.watermarks.clear();
    this.undecodable.length = 0;
    this.#resolving.clear();
    this.#ranges.clear();
    this.#offsets = 0;
  }

  #take(entries: readonly TableRows[], record: InputRecord): void {
    const { bytes, valueStart, valueEnd, topic, partition, offset } = record;
    if (valueEnd <= valueStart) return; // a tombstone
    try {
      const accepted = entries.some((entry) => this.#append(entry, record));
      if (topic === 'identityLog') this.#takeFact(record);
      if (!accepted && topic === 'eventsMerged') this.#takeWatermark(bytes, valueStart, valueEnd);
    } catch (error) {
      if (error instanceof UnknownSchemaError) throw error;
      this.undecodable.push({
        topic,
        partition,
        offset,
        key:
          record.keyEnd > record.keyStart
            ? Buffer.from(bytes.subarray(record.keyStart, record.keyEnd))
            : null,
        value: Buffer.from(bytes.subarray(valueStart, valueEnd)),
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** False when the record is no row of the table. */
  #append(
    { spec, rows }: TableRows,
    { bytes, valueStart, valueEnd, partition, offset }: InputRecord,
  ): boolean {
    if (schemaIdOf(bytes, valueStart) === this.#codecs[spec.record].schemaId) {
      return rows.append(bytes, valueStart + WIRE_HEADER_BYTES, valueEnd, partition, offset);
    }
    const value = this.#rewritten(spec, bytes, valueStart, valueEnd);
    return rows.append(value, WIRE_HEADER_BYTES, value.length, partition, offset);
  }

  /** A value of another version of the schema, in ours. */
  #rewritten({ record }: TableSpec, bytes: Buffer, start: number, end: number): Buffer {
    const codec = this.#codecs[record];
    const value = codec.decode(bytes, start, end);
    return (codec as { encode(value: unknown): Buffer }).encode(value); // its own value: the types cannot tell for a union
  }

  #takeFact({ bytes, valueStart, valueEnd, partition, offset }: InputRecord): void {
    const { kind } = this.#codecs.IdentityFact.decode(bytes, valueStart, valueEnd);
    if (!isResolving(kind)) return;
    const { from } = this.#resolving.get(partition) ?? { from: offset };
    this.#resolving.set(partition, { topic: 'identityLog', partition, from, to: offset + 1 });
  }

  #takeWatermark(bytes: Buffer, start: number, end: number): void {
    const {
      kind,
      source_partition: source,
      merged_at: time,
    } = this.#codecs.MergedEvent.decode(bytes, start, end);
    if (kind !== 'watermark' || source === null) return;
    this.watermarks.set(source, Math.max(time, this.watermarks.get(source) ?? time));
  }

  #extend(topic: TopicId, partition: number, from: number, to: number): void {
    this.#offsets += to - from;
    const key = `${topic}/${String(partition)}`;
    const range = this.#ranges.get(key);
    if (range === undefined) this.#ranges.set(key, { topic, partition, from, to });
    else range.to = Math.max(range.to, to);
  }
}
