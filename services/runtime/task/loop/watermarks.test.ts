import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasGrown, watermarkOf } from './watermarks.ts';

const none = { time: 0, offset: 0 };
const idle = { pending: undefined, next: 40, clock: 100_000, lastReceivedAt: 90_000 };

describe('the watermark of a lane partition', () => {
  test('is the clock and the next offset once everything is read and handled', () => {
    expect(watermarkOf(idle, none)).toEqual({ time: 100_000, offset: 40 });
  });
  test('stays behind a lane that asks or releases', () => {
    const pending = { offset: 31, receivedAt: 80_000 };
    expect(watermarkOf({ ...idle, pending }, none)).toEqual({ time: 80_000, offset: 31 });
  });
  test('follows receive times, a little behind them, while there is more to read', () => {
    expect(watermarkOf({ ...idle, clock: undefined }, none)).toEqual({ time: 88_000, offset: 40 });
  });
  test('stays where it was while nothing has been read', () => {
    const unread = { ...idle, clock: undefined, lastReceivedAt: undefined, next: 0 };
    expect(watermarkOf(unread, { time: 7, offset: 0 })).toEqual({ time: 7, offset: 0 });
  });
  test('never goes back, whatever comes', () => {
    const progress = fc.record({
      pending: fc.option(fc.record({ offset: fc.nat(100), receivedAt: fc.nat(100_000) }), { nil: undefined }),
      next: fc.nat(100),
      clock: fc.option(fc.nat(100_000), { nil: undefined }),
      lastReceivedAt: fc.option(fc.nat(100_000), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(progress), (steps) => {
        let mark = none;
        for (const step of steps) {
          const next = watermarkOf(step, mark);
          expect(next.time).toBeGreaterThanOrEqual(mark.time);
          expect(next.offset).toBeGreaterThanOrEqual(mark.offset);
          mark = next;
        }
      }),
    );
  });
  test('is published when either part has grown', () => {
    expect(hasGrown({ time: 1, offset: 0 }, none)).toBe(true);
    expect(hasGrown({ time: 0, offset: 1 }, none)).toBe(true);
    expect(hasGrown(none, none)).toBe(false);
  });
});
