import { describe, expect, test } from '@jest/globals';
import { histogramOf, spreadOf } from './spread.ts';

describe('a spread', () => {
  test('gives values that were measured, by the nearest rank', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(spreadOf(values)).toEqual({ samples: 200, p50: 100, p90: 180, p99: 198, max: 200 });
  });
  test('of one value is that value', () => {
    expect(spreadOf([7])).toEqual({ samples: 1, p50: 7, p90: 7, p99: 7, max: 7 });
  });
  test('of nothing says so', () => {
    expect(spreadOf([])).toEqual({ samples: 0, p50: NaN, p90: NaN, p99: NaN, max: NaN });
  });
});

test('a histogram shows shares, the end of a place belonging to it, and leaves out what is empty', () => {
  expect(histogramOf([5, 5.1, 10, 10, 2_000])).toBe('≤5 ▃ 20.0 %  ≤10 █ 60.0 %  >1000 ▃ 20.0 %');
});
