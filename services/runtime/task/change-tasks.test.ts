import { describe, expect, test } from '@jest/globals';
import { MemoryLog } from '../../testing/memory/memory-log.ts';
import { MemoryDisk } from '../../testing/memory/memory-stores.ts';
import type { TaskProcess } from '../../testing/toy/task-process.ts';
import { toyService } from '../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../testing/toy/toy-world.ts';
import { silentLogger } from '../logger.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import { changeTasks } from './change-tasks.ts';
import { layoutInForce, readLayout, type Layout } from './layout/layout.ts';
import type { StateFolders } from './task-plan.ts';

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

function folders({ disk }: ToyWorld): StateFolders {
  return { open: (partition) => Promise.resolve(disk.open(`merger/${String(partition)}`, {})) };
}

/** With one snapshot of each, which a lost folder starts from. */
function snapshotted({ disk }: ToyWorld, isFull: () => boolean = () => false): StateFolders {
  return {
    open: (partition) => {
      const [folder, copy] = [`merger/${String(partition)}`, `snapshot/${String(partition)}`];
      if (!disk.has(folder) && disk.has(copy)) disk.copy(copy, folder);
      return Promise.resolve(disk.open(folder, {}));
    },
    snapshots: {
      keep: (partition, stores) => {
        if (isFull()) return Promise.reject(new Error('no space left'));
        stores.flush();
        return stores.snapshot(`snapshot/${String(partition)}`);
      },
      newestAt: () => Promise.resolve(undefined),
    },
  };
}

/**
 * Four tasks, of which the first has written as many batches as any: from its journal to the next layout's there is no
 * gap, so whoever takes its batches for those of another task notices nothing.
 */
async function fourTasks(world: ToyWorld, stores = folders(world)): Promise<void> {
  const process = await world.process({ layout: { layout: 1, tasks: 4 }, stores }).start();
  for (let round = 0; round < 4; round += 1) {
    world.send(20);
    await world.time.run(400);
  }
  await world.time.run(5 * SECOND_MS);
  const lane = Array.from({ length: 20 }, (_, each) => each).find(
    (each) => partitionOf(`w:a:${String(each)}`, 4) === 0,
  );
  const most = Math.max(...[1, 2, 3].map((task) => world.journal(task).length));
  while (world.journal(0).length < most) {
    world.sendTo(lane ?? 0);
    await world.time.run(2 * SECOND_MS);
  }
  await world.stop(process);
}

interface CommandOptions {
  readonly log?: MemoryLog;
  readonly stores?: StateFolders;
}

