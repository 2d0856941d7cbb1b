/**
 * How columns that are read from JSON cut a text that has a number which the engine's reader does not take (0006, 0018).
 * Each piece costs the sink a quarter of a microsecond, for everybody, so only such a number may be one.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../testing/runs.ts';
import { readMigrations } from './migrations.ts';

const CUT = /extractAll\(ifNull\((?:properties|context), '\{\}'\), '((?:[^'\\]|\\.)*)'\)/g;

/** The patterns in force: of each table those of the last migration that says them. */
function patternsInForce(): readonly string[] {
  const byTable = new Map<string, readonly string[]>();
  for (const { statements } of readMigrations()) {
    for (const statement of statements) {
      const table = /^ALTER TABLE (stored_merged|stored_collected)\b/.exec(statement)?.[1];
      const found = [...statement.matchAll(CUT)].map(([, text = '']) => text.replaceAll('\\\\', '\\'));
      if (table !== undefined && found.length > 0) byTable.set(table, found);
    }
  }
  return [...byTable.values()].flat();
}

/** As the engine does: the dot is any sign. */
const piecesOf = (text: string, pattern: string) => text.match(new RegExp(pattern, 'gs')) ?? [];

const EACH_PIECE = '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"';

/** What the columns are read from. */
function rewritten(text: string, pattern: string): string {
  const of = (piece: string): string => {
    if (!/^-?[0-9]/.test(piece)) return piece;
    if (/^-?[0-9]{19,}$/.test(piece) && Number.isFinite(Number(piece))) return `${piece}.0`;
    const number = /^-?[0-9.]+(?:[eE][+-]?[0-9]+)?$/.test(piece) ? Number(piece) : 0; // a piece of several is none
    return Number.isFinite(number) ? piece : '0';
  };
  return piecesOf(text, pattern).map(of).join('');
}

const number = fc.constantFrom(
  ...[
    '0',
    '-1',
    '7.25',
    '1e5',
    '1e-400',
    '1e10',
    '1E+99',
    '999999999999999999e288',
    '1e289',
    '1e400',
    '-1e400',
  ],
  ...['123456789012345678', '1234567890123456789', '-18446744073709551616', '0.1234567890123456789012'],
  ...['1e0000400', '9'.repeat(400), '99999999999e300', '9.99999999999999999e99'],
);
const text = fc.oneof(
  fc.constantFrom('1e400', '12345678901234567890,', '\\', '\\"', '"', '', '-', '{"a":1e400}', '\n 1e999 '),
  fc.string({ maxLength: 8 }),
);
const space = fc.constantFrom('', '', ' ', '\n', '\t ');
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    number,
    text.map((each) => JSON.stringify(each)),
    fc.constantFrom('true', 'false', 'null'),
    fc
      .array(fc.tuple(space, tie('json')), { maxLength: 5 })
      .map((all) => `[${all.map((each) => each.join('')).join(',')}]`),
    fc
      .array(fc.tuple(text, space, tie('json')), { maxLength: 5 })
      .map(
        (all) =>
          `{${all.map(([name, gap, value]) => `${JSON.stringify(name)}:${gap}${value}${gap}`).join(',')}}`,
      ),
  ),
}));
const object = fc.array(json, { minLength: 1, maxLength: 5 }).map((all) => `{"a":[${all.join(',')}],"b":0}`);

describe('a text with numbers that no double or no 64 bits hold', () => {
  const patterns = [...new Set(patternsInForce())];

  test('is cut in one way in all columns', () => {
    expect(patternsInForce()).toHaveLength(9);
    expect(patterns).toHaveLength(1);
  });

  test('is read as if it were cut into all of its strings, numbers and signs', () => {
    fc.assert(
      fc.property(object, (value) => {
        for (const pattern of patterns) {
          expect(piecesOf(value, pattern).join('')).toBe(value);
          expect(rewritten(value, pattern)).toBe(rewritten(value, EACH_PIECE));
        }
      }),
      { numRuns: runs(500) },
    );
  });

  test.each([
    ['digits', '1,'],
    ['signs', '-1,'],
    ['short texts', '"",'],
    ['exponents', '1e10,'],
    ['large exponents', '1e200,'],
    ['small ones', '1e-100,'],
    ['texts that look like numbers', '"1e400",'],
  ])('is three pieces, however many %s it has beside one such number', (_, unit) => {
    const value = `{"a":[${unit.repeat(20_000)}1],"b":1e400,"c":[${unit.repeat(20_000)}1]}`;
    for (const pattern of patterns) expect(piecesOf(value, pattern)).toHaveLength(3);
  });
});
