import { expect, test } from '@jest/globals';
import { Unsynced } from './unsynced.ts';

/** Syncs that end when the test says so. */
function ports() {
  const ends: (() => void)[] = [];
  const now: number[] = [];
  const unsynced = new Unsynced({
    sync: () => new Promise<void>((resolve) => ends.push(resolve)),
    syncNow: (segment) => now.push(segment),
    syncFolder: () => undefined,
    failed: () => undefined,
  });
  return { unsynced, ends, now };
}

test('the end of an older sync says nothing of one that began after it', async () => {
  const { unsynced, ends, now } = ports();
  unsynced.wrote(1);
  const older = unsynced.sync();
  unsynced.syncNow();
  unsynced.wrote(1);
  const newer = unsynced.sync();
  ends.shift()?.();
  await older;
  expect(unsynced.isBusy).toBe(true);
  expect(unsynced.isUnderWay(1)).toBe(true);
  now.length = 0;
  unsynced.syncNow();
  expect(now).toEqual([1]);
  ends.shift()?.();
  await newer;
  expect(unsynced.isBusy).toBe(false);
});
