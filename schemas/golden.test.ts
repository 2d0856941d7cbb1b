/** What lies on a topic stays readable: bytes of every version of every schema, read and written by today's code. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Codec, RecordName } from './codec.ts';
import { InexactNumberError } from './exact-long.ts';
import {
  goldenFiles,
  goldenFolder,
  goldenName,
  goldenNames,
  GoldenLog,
  isWrittenBy,
  recordNames,
  schemaOf,
  sumOf,
  SUMS,
  valueToday,
  type NamedSchema,
  type Schema,
} from '../services/testing/golden-records.ts';

const readGolden = (name: string): string => readFileSync(new URL(name, goldenFolder), 'utf8');
const files = recordNames.flatMap(goldenFiles);
const todays = recordNames.flatMap((record) => goldenFiles(record).slice(-1));
const named = <T extends (typeof files)[number]>(list: readonly T[]) =>
  list.map((file) => [goldenName(file), file] as const);

describe('the golden files', () => {
  test('are those of the list, as they were when they were added', () => {
    const listed = readGolden(SUMS).trimEnd().split('\n').sort();
    expect(
      goldenNames()
        .map((name) => `${sumOf(readGolden(name))}  ${name}`)
        .sort(),
    ).toEqual(listed);
  });

  test.each(recordNames)(
    'of %s are one for each version, and the last is of the schema of today',
    (record) => {
      const versions = goldenFiles(record);
      expect(versions.map(({ version }) => version)).toEqual(versions.map((_, at) => at + 1));
      const lacking = isWrittenBy(versions.at(-1), schemaOf(record))
        ? []
        : [
            `schemas/avro/${record}.avsc has no golden bytes of its version of today: npm run generate adds them`,
          ];
      expect(lacking).toEqual([]);
    },
  );

  test.each(named(files))('%s reaches every branch, symbol, end and emptiness of its schema', (_, file) => {
    const values = file.cases.map(({ value }) => value);
    expect(unreached(file.writer, values, file.record)).toEqual([]);
  });
});

describe('bytes of every version', () => {
  test.each(named(files))('%s is read as what was written, and what it lacks as its default', (_, file) => {
    const log = new GoldenLog();
    const read = log.values(file).map((bytes) => log.codecs[file.record].decode(bytes));
    expect(plain(read)).toEqual(plain(file.cases.map(({ value }) => valueToday(file, value))));
  });

  test.each(named(todays))('%s is written byte by byte as it was', (_, file) => {
    const log = new GoldenLog();
    const codec = log.codecs[file.record] as Codec<RecordName>;
    const written = file.cases.map(({ value }) =>
      (codec as { encode(value: unknown): Buffer }).encode(value),
    );
    const hex = (bytes: Buffer): string => bytes.toString('hex');
    expect(written.map(hex)).toEqual(log.values(file).map(hex));
  });

  test.each(named(todays))(
    '%s with a number that a double cannot tell from its neighbours is refused',
    (_, file) => {
      const log = new GoldenLog();
      const far = log.values(file).flatMap((bytes) => beyond(bytes.toString('hex')));
      expect(far.length).toBeGreaterThan(0);
      for (const hex of far)
        expect(() => log.codecs[file.record].decode(Buffer.from(hex, 'hex'))).toThrow(InexactNumberError);
    },
  );
});

/** Without the methods that avsc's records have. */
function plain(values: readonly object[]): unknown {
  return JSON.parse(JSON.stringify(values));
}

/** The greatest and the least long of the golden values as Avro writes them, and the ends of an int64 instead. */
const ENDS = [
  ['fcffffffffffff1f', 'feffffffffffffffff01'],
  ['ffffffffffffff0f', 'ffffffffffffffffff01'],
] as const;

function beyond(hex: string): string[] {
  return ENDS.flatMap(([exact, far]) => (hex.includes(exact) ? [hex.replace(exact, far)] : []));
}

const LONG_MAX = 2 ** 53 - 2;
const LONG_MIN = -(2 ** 52);
const isText = (value: unknown): value is string => typeof value === 'string';

/** What must be among the values of a plain type. */
const ends: Readonly<Record<string, readonly (readonly [what: string, is: (value: unknown) => boolean])[]>> =
  {
    null: [['null', (value) => value === null]],
    boolean: [
      ['true', (value) => value === true],
      ['false', (value) => value === false],
    ],
    int: [
      ['the greatest', (value) => value === 2 ** 31 - 1],
      ['the least', (value) => value === -(2 ** 31)],
    ],
    long: [
      ['the greatest', (value) => value === LONG_MAX],
      ['the least', (value) => value === LONG_MIN],
    ],
    string: [
      ['an empty text', (value) => value === ''],
      ['a text beyond ASCII', (value) => isText(value) && /[^\0-\x7f]/.test(value)],
      ['a text of two length bytes', (value) => isText(value) && Buffer.byteLength(value) > 63],
    ],
    bytes: [
      ['no bytes', (value) => Buffer.isBuffer(value) && value.length === 0],
      ['some bytes', (value) => Buffer.isBuffer(value) && value.length > 0],
    ],
  };

/** Where, and what no value has. */
function unreached(schema: Schema, values: readonly unknown[], where: string): string[] {
  if (Array.isArray(schema))
    return (schema as readonly Schema[]).flatMap((branch) => unreached(branch, values, where));
  if (typeof schema === 'string') {
    const wanted =
      ends[schema] ??
      (/^(hindsight\.)?[A-Z]/.test(schema) ? [] : [['a type that this test knows', () => false]]);
    return wanted.flatMap(([what, is]) => (values.some(is) ? [] : [`${where}: ${what}`]));
  }
  const one = schema as NamedSchema;
  if (one.symbols !== undefined)
    return one.symbols.filter((each) => !values.includes(each)).map((each) => `${where}: ${each}`);
  if (one.items !== undefined) {
    const lists = values.filter((value) => Array.isArray(value)) as unknown[][];
    const empty = lists.some((list) => list.length === 0) ? [] : [`${where}: an empty list`];
    return [...empty, ...unreached(one.items, lists.flat(), `${where}[]`)];
  }
  const held = values.filter((value) => typeof value === 'object' && value !== null) as Record<
    string,
    unknown
  >[];
  return one.fields === undefined
    ? unreached(one.type, values, where)
    : one.fields.flatMap(({ name, type }) =>
        unreached(
          type,
          held.map((each) => each[name]),
          `${where}.${name}`,
        ),
      );
}
