import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PartitionStores } from '../../store/ports.ts';
import { FlushSchedule } from './flush-schedule.ts';

const INTERVAL_MS = 2_000;
const INPUT_BYTES_MAX = 64 << 20;
/** Of parts of a turn that are added up. */
const ROUNDING_MS = 1;

/** What is asked of a partition's stores: when, and whether what was committed last is with it. */
class AskedStores {
  readonly askedAt: number[] = [];
  now = 0;
  isStale = false;

  readonly stores = {
    startFlush: () => this.#ask(),
    flush: () => void this.#ask(),
  } as unknown as PartitionStores; // a schedule asks nothing else

  #ask(): boolean {
    this.askedAt.push(this.now);
    this.isStale = false;
    return true;
  }
}

function scheduled(partitions: number) {
  const asked = Array.from({ length: partitions }, () => new AskedStores());
  const schedule = new FlushSchedule(asked, 0);
  const tick = (now: number) => {
    for (const one of asked) one.now = now;
    schedule.tick(now);
  };
  const commit = (bytes: number) => {
    for (const one of asked) one.isStale = true;
    schedule.committed(bytes);
  };
  return { asked, tick, commit };
}

describe('the stores of a task are flushed', () => {
  test('one partition at a time where batches are short', () => {
    const { asked, tick, commit } = scheduled(8);
    for (let now = 0; now <= 10_000; now += 10) {
      commit(1_000);
      tick(now);
      expect(asked.filter(({ askedAt }) => askedAt.at(-1) === now).length).toBeLessThanOrEqual(1);
    }
    for (const { askedAt } of asked) expect(askedAt.length).toBe(5);
  });

  test('each of them within two seconds and a batch, however batches lie', () => {
    const batches = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), batches, (partitions, lengths) => {
        const { asked, tick, commit } = scheduled(partitions);
        const longest = Math.max(...lengths);
        let now = 0;
        for (const ms of lengths) {
          now += ms;
          commit(1);
          tick(now);
          for (const { askedAt } of asked) {
            expect(now - (askedAt.at(-1) ?? 0)).toBeLessThan(INTERVAL_MS + longest + ROUNDING_MS);
          }
        }
      }),
    );
  });

  test('sooner where much is read', () => {
    const { asked, tick, commit } = scheduled(4);
    for (let now = 1; now <= 4; now += 1) {
      commit(INPUT_BYTES_MAX / 4);
      tick(now);
    }
    expect(asked.map(({ askedAt }) => askedAt)).toEqual([[1], [2], [3], [4]]);
  });

  test('all of them once nothing more comes, by and by', () => {
    const { asked, tick, commit } = scheduled(8);
    commit(1);
    for (let now = 0; now <= INTERVAL_MS; now += 250) tick(now);
    expect(asked.some(({ isStale }) => isStale)).toBe(false);
  });
});
