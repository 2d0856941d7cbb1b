/**
 * kill -9 for real: a process works on the stores until it is killed at a random moment, again and again on the same folder.
 * Each time it holds what a model says of its mark, and its mark is not behind what it had said.
 */
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../testing/random.ts';
import { expectModel, StoresModel } from '../../testing/stores/stores-model.ts';
import { modelNeeds, smallSizes, stepsOf } from '../../testing/stores/stores-steps.ts';
import { openPartitionStores, realDisk } from './open-stores.ts';
import { runs } from '../../testing/runs.ts';

const KILLS = runs(2);
const LINES_MAX = 60;
/** Between a line and the kill: anything may be under way. */
const WAIT_MS_MAX = 6;
jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), 'hindsight-killed-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs until so many lines have come, then kills. Returns the last mark that was told. */
async function workAndKill(at: string, seed: number, { lines, waitMs }: Moment): Promise<number> {
  const child = spawn(process.execPath, ['services/testing/stores/store-child.ts', at, String(seed)], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_, signal) => {
      resolve(signal);
    });
  });
  let [told, count] = [0, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    told = Number(line);
    count += 1;
    if (count === lines) {
      await sleep(waitMs);
      child.kill('SIGKILL');
    }
  }
  expect(await exited).toBe('SIGKILL');
  return told;
}

interface Moment {
  readonly lines: number;
  readonly waitMs: number;
}

describe('stores whose process is killed', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  test(`hold what was marked, ${String(KILLS)} times (seed ${String(seed)})`, async () => {
    const random = new Random(seed);
    let model = new StoresModel();
    let applied = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const moment = { lines: 1 + random.below(LINES_MAX), waitMs: random.next() * WAIT_MS_MAX };
      const told = await workAndKill(folder, seed, moment);
      const stores = openPartitionStores(folder, modelNeeds, { ...realDisk, ...smallSizes });
      expect(stores.mark).toBeGreaterThanOrEqual(told);
      if (stores.mark < applied) [model, applied] = [new StoresModel(), 0];
      for (; applied < stores.mark; applied += 1) {
        for (const one of stepsOf(seed, applied + 1)) model.apply(one);
      }
      expectModel(stores, model);
      stores.close();
    }
    expect(applied).toBeGreaterThan(0);
  });
});
