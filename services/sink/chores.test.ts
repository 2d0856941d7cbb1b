/** The rounds of the chores in virtual time; what they ask and change is tested on the engine (views.real.test.ts). */
import { describe, expect, test } from '@jest/globals';
import { silentLogger, type Logger } from '../runtime/logger.ts';
import { ERASED_WITHIN_MS, runChores } from './chores.ts';
import type { Target } from './target.ts';

const MINUTE_MS = 60_000;

/** A database in which one person is deleted at a moment, and an erasure takes a minute. */
function worldOf(options: {
  readonly deletedAt: number;
  readonly awayUntil?: number;
  readonly failures?: number;
}) {
  let at = 0;
  let erasedAt: number | undefined;
  let failures = options.failures ?? 0;
  const alarms: string[] = [];
  const target: Target = {
    shards: 1,
    ask: (sql) => {
      if (sql.includes('FROM watermark')) return Promise.resolve(['0']);
      return Promise.resolve([at >= options.deletedAt && erasedAt === undefined ? '1' : '0']);
    },
    alter: () => {
      if (failures-- > 0) return Promise.reject(new Error('too busy'));
      at += MINUTE_MS;
      erasedAt = at;
      return Promise.resolve();
    },
    partitionsOf: () => Promise.resolve([]),
    refreshToday: () => Promise.resolve([]),
    check: () => Promise.reject(new Error('not asked by chores')),
    insert: () => Promise.reject(new Error('not asked by chores')),
    present: () => Promise.reject(new Error('not asked by chores')),
    greatest: () => Promise.reject(new Error('not asked by chores')),
    writeWatermarks: () => Promise.reject(new Error('not asked by chores')),
    command: () => Promise.reject(new Error('not asked by chores')),
    close: () => Promise.resolve(),
  };
  const logger: Logger = Object.assign(Object.create(silentLogger) as Logger, {
    error: (_: unknown, text: string) => alarms.push(text),
  });
  const run = async (untilMs: number): Promise<number | undefined> => {
    const stop = new AbortController();
    await runChores(
      {
        target,
        logger,
        sink: () => ({ isRunning: true, failingSince: at < (options.awayUntil ?? 0) ? 0 : undefined }),
        now: () => at,
        pause: (ms) => {
          at += ms;
          if (at >= untilMs) stop.abort();
          return Promise.resolve();
        },
      },
      stop.signal,
    );
    return erasedAt;
  };
  return { run, alarms };
}

describe('the rows of a deleted person', () => {
  test('are off the disk within the stated time, whenever the deletion falls', async () => {
    for (let minute = 0; minute < 130; minute += 7) {
      const deletedAt = minute * MINUTE_MS + 1;
      const erasedAt = await worldOf({ deletedAt }).run(5 * 60 * MINUTE_MS);
      expect({ minute, within: (erasedAt ?? Infinity) - deletedAt <= ERASED_WITHIN_MS }).toEqual({
        minute,
        within: true,
      });
    }
  });
  test('are tried again in the next round when the engine refused, not an hour later', async () => {
    const erasedAt = await worldOf({ deletedAt: 1, failures: 2 }).run(60 * MINUTE_MS);
    expect(erasedAt).toBeLessThan(6 * MINUTE_MS);
  });
});

test('ClickHouse away for an hour: one alarm, and chores wait', async () => {
  const world = worldOf({ deletedAt: 1, awayUntil: 60 * MINUTE_MS });
  const erasedAt = await world.run(100 * MINUTE_MS);
  expect(world.alarms).toEqual(['ClickHouse takes no rows; nothing is lost while the log keeps them']);
  expect(erasedAt).toBeGreaterThan(60 * MINUTE_MS);
});
