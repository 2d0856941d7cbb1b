import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stableOrder } from './stable-order.ts';

const TIME_MAX = 2 ** 48 - 1;

test('the order is that of a stable sort by comparing, whatever the numbers and however many', () => {
  const times = fc.oneof(
    fc.array(fc.nat({ max: TIME_MAX }), { maxLength: 2_000, size: 'max' }),
    fc.array(fc.nat({ max: 5 }), { maxLength: 2_000, size: 'max' }),
    fc.array(
      fc.nat({ max: 100_000 }).map((ms) => 1_700_000_000_000 + ms * 30_000),
      { maxLength: 2_000, size: 'max' },
    ),
  );
  fc.assert(
    fc.property(times, (values) => {
      const compared = values.map((_, index) => index);
      compared.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
      expect([...stableOrder(Float64Array.from(values))]).toEqual(compared);
    }),
  );
});
