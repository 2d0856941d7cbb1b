/** Rows in RowBinary, as the sink writes them, taken apart again; and the rows that the topics say must be there. */
import { createHash } from 'node:crypto';
import { schemaIdOf, WIRE_HEADER_BYTES, type Codecs } from '../../../schemas/codec.ts';
import { RowBuffer } from '../../sink/row-buffer.ts';
import { compileRowPlan, op, type Op } from '../../sink/row-plan.ts';
import { tables } from '../../sink/tables.ts';
import { assert } from '../../runtime/errors.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';

export interface StoredRow {
  readonly partition: number;
  readonly offset: number;
  /** Of all its bytes. */
  readonly digest: string;
}

const INTEGER_BYTES = 8;
const PARTITION_BYTES = 2;
const plans = new Map(tables.map((spec) => [spec.table, compileRowPlan(spec)]));

export function rowsOf(table: string, bytes: Buffer): StoredRow[] {
  const steps = plans.get(table)?.steps;
  assert(steps !== undefined, `the sink has a table ${table}`);
  const rows: StoredRow[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    for (const step of steps) at = endOfColumn(step.op, bytes, at);
    const partition = bytes.readUInt16LE(at);
    const offset = Number(bytes.readBigInt64LE(at + PARTITION_BYTES));
    at += PARTITION_BYTES + INTEGER_BYTES;
    rows.push({ partition, offset, digest: digestOf(bytes.subarray(start, at)) });
  }
  return rows;
}

export interface ExpectedTable {
  readonly table: string;
  readonly keepsLatest: boolean;
  /** By place. */
  readonly digests: ReadonlyMap<string, string>;
}

/** What every committed record of every topic makes. */
export function expectedRows(broker: MemoryBroker, codecs: Codecs): ExpectedTable[] {
  return tables.map((spec) => {
    const rows = new RowBuffer(compileRowPlan(spec));
    for (const { partition, record } of broker.everCommitted(spec.topic)) {
      const { value, offset } = record;
      if (value === null) continue;
      assert(
        schemaIdOf(value, 0) === codecs[spec.record].schemaId,
        'the run knows one version of each schema',
      );
      rows.append(value, WIRE_HEADER_BYTES, value.length, partition, offset);
    }
    const digests = new Map<string, string>();
    for (let row = 0; row < rows.rows; row += 1) {
      const { partition, offset } = { partition: rows.partitionOf(row), offset: rows.offsetOf(row) };
      digests.set(placeOf({ partition, offset }), digestOf(rows.pick([row])));
    }
    return { table: spec.table, keepsLatest: spec.keepsLatest, digests };
  });
}

export function placeOf({ partition, offset }: Pick<StoredRow, 'partition' | 'offset'>): string {
  return `${String(partition)}/${String(offset)}`;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

function endOfColumn(kind: Op, bytes: Buffer, at: number): number {
  switch (kind) {
    case op.string:
    case op.requiredString:
    case op.symbol:
      return endOfText(bytes, at);
    case op.optionalString:
      return bytes[at] === 1 ? at + 1 : endOfText(bytes, at + 1);
    case op.time:
    case op.integer:
    case op.requiredInteger:
      return at + INTEGER_BYTES;
    case op.optionalTime:
      return bytes[at] === 1 ? at + 1 : at + 1 + INTEGER_BYTES;
    case op.boolean:
      return at + 1;
    default:
      return at; // what is skipped is no column
  }
}

/** A length in groups of seven bits, then so many bytes. */
function endOfText(bytes: Buffer, start: number): number {
  let length = 0;
  let at = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes.readUInt8(at);
    at += 1;
    length += (byte & 127) * 2 ** shift;
    if (byte < 128) return at + length;
  }
}
