/** The duplicates window answers by what was added, whatever the size of its table and however often it was opened. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SegmentHashWindow, type HashWindowOptions } from './hash-window.ts';
import { realDisk } from '../open-stores.ts';
import type { LogPosition } from '../segments/log-position.ts';
import { logStart } from '../segments/segment-log.ts';
import { runs } from '../../../testing/runs.ts';

const HOUR = 3_600_000;
/** A disk that others use, too, takes its time. */
const TEST_MS_MAX = 300_000;
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hindsight-window-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

/** What the window promises, on a Map. */
class NaiveWindow {
  readonly #hours = new Map<number, number>();
  readonly #kept = new Set<number>();
  readonly #options: HashWindowOptions;

  constructor(options: HashWindowOptions) {
    this.#options = options;
  }

  get entries(): number {
    return this.#hours.size;
  }

  seen(hash: number, hour: number): boolean {
    const { windowMs, lateMs, entriesMax } = this.#options;
    const added = this.#hours.get(hash);
    if (added !== undefined && Math.abs(hour - added) <= windowMs / HOUR) return true;
    const full = this.#kept.size === (windowMs + lateMs) / HOUR + 1;
    if (!this.#kept.has(hour) && full && hour < Math.min(...this.#kept)) return false;
    if (!this.#kept.has(hour) && full) this.#forgetOldest();
    this.#kept.add(hour);
    this.#hours.set(hash, hour);
    while (this.#hours.size > entriesMax && this.#kept.size > 1) this.#forgetOldest();
    return false;
  }

  #forgetOldest(): void {
    const oldest = Math.min(...this.#kept);
    this.#kept.delete(oldest);
    for (const [hash, hour] of this.#hours) if (hour === oldest) this.#hours.delete(hash);
  }
}

/** Both words of a number, spread as those of real hashes are. */
const highOf = (hash: number): number => Math.imul(hash, 0x85eb_ca6b);
const lowOf = (hash: number): number => Math.imul(hash, 0x9e37_79b1);

interface Step {
  readonly hash: number;
  readonly hour: number;
  /** The window is written and opened again, by its log or by its table. */
  readonly reopened: 'no' | 'log' | 'table';
}
const steps = fc.array(
  fc.record({
    hash: fc.nat(1_000),
    hour: fc.integer({ min: 1, max: 40 }),
    reopened: fc.constantFrom('no', ...Array.from({ length: 60 }, () => 'no' as const), 'log', 'table'),
  }),
  { maxLength: 1_000, size: 'max' },
);

async function opened(at: string, window: SegmentHashWindow, step: Step, options: HashWindowOptions) {
  const position: LogPosition = window.write();
  if (step.reopened === 'table') await window.writeSnapshot(at, position);
  window.close();
  return SegmentHashWindow.open(realDisk, at, { ...position, from: 1 }, options);
}

describe('the duplicates window', () => {
  test(
    'answers as a Map would, opened again at any moment from its log or its table',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.constantFrom(40, 400, 100_000), async (all, entriesMax) => {
          const options = { windowMs: 6 * HOUR, lateMs: 4 * HOUR, entriesMax };
          const at = folder();
          const naive = new NaiveWindow(options);
          let window = SegmentHashWindow.open(realDisk, at, logStart, options);
          const answers: unknown[] = [];
          const expected: unknown[] = [];
          for (const step of all) {
            const { hash, hour } = step;
            if (step.reopened !== 'no') window = await opened(at, window, step, options);
            answers.push([window.seen(highOf(hash), lowOf(hash), hour * HOUR), window.entries]);
            expected.push([naive.seen(hash, hour), naive.entries]);
          }
          window.close();
          expect(answers).toEqual(expected);
        }),
        { numRuns: runs(3) },
      );
    },
    TEST_MS_MAX,
  );

  test('that is full forgets its oldest hours, and counts what it forgot', () => {
    const options = { windowMs: 24 * HOUR, lateMs: 0, entriesMax: 2_000 };
    const window = SegmentHashWindow.open(realDisk, folder(), logStart, options);
    const hashes = 5_000;
    for (let i = 0; i < hashes; i += 1) window.seen(highOf(i), lowOf(i), (i / 200 + 100) * HOUR);
    expect(window.forgottenEarly).toBe(hashes - window.entries);
    expect(window.entries).toBe(2_000);
    expect(window.seen(highOf(3_000), lowOf(3_000), 126 * HOUR)).toBe(true);
    expect(window.seen(highOf(2_999), lowOf(2_999), 126 * HOUR)).toBe(false);
    window.close();
  });

  test('goes on for years with the memory of a day', () => {
    const options = { windowMs: 24 * HOUR, lateMs: 24 * HOUR, entriesMax: 1_000_000 };
    const window = SegmentHashWindow.open(realDisk, folder(), logStart, options);
    for (let i = 0; i < 60_000; i += 1) window.seen(highOf(i), lowOf(i), Math.floor(i / 100) * HOUR);
    expect(window.entries).toBe(4_900);
    expect(window.memory.reduce((sum, chunk) => sum + chunk.byteLength, 0)).toBeLessThan(16 * 4_900);
    window.close();
  });

  test('one event with a wild time takes an hour’s place, no more', () => {
    const options = { windowMs: 2 * HOUR, lateMs: 2 * HOUR, entriesMax: 1_000 };
    const window = SegmentHashWindow.open(realDisk, folder(), logStart, options);
    window.seen(1, 1, 100 * HOUR);
    window.seen(2, 2, 90_000 * HOUR);
    expect(window.seen(1, 1, 101 * HOUR)).toBe(true);
    expect(window.seen(3, 3, 102 * HOUR)).toBe(false);
    expect(window.seen(3, 3, 103 * HOUR)).toBe(true);
    window.close();
  });
});
