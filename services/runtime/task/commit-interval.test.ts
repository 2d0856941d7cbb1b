import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commitDueAt, intervalMs } from './commit-interval.ts';

const batch = { openedAt: 1_000, lastCommitAt: 900, urgent: false, full: false, eventsPerSecond: 100 };

describe('a batch is committed', () => {
  test('when something has waited 50 ms', () => {
    expect(commitDueAt(batch)).toBe(1_050);
  });
  test('later at a high rate, but never after more than 100 ms', () => {
    expect(intervalMs(3_000)).toBe(75);
    expect(intervalMs(5_000)).toBe(100);
    expect(intervalMs(1_000_000)).toBe(100);
  });
  test('at once when somebody waits for it', () => {
    expect(commitDueAt({ ...batch, urgent: true })).toBe(1_000);
  });
  test('20 ms after the last commit at the earliest, even then', () => {
    expect(commitDueAt({ ...batch, urgent: true, lastCommitAt: 995 })).toBe(1_015);
  });
  test('up to 100 ms after the last commit at a high rate, where every batch has somebody who waits', () => {
    const urgent = { ...batch, urgent: true, lastCommitAt: 995 };
    expect(commitDueAt({ ...urgent, eventsPerSecond: 3_000 })).toBe(1_055);
    expect(commitDueAt({ ...urgent, eventsPerSecond: 20_000 })).toBe(1_095);
  });
  test('at once when it is full', () => {
    expect(commitDueAt({ ...batch, full: true, lastCommitAt: 999 })).toBe(1_000);
  });
  test('never later for being urgent or full, whatever the rate', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(200), fc.boolean(), (eventsPerSecond, since, full) => {
        const usual = commitDueAt({ ...batch, eventsPerSecond, lastCommitAt: batch.openedAt - since });
        const urgent = commitDueAt({
          ...batch,
          eventsPerSecond,
          lastCommitAt: batch.openedAt - since,
          urgent: true,
          full,
        });
        expect(urgent).toBeLessThanOrEqual(usual);
      }),
    );
  });
});
