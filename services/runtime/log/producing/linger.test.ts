import { expect, test } from '@jest/globals';
import { Linger } from './linger.ts';

/** So many per ms, for a second. */
function after(perMs: number): number {
  const linger = new Linger({ lingerMs: 2, lingerMsMax: 20 });
  for (let ms = 10; ms <= 1_000; ms += 10) {
    linger.came(perMs * 10);
    linger.flushed(ms);
  }
  return linger.ms;
}

test('a record alone waits for the least time, and the more come the longer, up to the most', () => {
  expect(after(0)).toBe(2);
  expect(after(0.5)).toBe(2);
  expect(after(4)).toBe(8);
  expect(after(10)).toBe(20);
  expect(after(1_000)).toBe(20);
});

test('once nothing comes any more, the next waits for the least time again', () => {
  const linger = new Linger({ lingerMs: 2, lingerMsMax: 20 });
  linger.came(10_000);
  linger.flushed(100);
  linger.came(10_000);
  linger.flushed(200);
  expect(linger.ms).toBe(20);
  linger.flushed(2_000);
  expect(linger.ms).toBe(2);
});
