import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareNumbers, decimalKey, ExactNumber, exactNumber, parseExactly } from './exact-json.ts';

/** A decimal as the big integer that it is of a small enough unit. */
interface Decimal {
  readonly text: string;
  readonly scaled: bigint;
}
const SCALE = 60;

const digits = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 20n }),
  fc.bigInt({ min: 0n, max: 999n }),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 5n }),
  fc.bigInt({ min: 0n, max: 10n ** 32n }),
);

/** Every spelling that the grammar of JSON has for it. */
const decimal: fc.Arbitrary<Decimal> = fc
  .record({
    value: digits,
    isNegative: fc.boolean(),
    places: fc.integer({ min: 0, max: 25 }),
    exponent: fc.option(fc.integer({ min: -25, max: 25 }), { nil: undefined }),
    zeros: fc.integer({ min: 0, max: 3 }),
    spelling: fc.constantFrom('e', 'E', 'e+'),
  })
  .map(({ value, isNegative, places, exponent, zeros, spelling }) => {
    const padded = value.toString().padStart(places + 1, '0');
    const whole = padded.slice(0, padded.length - places);
    const fraction = padded.slice(padded.length - places) + '0'.repeat(zeros);
    const power =
      exponent === undefined ? '' : exponent < 0 ? `e${String(exponent)}` : `${spelling}${String(exponent)}`;
    const text = `${isNegative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}${power}`;
    const scaled = value * 10n ** BigInt(SCALE - places + (exponent ?? 0));
    return { text, scaled: isNegative ? -scaled : scaled };
  });

describe('numbers of JSON', () => {
  test('are doubles where a double says them, whatever they look like', () => {
    const isDouble = (text: string): boolean => decimalKey(String(Number(text))) === decimalKey(text);
    fc.assert(
      fc.property(decimal, ({ text }) => {
        expect([text, typeof exactNumber(text) === 'number']).toEqual([text, isDouble(text)]);
      }),
      {
        numRuns: 1_000,
        examples: [
          '1e10',
          '1e400',
          '1e-400',
          '5e-324',
          '-0',
          '0e5',
          '123456789012345',
          '1.7976931348623e308',
        ].map((text): [Decimal] => [{ text, scaled: 0n }]),
      },
    );
  });

  test('of a million digits cost no more than their length', () => {
    const zeros = '0'.repeat(1_000_000);
    const began = process.cpuUsage();
    expect(parseExactly(`[1${zeros}1]`)).toEqual([new ExactNumber(`1${zeros}1`)]);
    expect(decimalKey(`1${zeros}1`).length).toBeGreaterThan(1_000_000);
    expect(decimalKey(`1${zeros}`)).toBe(decimalKey('1e1000000'));
    expect(process.cpuUsage(began).user).toBeLessThan(4_000_000);
  });

  test('are equal, less and more as their digits say, however they are spelled', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const expected = a.scaled === b.scaled ? 0 : a.scaled < b.scaled ? -1 : 1;
        // -0 and 0 are as equal as 0 and 0.
        expect(Math.sign(compareNumbers(exactNumber(a.text), exactNumber(b.text))) + 0).toBe(expected);
        const [x, y] = [decimalKey(a.text), decimalKey(b.text)];
        expect(x === y ? 0 : x < y ? -1 : 1).toBe(expected);
      }),
      {
        numRuns: 1_000,
        examples: [
          [
            { text: '-0', scaled: 0n },
            { text: '0', scaled: 0n },
          ],
        ],
      },
    );
  });

  test('have one plain text each, which is the number; of a whole one its digits', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const [x, y] = [a, b].map(({ text }) => new ExactNumber(text).plain);
        expect(x === y).toBe(a.scaled === b.scaled);
        expect(decimalKey(x ?? '')).toBe(decimalKey(a.text));
        const unit = 10n ** BigInt(SCALE);
        if (a.scaled % unit === 0n) expect(x).toBe((a.scaled / unit).toString());
      }),
      { numRuns: 1_000 },
    );
    const same = ['9007199254740993', '9007199254740993.0', '9.007199254740993e15'];
    expect(same.map((text) => new ExactNumber(text).plain)).toEqual(same.map(() => '9007199254740993'));
    expect(new ExactNumber('1e400').plain).toBe(new ExactNumber('10e399').plain);
  });

  test('come back as they went in', () => {
    fc.assert(
      fc.property(fc.array(decimal), (numbers) => {
        const parsed = parseExactly(`{"list":[${numbers.map(({ text }) => text).join(',')}],"s":"1e400"}`);
        const { list } = JSON.parse(JSON.stringify(parsed)) as { list: number[] };
        expect(list).toEqual(numbers.map(({ text }) => Number(text)).map((one) => (one === 0 ? 0 : one)));
        const again = /\[(.*)\]/.exec(JSON.stringify(parsed))?.[1] ?? '';
        expect(again === '' ? [] : again.split(',').map(decimalKey)).toEqual(
          numbers.map(({ text }) => decimalKey(text)),
        );
      }),
    );
  });

  test('are doubles wherever a double says them', () => {
    const text =
      '{"a":[0.1,0.30000000000000004,9007199254740992,1e21,1e-7,-0,12345678901234567000],"b":{"c":"9007199254740993"}}';
    expect(parseExactly(text)).toEqual(JSON.parse(text));
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseExactly(`[${String(value)}]`)).toEqual(JSON.parse(`[${String(value)}]`));
      }),
    );
  });

  test.each([
    '9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '0.1000000000000000055',
    '123456789012345678901234567890',
    '1e999999999999999999999',
  ])('keep the digits of %s, which no double has', (text) => {
    const parsed = parseExactly(`{"n":${text}}`) as { n: unknown };
    expect(parsed.n).toEqual(new ExactNumber(text));
    expect(JSON.stringify(parsed)).toBe(`{"n":${text}}`);
  });

  test('beyond every double are ordered among each other', () => {
    const ordered = [
      '-1e500',
      '-1e400',
      '-1.5',
      '-1e-400',
      '0',
      '1e-500',
      '1e-400',
      '1e308',
      '1e400',
      '1.1e400',
    ];
    const keys = ordered.map(decimalKey);
    expect([...keys].sort()).toEqual(keys);
    expect(compareNumbers(exactNumber('1e400'), Number.MAX_VALUE)).toBe(1);
    expect(compareNumbers(exactNumber('-1e400'), 0)).toBe(-1);
  });

  test('make no other text fail or pass than JSON.parse does', () => {
    for (const bad of ['{"a":9007199254740993', '[12345678901234567,]', '01234567890123456789']) {
      expect(() => parseExactly(bad)).toThrow(SyntaxError);
    }
  });
});
