import { errorCodes } from '../../../schemas/errors.ts';
import type { ErrorEntry } from '../../../schemas/errors/entry.ts';
import { describe, expect, test } from '@jest/globals';
import { MemoryDisk } from '../../testing/memory/memory-stores.ts';
import type { Fault, Request } from '../../testing/memory/memory-log.ts';
import { toyService, toyTimerMs } from '../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../testing/toy/toy-world.ts';
import { CodedError } from '../errors.ts';
import type { StateFolders } from './task-plan.ts';

/** A fault for the nth request of a kind, once. */
function once(kind: Request, nth: number, fault: Fault): (request: Request) => Fault {
  let count = 0;
  return (request) => {
    if (request !== kind) return 'none';
    count += 1;
    return count === nth ? fault : 'none';
  };
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

function snapshottedFolders(disk: MemoryDisk): StateFolders {
  return {
    open: (partition) => {
      const [folder, copy] = [`merger/${String(partition)}`, `snapshot/${String(partition)}`];
      if (!disk.has(folder) && disk.has(copy)) disk.copy(copy, folder);
      return Promise.resolve(disk.open(folder, toyService.stores));
    },
    snapshots: {
      keep: (partition, stores) => {
        stores.flush();
        return stores.snapshot(`snapshot/${String(partition)}`);
      },
      newestAt: () => Promise.resolve(undefined),
    },
  };
}

async function counts(world: ToyWorld): Promise<void> {
  const settled = await world.time.until(() => world.settled(), 120 * SECOND_MS);
  expect(settled).toBe(true);
  expect(world.seen('counted')).toEqual(world.expected);
}

/** What only a person can mend, and no record brings about. */
const standing = Object.entries<ErrorEntry>(errorCodes).flatMap(([code, { follows, ofRecord }]) =>
  follows === 'stands' && ofRecord !== true ? [code as keyof typeof errorCodes] : [],
);

describe('a task', () => {
  test('counts every event once, in order, and fires every timer once', async () => {
    const world = new ToyWorld();
    await world.process().start();
    for (let round = 0; round < 5; round += 1) {
      world.send(20);
      await world.time.run(130);
    }
    await counts(world);
    await world.time.run(2 * toyTimerMs);
    expect(world.seen('timer').length).toBe(world.sent);
  });

  test.each([
    ['before the batch is sent', 'send', 'die_before'],
    ['after the batch is sent, before the commit', 'send', 'die_after'],
    ['before the commit reaches the broker', 'commit', 'die_before'],
    ['after the commit, before its stores learn of it', 'commit', 'die_after'],
  ] as const)('killed %s, loses and doubles nothing', async (_, request, fault) => {
    const world = new ToyWorld();
    world.send(20);
    const first = await world.process({ fault: once(request, 2, fault) }).start();
    await world.time.until(() => world.settled(), 5 * SECOND_MS);
    world.send(20);
    expect(await world.time.until(() => first.log.dead, 10 * SECOND_MS)).toBe(true);
    world.send(20);
    await world.process().start();
    await counts(world);
    await world.time.run(2 * toyTimerMs);
    expect(world.seen('timer').length).toBe(world.sent);
  });

  test.each(['error_before', 'error_after'] as const)(
    'whose commit ends in an unknown outcome (%s) finds out by its journal',
    async (fault) => {
      const world = new ToyWorld();
      const process = await world.process({ fault: once('commit', 3, fault) }).start();
      for (let round = 0; round < 6; round += 1) {
        world.send(20);
        await world.time.run(200);
      }
      await counts(world);
      expect(process.log.dead).toBe(false);
      expect(process.state).toBe('live');
      const sequences = world.journal().map((batch) => batch.sequence);
      expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    },
  );

  test('goes on where the journal says, when the offsets of the group have expired', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(20);
    await counts(world);
    await world.stop(first);
    world.broker.expireGroupOffsets();
    world.send(20);
    await world.process().start();
    await counts(world);
  });

  test('replays from the first batch when its folders are lost and the log reaches back', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    for (let round = 0; round < 3; round += 1) {
      world.send(20);
      world.define(`d${String(round)}`);
      await world.time.run(2 * SECOND_MS);
    }
    await counts(world);
    first.kill();
    const second = await world.process({ disk: new MemoryDisk() }).start();
    world.send(20);
    await counts(world);
    expect(second.state).toBe('live');
  });

  test('refuses to go live when its folders are lost and the log does not reach back', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(20);
    await counts(world);
    await world.stop(first);
    world.broker.expire(toyService.journal, 0, 2);
    world.send(20);
    const second = await world.process({ disk: new MemoryDisk() }).start();
    await world.time.run(30 * SECOND_MS);
    expect(second.state).toBe('failed');
    expect(second.failure).toBe('state_lost');
    expect(Object.values(second.service.ready()).every((part) => part.ok)).toBe(false);
  });

  test('goes on where its stores say when the journal has expired', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(20);
    await counts(world);
    await world.time.run(2 * toyTimerMs);
    await world.stop(first);
    world.broker.expire(toyService.journal, 0, world.broker.partition(toyService.journal, 0).end);
    await world.process().start();
    world.send(20);
    await counts(world);
    const [batch] = world.journal();
    expect(batch?.sequence).toBeGreaterThan(1);
  });

  test('refuses to go live when the journal has expired and a partition stands behind the others', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(20);
    await counts(world);
    await world.stop(first);
    world.disk.copy('merger/1', 'snapshot/1');
    const second = await world.process().start();
    world.send(20);
    await counts(world);
    await world.time.run(2 * toyTimerMs);
    await world.stop(second);
    // Partition 1 starts from an older snapshot; the batches between it and the others are gone.
    world.disk.copy('snapshot/1', 'merger/1');
    world.broker.expire(toyService.journal, 0, world.broker.partition(toyService.journal, 0).end);
    const third = await world.process().start();
    await world.time.run(30 * SECOND_MS);
    expect(third.state).toBe('failed');
    expect(third.failure).toBe('state_lost');
    expect(world.seen('counted')).toEqual(world.expected);
  });

  test('says in events.dropped what the log no longer had, once, and goes on', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(20);
    await counts(world);
    await world.stop(first);
    const unread = world.broker.topic('eventsCollected').map((partition) => partition.end);
    world.send(20);
    const ends = world.broker.topic('eventsCollected').map((partition) => partition.end);
    ends.forEach((end, partition) => {
      world.broker.expire('eventsCollected', partition, end);
    });
    // The first process that finds it dies before it can say so.
    const second = await world.process({ fault: once('commit', 1, 'die_before') }).start();
    await world.time.run(SECOND_MS);
    expect(second.log.dead).toBe(true);
    const third = await world.process().start();
    await world.time.run(20 * SECOND_MS);
    expect(third.state).toBe('live');
    await world.stop(third);
    await world.process().start();
    await world.time.run(20 * SECOND_MS);
    const rows = world.broker
      .committed('eventsDropped')
      .map(({ record }) => world.codecs.DroppedEvent.decode(record.value ?? Buffer.alloc(0)));
    expect(new Set(rows.map(({ reason, stage }) => `${reason} ${stage}`))).toEqual(
      new Set(['input_expired merger']),
    );
    expect(rows.map(({ detail }) => detail)).toEqual(
      unread.flatMap((from, partition) => {
        const to = ends[partition] ?? 0;
        return from < to ? [JSON.stringify({ topic: 'events.collected', partition, from, to })] : [];
      }),
    );
  });

  test('starts from a snapshot when its folders are lost and the log does not reach back', async () => {
    const world = new ToyWorld();
    const stores = snapshottedFolders(world.disk);
    const first = await world.process({ stores }).start();
    world.send(20);
    await counts(world);
    world.time.jump(DAY_MS); // the daily snapshot is due
    await world.time.run(10 * SECOND_MS);
    world.send(20);
    await counts(world);
    first.kill();
    for (let partition = 0; partition < 4; partition += 1) world.disk.remove(`merger/${String(partition)}`);
    world.broker.expire(toyService.journal, 0, 2);
    const second = await world.process({ stores }).start();
    world.send(20);
    await counts(world);
    expect(second.state).toBe('live');
  });

  test('stands still when a replay differs from what was committed', async () => {
    const world = new ToyWorld();
    const first = await world.process({ fault: once('commit', 3, 'die_after') }).start();
    for (let round = 0; round < 4; round += 1) {
      world.send(20);
      await world.time.run(200);
    }
    expect(first.log.dead).toBe(true);
    const changed = {
      ...toyService,
      open: (...[partition, partitions, stores, codecs]: Parameters<typeof toyService.open>) => {
        const processor = toyService.open(partition, partitions, stores, codecs);
        const onBatchEnd: typeof processor.onBatchEnd = (batch, out) => {
          out.emit('activitiesLogged', 'w:a:1', Buffer.from(`another answer ${String(batch.sequence)}`));
        };
        return Object.assign(processor, { onBatchEnd });
      },
    };
    const second = await world.process({ spec: changed }).start();
    await world.time.run(10 * SECOND_MS);
    expect(second.failure).toBe('replay_differs');
    expect(second.state).toBe('failed');
    // The right code recovers from the same state.
    await world.process().start();
    world.send(20);
    await counts(world);
  });

  test('stands still when the decider has changed with batches left to replay', async () => {
    const world = new ToyWorld();
    await world.process({ fault: once('commit', 3, 'die_after') }).start();
    for (let round = 0; round < 4; round += 1) {
      world.send(20);
      await world.time.run(200);
    }
    const second = await world.process({ spec: { ...toyService, deciderVersion: 2 } }).start();
    await world.time.run(10 * SECOND_MS);
    expect(second.failure).toBe('decider_changed');
  });

  test('sends a record that cannot be decoded to the dead letters, with a row, and goes on', async () => {
    const world = new ToyWorld();
    await world.process().start();
    world.send(8);
    world.sendValue('w:a:1', Buffer.from('not avro'));
    world.sendValue('w:a:2', Buffer.from([0, 0, 0, 0, 99, 1]));
    world.send(8);
    await counts(world);
    const letters = world.broker.committed('deadLetters');
    expect(
      letters.map(({ record }) => world.codecs.DeadLetter.decode(record.value ?? Buffer.alloc(0)).topic),
    ).toEqual(['events.collected', 'events.collected']);
    const rows = world.broker.committed('eventsDropped');
    expect(
      rows.map(({ record }) => world.codecs.DroppedEvent.decode(record.value ?? Buffer.alloc(0)).reason),
    ).toEqual(['undecodable', 'undecodable']);
  });

  test('finishes its batch, commits and flushes when it is stopped', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(20);
    await world.time.run(20); // taken, not yet committed
    await world.stop(first);
    expect(world.seen('counted')).toEqual(world.expected);
    expect(first.state).toBe('stopped');
    const marks = [0, 1, 2, 3].map((partition) => world.disk.open(`merger/${String(partition)}`, {}).mark);
    expect(marks).toEqual([0, 1, 2, 3].map(() => world.journal().at(-1)?.sequence));
  });

  test.each(standing)(
    'stands still with an alarm, instead of trying for ever, at what no retry can change: %s',
    async (code) => {
      const world = new ToyWorld();
      world.send(1);
      const failing = {
        ...toyService,
        open: (...[partition, partitions, stores, codecs]: Parameters<typeof toyService.open>) =>
          Object.assign(toyService.open(partition, partitions, stores, codecs), {
            onRecord: () => {
              throw new CodedError(code, 'could not do it');
            },
          }),
      };
      const process = await world.process({ spec: failing }).start();
      await world.time.run(10 * SECOND_MS);
      expect(process.state).toBe('failed');
      expect(process.exits).toEqual([]);
    },
  );

  test('stands still with an alarm when the log has lost what was read from it', async () => {
    const world = new ToyWorld();
    const process = await world.process().start();
    world.send(20);
    await counts(world);
    world.broker.partition('eventsCollected', 1).truncate(0);
    await world.time.run(10 * SECOND_MS);
    const again = world.process();
    for (const each of [process, await again.start()]) {
      await world.time.run(10 * SECOND_MS);
      expect(each.state).toBe('failed');
      expect(each.failure).toBe('log_truncated');
      expect(Object.values(each.service.ready()).some((part) => part.ok)).toBe(false);
      expect(each.exits).toEqual([]); // a process that ends would be started again, for ever
    }
  });

  test('is not ready while it gets nothing but errors from a partition, and says which', async () => {
    const error = new CodedError('log_unavailable', 'could not fetch it');
    let forMs = 29_000;
    const failing = () => [{ topic: 'eventsCollected' as const, partition: 2, forMs, error }];
    const world = new ToyWorld();
    const process = await world.process({ failing }).start();
    await world.time.run(SECOND_MS);
    expect(process.service.ready()).toEqual({ 'task 0': { ok: true, detail: 'live' } });
    forMs = 31_000;
    expect(process.service.ready()).toEqual({
      'task 0': {
        ok: false,
        detail: 'live: reads nothing of eventsCollected 2 for 31 s (could not fetch it)',
      },
    });
    expect(process.service.status().gauges.failing_reads).toBe(1);
  });

  test('closes the stores of a partition whose processor cannot be opened', async () => {
    const world = new ToyWorld();
    let open = 0;
    const asked: number[] = [];
    const stores: StateFolders = {
      open: (partition) => {
        const opened = world.disk.open(`merger/${String(partition)}`, {});
        asked.push(partition);
        open += 1;
        const close = opened.close.bind(opened);
        return Promise.resolve(
          Object.assign(opened, {
            close: () => {
              open -= 1;
              close();
            },
          }),
        );
      },
    };
    const broken = {
      ...toyService,
      open: (): never => {
        throw new Error('its state makes no sense');
      },
    };
    const process = await world.process({ spec: broken, stores }).start();
    await world.time.run(SECOND_MS);
    expect(asked).not.toEqual([]); // else there is nothing to close
    expect(open).toBe(0);
    await world.stop(process);
    expect(open).toBe(0);
  });

  test.each([
    ['with a snapshot', true],
    ['without one, from the logs', false],
  ])('whose state is found damaged goes on with state made anew: %s', async (_, isKept) => {
    const world = new ToyWorld();
    const aside: number[] = [];
    let damage: CodedError | undefined;
    const folders = snapshottedFolders(world.disk);
    const stores: StateFolders = {
      ...folders,
      open: async (partition) =>
        Object.defineProperty(await folders.open(partition), 'damage', {
          get: () => (partition === 2 ? damage : undefined),
        }),
      setAside: (partition, found) => {
        expect(found).toBe(damage);
        aside.push(partition);
        damage = undefined;
        world.disk.remove(`merger/${String(partition)}`);
        return Promise.resolve();
      },
    };
    let isHarmed = false;
    const spec: typeof toyService = {
      ...toyService,
      open: (partition, partitions, opened, codecs) => {
        const processor = toyService.open(partition, partitions, opened, codecs);
        const onRecord = processor.onRecord.bind(processor);
        return Object.assign(processor, {
          onRecord: (...args: Parameters<typeof onRecord>) => {
            onRecord(...args);
            if (!isHarmed || partition !== 2) return;
            isHarmed = false;
            throw (damage = new CodedError('store_damaged', 'could not read an event'));
          },
        });
      },
    };
    const process = await world.process({ spec, stores }).start();
    world.send(20);
    await counts(world);
    if (isKept) {
      const snapshot = process.service.snapshot();
      await world.time.run(SECOND_MS);
      await snapshot;
    }
    world.send(20);
    await counts(world);
    isHarmed = true;
    world.send(20);
    await counts(world);
    expect(aside).toEqual([2]);
    expect(process.state).toBe('live');
    expect(process.exits).toEqual([]);
  });

  test('writes nothing while nothing happens', async () => {
    const world = new ToyWorld();
    await world.process().start();
    world.send(4);
    await counts(world);
    await world.time.run(2 * toyTimerMs);
    const ends = world.broker.topic('mergerJournal').map((partition) => partition.end);
    await world.time.run(60 * SECOND_MS);
    expect(world.broker.topic('mergerJournal').map((partition) => partition.end)).toEqual(ends);
  });
});
