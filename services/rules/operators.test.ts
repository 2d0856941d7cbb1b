import { describe, expect, test } from '@jest/globals';
import { parseDuration } from './durations.ts';
import { changesAt, compareText, passes, timestampOf } from './operators.ts';
import { exactNumber } from '../runtime/exact-json.ts';
import { valueAt } from './paths.ts';
import { compilePattern } from '../runtime/pattern.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;

describe('what the operators mean', () => {
  test('a missing value makes neq, not_contains, not_in and not_exists true, and all else false', () => {
    const yes = [
      { type: 'neq', value: 1 },
      { type: 'not_contains', value: 'a' },
      { type: 'not_in', values: [1] },
      { type: 'not_exists' },
    ] as const;
    const no = [
      { type: 'exists' },
      { type: 'eq', value: 1 },
      { type: 'contains', value: 'a' },
      { type: 'starts_with', value: '' },
      { type: 'lt', value: 1 },
      { type: 'in', values: [1] },
      { type: 'is_timestamp' },
      { type: 'before_ago', durationMs: DAY },
      { type: 'before_from_now', durationMs: DAY },
    ] as const;
    expect(yes.map((check) => passes(check, undefined, NOW))).toEqual(yes.map(() => true));
    expect(no.map((check) => passes(check, undefined, NOW))).toEqual(no.map(() => false));
  });

  test('a numeric string is not a number, and true is not 1', () => {
    expect(passes({ type: 'eq', value: 5 }, '5', NOW)).toBe(false);
    expect(passes({ type: 'neq', value: 5 }, '5', NOW)).toBe(true);
    expect(passes({ type: 'gt', value: 4 }, '5', NOW)).toBe(false);
    expect(passes({ type: 'in', values: [1, '1'] }, true, NOW)).toBe(false);
  });

  test('numbers are compared to the last digit, also where a double has fewer', () => {
    const [long, next] = [exactNumber('9007199254740993'), exactNumber('9007199254740995')];
    expect(passes({ type: 'eq', value: long }, exactNumber('9007199254740993.0'), NOW)).toBe(true);
    expect(passes({ type: 'eq', value: 9007199254740992 }, long, NOW)).toBe(false);
    expect(passes({ type: 'neq', value: long }, 9007199254740992, NOW)).toBe(true);
    expect(passes({ type: 'in', values: [1, next] }, long, NOW)).toBe(false);
    expect(passes({ type: 'contains', value: long }, [1, long], NOW)).toBe(true);
    expect(passes({ type: 'gt', value: 9007199254740992 }, long, NOW)).toBe(true);
    expect(passes({ type: 'lt', value: next }, long, NOW)).toBe(true);
    expect(passes({ type: 'lte', value: long }, '9007199254740993', NOW)).toBe(false);
    expect(passes({ type: 'is_timestamp' }, exactNumber('1700000000.00000000001'), NOW)).toBe(true);
  });

  test('contains looks into text and into lists', () => {
    expect(passes({ type: 'contains', value: 'sho' }, 'red shoes', NOW)).toBe(true);
    expect(passes({ type: 'contains', value: 5 }, [1, 5], NOW)).toBe(true);
    expect(passes({ type: 'contains', value: '5' }, [1, 5], NOW)).toBe(false);
  });

  test('text is ordered as its bytes are, also above the basic plane', () => {
    const texts = ['', 'a', 'ab', 'z', 'é', '\uff5e', '\u{1f600}'];
    const byBytes = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...texts].reverse().sort(compareText)).toEqual(byBytes);
  });

  test('a time is unix seconds or ISO 8601, and milliseconds are none', () => {
    expect(timestampOf(1_700_000_000)).toBe(1_700_000_000_000);
    expect(timestampOf('2026-01-05T12:00:00+02:00')).toBe(NOW - 7_200_000);
    for (const none of [1_700_000_000_000, -1, '1700000000', '2026-02-30', '05/01/2026', null, true]) {
      expect(timestampOf(none)).toBeUndefined();
    }
  });

  test('before and after count from now, and say when they change', () => {
    const at = (NOW - DAY) / 1_000;
    const before = { type: 'before_ago', durationMs: DAY } as const;
    expect(passes(before, at, NOW)).toBe(false);
    expect(changesAt(before, at, NOW)).toBe(NOW + 1);
    expect(passes(before, at, NOW + 1)).toBe(true);
    const after = { type: 'after_from_now', durationMs: DAY } as const;
    const soon = (NOW + 2 * DAY) / 1_000;
    expect(passes(after, soon, NOW)).toBe(true);
    expect(changesAt(after, soon, NOW)).toBe(NOW + DAY);
    expect(passes(after, soon, NOW + DAY)).toBe(false);
  });
});

test('a path is a key as it is written, else dots lead into objects, and only own keys are seen', () => {
  const value: unknown = JSON.parse('{"a.b":1,"a":{"b":2,"c":null},"list":[{"x":1}]}');
  const object = value as Record<string, unknown>;
  expect(valueAt(object, 'a.b')).toBe(1);
  expect(valueAt(object, 'a.c')).toBeUndefined();
  expect(valueAt(object, 'list.0')).toBeUndefined();
  expect(valueAt(object, 'constructor')).toBeUndefined();
  expect(valueAt(object, '__proto__.x')).toBeUndefined();
});

test('durations have a fixed length', () => {
  expect(['PT10M', 'PT4H', 'P30D', 'P1W', 'P1DT1H1M1S'].map(parseDuration)).toEqual([
    600_000,
    14_400_000,
    30 * DAY,
    7 * DAY,
    DAY + 3_661_000,
  ]);
  for (const bad of ['', 'P', 'PT', 'P1M', 'P1Y', 'PT0S', '-P1D', 'P1.5D', 'p1d', 'P1D ', '10m', 'P1DT']) {
    expect(parseDuration(bad)).toBeUndefined();
  }
});

test('what RE2 has not is no pattern, and neither is what is too large', () => {
  expect(compilePattern('^(a+)+$').ok).toBe(true);
  for (const bad of ['(?=a)', '(?<!a)b', '(a)\\1', '(a{1000}){1000}', '(', 'a'.repeat(501)]) {
    expect(compilePattern(bad).ok).toBe(false);
  }
});
