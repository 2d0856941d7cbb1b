/** What is written quickly is byte for byte what avsc writes, wherever there is room or none. */
import { describe, expect, test } from '@jest/globals';
import avro from 'avsc';
import fc from 'fast-check';
import { runs } from '../services/testing/runs.ts';
import { exactType } from './exact-long.ts';

const schema =
  '{"type":"record","name":"Texts","fields":[{"name":"a","type":"string"},{"name":"b","type":["null","string"]},{"name":"c","type":["string","null"]},{"name":"d","type":["null","int"]},{"name":"e","type":{"type":"array","items":"string"}}]}';
const quick = exactType(schema);
const plain = avro.Type.forSchema(JSON.parse(schema) as avro.Schema, { wrapUnions: false });

/** Around where the length of a text takes a byte more, in letters of one to four bytes. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc
    .tuple(
      fc.constantFrom('a', 'é', '€', '😀', '\ud800', '\0'),
      fc.constantFrom(1, 16, 21, 31, 32, 48, 49, 63, 64, 2_730, 4_095, 4_096, 8_191, 8_192),
      fc.constantFrom('', 'x', 'é'),
    )
    .map(([letter, times, end]) => letter.repeat(times) + end),
);
const value = fc.record({
  a: text,
  b: fc.option(text),
  c: fc.option(text),
  d: fc.option(fc.integer()),
  e: fc.array(text, { maxLength: 3 }),
});

describe('a record of texts', () => {
  test('is what avsc writes, and is read as it was', () => {
    fc.assert(
      fc.property(value, (one) => {
        const bytes = quick.toBuffer(one);
        expect(bytes.equals(plain.toBuffer(one))).toBe(true);
        expect({ ...(plain.fromBuffer(bytes) as object) }).toEqual({
          ...(quick.fromBuffer(bytes) as object),
        });
      }),
      { numRuns: runs(300) },
    );
  });

  test('says how many bytes are missing, as avsc does, and writes nothing else where it has room', () => {
    fc.assert(
      fc.property(value, fc.nat({ max: 40 }), fc.nat({ max: 300 }), (one, start, room) => {
        const [mine, its] = [Buffer.alloc(start + room, 0xee), Buffer.alloc(start + room, 0xee)];
        const end = quick.encode(one, mine, start);
        expect(end).toBe(plain.encode(one, its, start));
        if (end >= 0) expect(mine.subarray(0, end).equals(its.subarray(0, end))).toBe(true);
      }),
      { numRuns: runs(300) },
    );
  });

  test.each([[1], [undefined], [{}]])('%j in the place of a text is refused', (wrong) => {
    const good = { a: 'x', b: 'x', c: 'x', d: 1, e: [] };
    for (const field of ['a', 'b', 'c'])
      expect(() => quick.toBuffer({ ...good, [field]: wrong })).toThrow('invalid');
  });

  test('has the resolvers of avsc: an older text is read', () => {
    const older = exactType('{"type":"record","name":"Texts","fields":[{"name":"a","type":"string"}]}');
    const newer = exactType(
      '{"type":"record","name":"Texts","fields":[{"name":"a","type":["null","string"]},{"name":"b","type":["null","string"],"default":null}]}',
    );
    const read = newer.fromBuffer(older.toBuffer({ a: 'héllo' }), newer.createResolver(older)) as object;
    expect({ ...read }).toEqual({ a: 'héllo', b: null });
  });
});
