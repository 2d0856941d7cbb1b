import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { entriesNeeded, mayEnter } from './frequency.ts';

test('at most n in a period: never one more in any period, and none refused that there is room for', () => {
  const chances = fc.array(fc.nat({ max: 8 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      chances,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 20 }),
      (gaps, times, perMs) => {
        const frequency = { mode: 'at_most', times, perMs } as const;
        const entered: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const latest = entered.slice(0, entriesNeeded(frequency));
          const inPeriod = entered.filter((at) => at > now - perMs).length;
          const may = mayEnter(frequency, latest[0] ?? null, now, latest);
          expect(may).toBe(inPeriod < times);
          if (may) entered.unshift(now);
        }
      },
    ),
  );
});
