/** SIGTERM finds a task in the middle of something: it ends soon all the same, and nothing is lost by it. */
import { describe, expect, test } from '@jest/globals';
import type { Request } from '../../testing/memory/memory-log.ts';
import { ToyWorld } from '../../testing/toy/toy-world.ts';
import type { StateFolders } from './task-plan.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

async function counts(world: ToyWorld): Promise<void> {
  expect(await world.time.until(() => world.settled(), 120 * SECOND_MS)).toBe(true);
  expect(world.seen('counted')).toEqual(world.expected);
}

/** A copy takes for ever; `ends` says whether it notices that it is told to end. */
function copying(world: ToyWorld, ends: boolean) {
  const seen = { copies: 0, open: 0, closedWhileCopied: 0 };
  const stores: StateFolders = {
    open: (partition) => {
      const opened = world.disk.open(`merger/${String(partition)}`, {});
      seen.open += 1;
      const close = (): void => {
        if (seen.copies > 0) seen.closedWhileCopied += 1;
        seen.open -= 1;
      };
      return Promise.resolve(Object.assign(opened, { close }));
    },
    snapshots: {
      keep: (_, __, signal) => {
        seen.copies += 1;
        return new Promise((done, fail) => {
          signal?.addEventListener('abort', () => {
            if (!ends) return;
            seen.copies -= 1;
            fail(new Error('ended'));
          });
        });
      },
      newestAt: () => Promise.resolve(world.time.now() - DAY_MS),
    },
  };
  return { stores, seen };
}

describe('a task that is told to stop', () => {
  test.each<Request>(['init', 'admin'])(
    'stops within seconds while the broker hangs at %s',
    async (hangs) => {
      const world = new ToyWorld();
      world.send(20);
      const process = await world
        .process({ delayMs: (request) => (request === hangs ? 60 * SECOND_MS : 0) })
        .start();
      await world.time.run(SECOND_MS);
      await world.stop(process); // asserts five seconds
      expect(process.state).toBe('stopped');
      await world.process().start();
      await counts(world);
    },
  );

  test('stops in the middle of a long replay, and goes on from there', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    for (let round = 0; round < 40; round += 1) {
      world.send(4);
      await world.time.run(100);
    }
    first.kill();
    for (let partition = 0; partition < 4; partition += 1) world.disk.remove(`merger/${String(partition)}`);
    // A fetch brings one record, after a while.
    let fetches = 0;
    const late = (): boolean => (fetches += 1) % 100 !== 0;
    const second = await world.process({ sliceRecords: () => 1, late }).start();
    await world.time.run(20 * SECOND_MS);
    expect(second.state).toBe('recovering');
    await world.stop(second);
    expect(second.state).toBe('stopped');
    await world.process().start();
    world.send(4);
    await counts(world);
  });

  test.each([
    ['that ends when it is told to', true],
    ['that does not', false],
  ])('does not wait for a copy of its state %s', async (_, ends) => {
    const world = new ToyWorld();
    const { stores, seen } = copying(world, ends);
    const process = await world.process({ stores }).start();
    world.send(20);
    await counts(world);
    expect(seen.copies).toBe(1);
    await world.stop(process);
    expect(process.state).toBe('stopped');
    expect(seen.closedWhileCopied).toBe(0);
    expect(seen.open).toBe(ends ? 0 : 4);
  });
});

test('a task whose transaction fails while its state is copied is soon live again', async () => {
  const world = new ToyWorld();
  const { stores, seen } = copying(world, true);
  let commits = 0;
  const fault = (request: Request) =>
    request === 'commit' && (commits += 1) === 3 ? ('error_before' as const) : ('none' as const);
  const process = await world.process({ stores, fault }).start();
  for (let round = 0; round < 10; round += 1) {
    world.send(20);
    await world.time.run(300);
  }
  await counts(world);
  expect(commits).toBeGreaterThan(3);
  expect(process.state).toBe('live');
  expect(seen.closedWhileCopied).toBe(0);
});
