import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs, WIRE_HEADER_BYTES } from '../../schemas/codec.ts';
import { mergedEvent } from '../../schemas/merged-event.ts';
import type { CollectedEvent, MergedEvent } from '../../schemas/records.ts';
import { RowBuffer } from './row-buffer.ts';
import { compileRowPlan, type RowPlan } from './row-plan.ts';
import { tables, type TableSpec } from './tables.ts';

const codecs = localCodecs();

function specOf(table: string): TableSpec {
  const spec = tables.find((each) => each.table === table);
  if (spec === undefined) throw new Error(table);
  return spec;
}
const mergedPlan = compileRowPlan(specOf('stored_merged'));
const identifiesPlan = compileRowPlan(specOf('stored_identifies'));

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const time = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2299, 11, 31) });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });

const collected: fc.Arbitrary<CollectedEvent> = fc.record({
  received_at: time,
  type: fc.constantFrom('event', 'page', 'screen', 'identify'),
  identifier_kind: fc.constantFrom('none', 'id', 'email', 'cio_id'),
  identifier: maybe(text),
  anonymous_id: maybe(text),
  message_id: text,
  timestamp: time,
  workspace: text,
  source: text,
  name: maybe(text),
  id: maybe(text),
  email: maybe(text),
  cio_id: maybe(text),
  update_only: fc.boolean(),
  bot: fc.boolean(),
  waits: fc.boolean(),
  attributes_at: maybe(time),
  properties: maybe(text),
  context: maybe(text),
});
const merged: fc.Arbitrary<MergedEvent> = fc.record({
  kind: fc.constantFrom('event', 'watermark', 'absorb', 'absorbed', 'deleted', 'split'),
  workspace: text,
  person_id: text,
  merged_at: time,
  previously_anonymous: fc.boolean(),
  source_partition: maybe(fc.nat(1000)),
  other_person_id: maybe(text),
  fact_number: maybe(fc.nat()),
  known_as_of: maybe(fc.nat()),
  decided_as_of: fc.nat(),
  known_id: maybe(text),
  known_email: maybe(text),
  event: maybe(collected),
});

/** RowBinary read by its definition, one column after the other. */
function readRows(bytes: Buffer, rows: number, plan = mergedPlan): Record<string, unknown>[] {
  let at = 0;
  const integer = () => Number(bytes.readBigInt64LE((at += 8) - 8));
  const string = () => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    return bytes.toString('utf8', at, (at += length));
  };
  const nullable = () => (bytes[at++] === 1 ? null : string());
  const read: Record<string, () => unknown> = {
    merged_at: integer,
    received_at: integer,
    timestamp: integer,
    decided_as_of: integer,
    known_as_of: integer,
    previously_anonymous: () => bytes[at++] === 1,
    bot: () => bytes[at++] === 1,
    identifier: nullable,
    anonymous_id: nullable,
    name: nullable,
    properties: nullable,
    context: nullable,
  };
  return Array.from({ length: rows }, () => {
    const row: Record<string, unknown> = {};
    for (const column of plan.columns) row[column] = (read[column] ?? string)();
    row['_partition'] = bytes.readUInt16LE((at += 2) - 2);
    row['_offset'] = integer();
    return row;
  });
}

function rowsOf(records: readonly MergedEvent[], plan: RowPlan, isRow: (record: MergedEvent) => boolean) {
  const rows = new RowBuffer(plan, 16);
  const expected: Record<string, unknown>[] = [];
  records.forEach((record, offset) => {
    const bytes = codecs.MergedEvent.encode(record);
    const padded = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
    const start = 6 + WIRE_HEADER_BYTES;
    const accepted = rows.append(padded, start, 6 + bytes.length, 65_535 - offset, offset * 2 ** 40);
    expect(accepted).toBe(isRow(record));
    if (!accepted) return;
    const place = { _partition: 65_535 - offset, _offset: offset * 2 ** 40 };
    const all: Record<string, unknown> = { ...record.event, ...record, ...place };
    const columns = [...plan.columns, '_partition', '_offset'];
    expected.push(Object.fromEntries(columns.map((column) => [column, all[column]])));
  });
  return { rows, expected };
}

