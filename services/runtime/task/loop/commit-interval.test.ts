import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commitDueAt, paceMs } from './commit-interval.ts';

const batch = { openedAt: 1_000, lastCommitAt: 900, urgent: false, full: false, eventsPerSecond: 100 };
const any = fc.record({
  openedAt: fc.constant(1_000),
  lastCommitAt: fc.nat(1_000),
  urgent: fc.boolean(),
  full: fc.boolean(),
  eventsPerSecond: fc.nat(1_000_000),
});

describe('a batch is committed', () => {
  test('when something has waited 50 ms for company', () => {
    expect(commitDueAt(batch)).toBe(1_050);
    expect(commitDueAt({ ...batch, eventsPerSecond: 3_000 })).toBe(1_025);
  });
  test('at once at a high rate, where it was the reader that waited', () => {
    expect(commitDueAt({ ...batch, eventsPerSecond: 20_000 })).toBe(1_000);
  });
  test('at once when somebody waits for it', () => {
    expect(commitDueAt({ ...batch, urgent: true })).toBe(1_000);
  });
  test('20 ms after the last commit began at the earliest, even then', () => {
    expect(commitDueAt({ ...batch, urgent: true, lastCommitAt: 995 })).toBe(1_015);
  });
  test('up to 100 ms after the last at a high rate, whoever waits', () => {
    const urgent = { ...batch, urgent: true, lastCommitAt: 995 };
    expect(commitDueAt({ ...urgent, eventsPerSecond: 3_000 })).toBe(1_055);
    expect(commitDueAt({ ...urgent, eventsPerSecond: 20_000 })).toBe(1_095);
  });
  test('at once when it is full', () => {
    expect(commitDueAt({ ...batch, full: true, lastCommitAt: 999 })).toBe(1_000);
  });
  test('at most 100 ms after something came, whatever the rate', () => {
    fc.assert(
      fc.property(any, (some) => {
        expect(commitDueAt(some)).toBeLessThanOrEqual(some.openedAt + 100);
      }),
    );
  });
  test('never later for being urgent or full', () => {
    fc.assert(
      fc.property(any, (some) => {
        const usual = commitDueAt({ ...some, urgent: false, full: false });
        expect(commitDueAt(some)).toBeLessThanOrEqual(usual);
      }),
    );
  });
});

test('the reader is asked at once at a low rate, and ten times a second at a high one', () => {
  expect(paceMs(0)).toBe(0);
  expect(paceMs(1_000)).toBe(0);
  expect(paceMs(3_000)).toBe(50);
  expect(paceMs(5_000)).toBe(100);
  expect(paceMs(1_000_000)).toBe(100);
});