function command(
  world: ToyWorld,
  tasks: number,
  { log = new MemoryLog(world.broker), stores = folders(world) }: CommandOptions = {},
): Promise<Layout> {
  const ports = {
    log,
    codecs: world.codecs,
    time: world.time,
    logger: silentLogger,
    stores,
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

  test.each([1, 2, 3, 4, 5, 6])(
    'can be run again after it was killed at its request %i to write',
    async (nth) => {
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
      void command(world, 3, { log: dying }).catch(() => undefined);
      await world.time.run(61 * SECOND_MS);
      expect(dying.dead).toBe(true);
      const layout = await command(world, 3);
      await world.process({ layout }).start();
      world.send(20);
      await counts(world);
    },
  );

  test('is refused for more tasks than partitions, and for a service that never ran', async () => {
    const world = new ToyWorld();
    await expect(command(world, 5)).rejects.toThrow(/it has 4 partitions/);
    await expect(command(world, 2)).rejects.toThrow(/it has never run/);
  });

  test('leaves a snapshot of its own moment, so that a folder lost after it comes back', async () => {
    const world = new ToyWorld();
    const stores = snapshotted(world);
    await fourTasks(world, stores);
    // The disk for snapshots is full at first: nothing has changed then.
    const full = snapshotted(world, () => true);
    await expect(command(world, 1, { stores: full })).rejects.toThrow(/no space/);
    const layout = await command(world, 1, { stores });
    for (let partition = 0; partition < 4; partition += 1) world.disk.remove(`merger/${String(partition)}`);
    const process = await world.process({ layout, stores }).start();
    world.send(20);
    await counts(world);
    expect(process.state).toBe('live');
  });

  test.each(['a folder', 'a folder, of which only an older snapshot is left,'])(
    'is not passed over without an alarm by %s that is lost after it',
    async (what) => {
      const world = new ToyWorld();
      if (what !== 'a folder') {
        const early = await world.process({ layout: { layout: 1, tasks: 4 } }).start();
        world.send(20);
        await world.time.run(400);
        await world.stop(early);
        for (let partition = 0; partition < 4; partition += 1) {
          world.disk.copy(`merger/${String(partition)}`, `snapshot/${String(partition)}`);
        }
      }
      await fourTasks(world);
      const layout = await command(world, 1);
      // Task 0's own partition does reach back; the others would take its batches for theirs.
      for (let partition = 1; partition < 4; partition += 1) world.disk.remove(`merger/${String(partition)}`);
      const process = await world.process({ layout, stores: snapshotted(world) }).start();
      await world.time.run(5 * SECOND_MS);
      world.send(20);
      await world.time.run(5 * SECOND_MS);
      expect(process.state).toBe('failed');
      expect(process.failure).toBe('state_lost');
    },
  );

  test('is not undone by a process of before that comes back after it, whatever task that had', async () => {
    const world = new ToyWorld();
    await fourTasks(world);
    const layout = await command(world, 1);
    const late = await world.process({ layout: { layout: 1, tasks: 4 }, disk: new MemoryDisk() }).start();
    await world.process({ layout }).start();
    world.send(20);
    await counts(world);
    await world.time.run(5 * SECOND_MS);
    world.send(20);
    await counts(world);
    expect(late.failure).toBe('layout_differs layout_differs layout_differs layout_differs');
  });

  test.each(Array.from({ length: 39 }, (_, each) => each + 1))(
    'meets a process that comes back at its request %i: it fails and is run again, or stands',
    async (nth) => {
      const world = new ToyWorld();
      await fourTasks(world);
      let count = 0;
      let late: TaskProcess | undefined;
      const log = new MemoryLog(world.broker, {
        // So slow that the other may do what it likes meanwhile.
        delayMs: () => {
          count += 1;
          if (count !== nth) return 0;
          void world
            .process({ layout: { layout: 1, tasks: 4 }, disk: new MemoryDisk() })
            .start()
            .then((process) => {
              late = process;
              world.send(20);
            });
          return 3 * SECOND_MS;
        },
      });
      const layout = await command(world, 3, { log }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'producer_dead' });
        return command(world, 3);
      });
      expect(count).toBeGreaterThanOrEqual(nth);
      await world.process({ layout }).start();
      world.send(20);
      await counts(world);
      await world.time.run(5 * SECOND_MS);
      const isOver = late === undefined || late.log.dead || !late.state.includes('live');
      expect(isOver).toBe(true);
    },
  );

  test.each([1, 2])(
    'that died when it had closed %i of two tasks holds the service back, and goes on, also to another number',
    async (nth) => {
      const world = new ToyWorld();
      const process = await world.process({ layout: { layout: 1, tasks: 2 } }).start();
      world.send(20);
      await counts(world);
      await world.stop(process);
      let count = 0;
      const dying = new MemoryLog(world.broker, {
        fault: (request) => (request === 'commit' && (count += 1) === nth ? 'die_after' : 'none'),
      });
      void command(world, 3, { log: dying }).catch(() => undefined);
      await world.time.run(61 * SECOND_MS);
      expect(dying.dead).toBe(true);
      const ports = { log: new MemoryLog(world.broker), time: world.time };
      const found = await driven(world, readLayout(ports, 'mergerJournal', world.codecs.BatchRecord));
      for (const tasks of [2, 3])
        expect(() => layoutInForce('merger', found, tasks)).toThrow(/has not ended/);
      const layout = await command(world, nth === 1 ? 2 : 4);
      expect(layout).toEqual({ layout: 2, tasks: nth === 1 ? 2 : 4 });
      await world.process({ layout }).start();
      world.send(20);
      await counts(world);
    },
  );

  test('finds the layout behind any number of aborted transactions', async () => {
    const world = new ToyWorld();
    const process = await world.process().start();
    world.send(4);
    await counts(world);
    await world.stop(process);
    const record = {
      topic: 'mergerJournal' as const,
      partition: 0,
      key: null,
      value: Buffer.from('aborted'),
    };
    const epoch = world.broker.initProducer('other', SECOND_MS);
    for (let times = 0; times < 1_500; times += 1) {
      world.broker.append([record], world.broker.transactionOf('other', epoch));
      world.broker.end('other', epoch, 'aborted');
    }
    const ports = { log: new MemoryLog(world.broker), time: world.time };
    const found = await driven(world, readLayout(ports, 'mergerJournal', world.codecs.BatchRecord));
    expect(found).toEqual({ layout: 1, tasks: 1 });
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