describe('rows', () => {
  const isHappening = ({ kind, event }: MergedEvent) =>
    kind === 'event' && event !== null && event.type !== 'identify';
  const isAsked = ({ kind, event, known_as_of: asked }: MergedEvent) =>
    kind === 'event' && event?.type === 'identify' && asked !== null;

  test.each([
    ['events', mergedPlan, isHappening],
    ['identifies about which identity was asked', identifiesPlan, isAsked],
  ] as const)('hold what the records said, whatever it was, and only %s become rows', (_, plan, isRow) => {
    fc.assert(
      fc.property(fc.array(merged, { maxLength: 20 }), (records) => {
        const { rows, expected } = rowsOf(records, plan, isRow);
        expect(readRows(rows.bytes, rows.rows, plan)).toEqual(expected);
        const odd = expected.map((_row, index) => index).filter((index) => index % 2 === 1);
        expect(readRows(rows.pick(odd), odd.length, plan)).toEqual(odd.map((row) => expected[row]));
      }),
    );
  });

  test('are left out whole when a record is cut short or has too much', () => {
    fc.assert(
      fc.property(merged, fc.nat(), (record, cut) => {
        const bytes = codecs.MergedEvent.encode(record);
        const buffer = new RowBuffer(mergedPlan);
        const end = WIRE_HEADER_BYTES + (cut % (bytes.length - WIRE_HEADER_BYTES));
        try {
          // A record that is no row may be told so before its end is reached.
          expect(buffer.append(bytes, WIRE_HEADER_BYTES, end, 0, 0)).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        expect(buffer.rows).toBe(0);
        expect(buffer.byteLength).toBe(0);
      }),
    );
    const event = fc.sample(collected, { numRuns: 1, seed: 1 })[0];
    const whole = codecs.CollectedEvent.encode({
      ...(event as CollectedEvent),
      type: 'page',
      identifier_kind: 'none',
    });
    const buffer = new RowBuffer(compileRowPlan(specOf('stored_collected')));
    const longer = Buffer.concat([whole, Buffer.from([0])]);
    expect(() => buffer.append(longer, WIRE_HEADER_BYTES, longer.length, 0, 0)).toThrow(RangeError);
    expect(buffer.rows).toBe(0);
  });

  test('are exact in every number, and not made of one that cannot be', () => {
    const [event] = fc.sample(collected, { numRuns: 1, seed: 3 });
    const record = mergedEvent({
      kind: 'event',
      workspace: 'shop',
      person_id: 'cio_a',
      merged_at: 1,
      decided_as_of: 2 ** 53 - 2,
      event: { ...(event as CollectedEvent), type: 'page' },
    });
    const hex = codecs.MergedEvent.encode(record).toString('hex');
    const rowOf = (varint: string) => {
      const bytes = Buffer.from(hex.replace('fcffffffffffff1f', varint), 'hex');
      const buffer = new RowBuffer(mergedPlan);
      buffer.append(bytes, WIRE_HEADER_BYTES, bytes.length, 0, 0);
      return readRows(buffer.bytes, buffer.rows)[0]?.['decided_as_of'];
    };
    expect(rowOf('fcffffffffffff1f')).toBe(2 ** 53 - 2);
    expect(rowOf('8180808080808010')).toBe(-(2 ** 52) - 1);
    for (const varint of ['8080808080808020', 'feffffffffffffffff01', 'ffffffffffffffffff01']) {
      expect(() => rowOf(varint)).toThrow(RangeError);
    }
  });

  test('keep times within what the engine can show', () => {
    const [event] = fc.sample(collected, { numRuns: 1, seed: 2 });
    const buffer = new RowBuffer(mergedPlan);
    const far = {
      ...(event as CollectedEvent),
      type: 'event' as const,
      timestamp: Date.UTC(9999, 0, 1),
      received_at: -1,
    };
    const value = codecs.MergedEvent.encode({ ...sampleMerged(), event: far });
    buffer.append(value, WIRE_HEADER_BYTES, value.length, 0, 0);
    const [row] = readRows(buffer.bytes, 1);
    expect(new Date(Number(row?.['timestamp'])).getUTCFullYear()).toBe(2299);
    expect(row?.['received_at']).toBe(-1);
  });
});

test('every table of the sink has a plan whose columns are its fields', () => {
  for (const spec of tables) {
    const columns = compileRowPlan(spec).columns;
    expect([...columns].sort()).toEqual(spec.fields.map((field) => field.split('.').at(-1)).sort());
  }
});

function sampleMerged(): MergedEvent {
  const named = { kind: 'event', workspace: 'w', person_id: 'cio_1', merged_at: 1 } as const;
  return mergedEvent({ ...named, previously_anonymous: true });
}
