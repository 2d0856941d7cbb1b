import { describe, expect, jest, test } from '@jest/globals';
import { MemoryLog } from '../../testing/memory-log.ts';
import { toyService } from '../../testing/toy-service.ts';
import { ToyWorld } from '../../testing/toy-world.ts';
import { silentLogger } from '../logger.ts';
import { changeTasks } from './change-tasks.ts';
import { layoutInForce, readLayout, type Layout } from './layout.ts';

// Virtual time costs real time on a busy machine.
jest.setTimeout(30_000);

const SECOND_MS = 1_000;

async function driven<T>(world: ToyWorld, work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  ended.catch(() => undefined); // told by the await below
  await world.time.until(() => done, 60 * SECOND_MS);
  return ended;
}

function command(world: ToyWorld, tasks: number, log = new MemoryLog(world.broker)): Promise<Layout> {
  const ports = {
    log,
    codecs: world.codecs,
    time: world.time,
    logger: silentLogger,
    stores: {
      open: (partition: number) => Promise.resolve(world.disk.open(`merger/${String(partition)}`, {})),
    },
    learn: () => Promise.resolve(false),
    newBatchId: () => 'layout',
  };
  return driven(world, changeTasks({ spec: toyService, partitions: 4, tasks, ports }));
}

async function counts(world: ToyWorld): Promise<void> {
  expect(await world.time.until(() => world.settled(), 60 * SECOND_MS)).toBe(true);
  expect(world.seen('counted')).toEqual(world.expected);
}

describe('changing the number of tasks', () => {
  test('keeps every count, up and down again, also after kills', async () => {
    const world = new ToyWorld();
    let layout: Layout = { layout: 1, tasks: 1 };
    for (const tasks of [3, 2, 4, 1]) {
      const process = await world.process({ layout }).start();
      for (let round = 0; round < 3; round += 1) {
        world.send(20);
        await world.time.run(400);
      }
      process.kill();
      world.send(20);
      layout = await command(world, tasks);
      expect(layout.tasks).toBe(tasks);
    }
    expect(layout.layout).toBe(5);
    await world.process({ layout }).start();
    world.send(20);
    await counts(world);
    await world.time.run(5 * SECOND_MS);
    expect(world.seen('timer').length).toBe(world.sent);
  });

  test('fences a process that was not stopped', async () => {
    const world = new ToyWorld();
    const process = await world.process().start();
    world.send(20);
    await world.time.run(SECOND_MS);
    const layout = await command(world, 2);
    world.send(20);
    await world.time.run(SECOND_MS);
    expect(process.exits).toEqual([1]);
    await world.process({ layout }).start();
    await counts(world);
  });

  test.each([1, 2, 3, 4])('can be run again after it was killed at its request %i to write', async (nth) => {
    const world = new ToyWorld();
    const process = await world.process().start();
    world.send(20);
    await counts(world);
    await world.stop(process);
    let count = 0;
    const dying = new MemoryLog(world.broker, {
      fault: (request) => {
        if (request !== 'init' && request !== 'send' && request !== 'commit') return 'none';
        count += 1;
        return count === nth ? 'die_before' : 'none';
      },
    });
    void command(world, 3, dying).catch(() => undefined);
    await world.time.run(61 * SECOND_MS);
    expect(dying.dead).toBe(true);
    const layout = await command(world, 3);
    await world.process({ layout }).start();
    world.send(20);
    await counts(world);
  });

  test('is refused for more tasks than partitions, and for a service that never ran', async () => {
    const world = new ToyWorld();
    await expect(command(world, 5)).rejects.toThrow(/it has 4 partitions/);
    await expect(command(world, 2)).rejects.toThrow(/it has never run/);
  });

  test('is what a start with another number asks for', async () => {
    const world = new ToyWorld();
    const process = await world.process().start();
    world.send(4);
    await counts(world);
    await world.stop(process);
    const log = new MemoryLog(world.broker);
    const ports = { log, time: world.time };
    const found = await driven(world, readLayout(ports, 'mergerJournal', world.codecs.BatchRecord));
    expect(found).toEqual({ layout: 1, tasks: 1 });
    expect(layoutInForce('merger', found, 1)).toEqual(found);
    expect(() => layoutInForce('merger', found, 2)).toThrow(/written by 1/);
    expect(layoutInForce('merger', undefined, 2)).toEqual({ layout: 1, tasks: 2 });
  });
});
