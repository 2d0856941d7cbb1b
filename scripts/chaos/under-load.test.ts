import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { underLoad, type Load } from './under-load.ts';

const workMs = 60_000;

function newLoad(failure?: Error): Load & { readonly ended: () => boolean } {
  let end = (): void => undefined;
  let ended = false;
  const told = new Promise<void>((resolve) => (end = resolve));
  return {
    run: async () => {
      if (failure !== undefined) throw failure;
      await told;
      ended = true;
    },
    end: () => {
      end();
    },
    ended: () => ended,
  };
}

describe('work under a load', () => {
  test('ends the load when it is done, and waits for its end', async () => {
    const load = newLoad();
    expect(await underLoad(load, () => Promise.resolve(7))).toBe(7);
    expect(load.ended()).toBe(true);
  });

  test('is broken off when the load fails, and says why the load failed', async () => {
    const failure = new Error('a call was not acknowledged');
    const working = underLoad(newLoad(failure), (signal) => sleep(workMs, undefined, { signal }));
    await expect(working).rejects.toBe(failure);
  });

  test('ends the load when it fails itself', async () => {
    const load = newLoad();
    const failure = new Error('a victim could not be found');
    await expect(underLoad(load, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(load.ended()).toBe(true);
  });
});
