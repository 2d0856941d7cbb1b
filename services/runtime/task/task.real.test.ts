/** The shell on a real broker: killed, stopped, put to sleep, and cut off from the answer to its commit. */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../../schemas/codec.ts';
import { collectedEvent } from '../../testing/collected-event.ts';
import { ToyChild } from '../../testing/toy-child.ts';
import { toyService } from '../../testing/toy-service.ts';
import { silentLogger } from '../logger.ts';
import { openLog } from '../log/open-log.ts';
import type { Log, Producer, TransactionalProducer } from '../log/ports.ts';
import { registerSchemas } from '../registry.ts';
import { StaticAssignment } from './assignment.ts';
import { scan } from './log-scan.ts';
import { stateFolders } from './snapshots.ts';
import { TaskService } from './task-service.ts';
import { systemTime } from './time.ts';

jest.setTimeout(120_000);
const PARTITIONS = 4;
const LANES = 10;
const SETTLE_MS_MAX = 30_000;

let codecs: Codecs;
let log: Log | undefined;
let producer: Producer;
let prefix: string;
let sent: number;

beforeAll(async () => {
  codecs = await registerSchemas({ url: process.env.TEST_SCHEMA_REGISTRY_URL ?? '' });
});
beforeEach(async () => {
  await log?.close();
  prefix = `task-${String(process.pid)}-${String(Date.now())}-`;
  const opened = await open();
  log = opened;
  await opened.admin.createTopics(PARTITIONS);
  producer = await opened.producer({ lingerMs: 2, pendingRecordsMax: 10_000 });
  sent = 0;
});
afterAll(async () => {
  await log?.close();
});

function open(): Promise<Log> {
  const brokers = (process.env.TEST_KAFKA_BROKERS ?? '').split(',');
  return openLog({ brokers, clientId: 'task-test', prefix });
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'task-real-'));
}

/** One event of each lane. */
async function send(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const sends: Promise<unknown>[] = [];
    for (let lane = 0; lane < LANES; lane += 1) {
      const event = collectedEvent({ message_id: `m${String(sent)}`, received_at: Date.now() });
      sent += 1;
      const key = Buffer.from(`w:a:${String(lane)}`);
      sends.push(producer.send('eventsCollected', key, codecs.CollectedEvent.encode(event)));
    }
    await Promise.all(sends);
  }
}

/** The counts of each lane as readers see them, in order. */
async function counted(): Promise<Map<string, number[]>> {
  if (log === undefined) throw new Error('the log is open before each test');
  const ends = await log.admin.endOffsets('activitiesLogged');
  const counts = new Map<string, number[]>();
  const stretches = ends.map((to, partition) => ({
    topic: 'activitiesLogged' as const,
    partition,
    from: 0,
    to,
  }));
  for await (const slice of scan({ log, time: systemTime }, stretches)) {
    slice.forEach((record) => {
      const activity = codecs.Activity.decode(record.bytes, record.valueStart, record.valueEnd);
      if (activity.kind !== 'counted') return;
      const { count } = JSON.parse(activity.detail ?? '{}') as { readonly count: number }; // by the toy service
      const lane = activity.anonymous_id ?? '';
      counts.set(lane, [...(counts.get(lane) ?? []), count]);
    });
  }
  return counts;
}

async function expectCounted(): Promise<void> {
  const expected = Array.from({ length: sent / LANES }, (_, index) => index + 1);
  const end = Date.now() + SETTLE_MS_MAX;
  for (;;) {
    const counts = await counted();
    const total = [...counts.values()].reduce((sum, lane) => sum + lane.length, 0);
    if (total < sent && Date.now() < end) {
      await sleep(100);
      continue;
    }
    for (let lane = 0; lane < LANES; lane += 1) expect(counts.get(`w:a:${String(lane)}`)).toEqual(expected);
    expect(total).toBe(sent);
    return;
  }
}

describe('a task on a real broker', () => {
  test('killed with -9 again and again under load, loses and doubles nothing, and is soon live again', async () => {
    const options = { dataFolder: newFolder(), prefix, partitions: PARTITIONS };
    let child = new ToyChild(options);
    await child.live();
    for (let kill = 0; kill < 3; kill += 1) {
      for (let round = 0; round < 10; round += 1) {
        await send(3);
        await sleep(7 * round);
      }
      child.signal('SIGKILL');
      await child.exited;
      await send(2);
      child = new ToyChild(options);
      await child.live();
    }
    await expectCounted();
    child.signal('SIGTERM');
    const stoppedAt = Date.now();
    expect(await child.exited).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
  });

  test('put to sleep and woken when another has taken over, changes nothing and ends with code 1', async () => {
    const zombie = new ToyChild({ dataFolder: newFolder(), prefix, partitions: PARTITIONS });
    await zombie.live();
    await send(5);
    await expectCounted();
    zombie.signal('SIGSTOP');
    await send(5);
    const owner = new ToyChild({ dataFolder: newFolder(), prefix, partitions: PARTITIONS });
    await owner.live();
    await expectCounted();
    await send(5);
    zombie.signal('SIGCONT');
    expect(await zombie.exited).toBe(1);
    await expectCounted();
    owner.signal('SIGTERM');
    expect(await owner.exited).toBe(0);
  });

  test.each(['before', 'after'] as const)(
    'whose connection is lost %s its commit takes effect, finds out and goes on',
    async (when) => {
      const ownLog = await open();
      const service = inProcess(faulty(ownLog, when));
      await service.start();
      for (let round = 0; round < 12; round += 1) {
        await send(1);
        await sleep(60);
      }
      await expectCounted();
      expect(service.status().tasks.map(({ state }) => state)).toEqual(['live']);
      await service.stop();
      await ownLog.close();
    },
  );
});

function inProcess(ownLog: Log): TaskService {
  const dataFolder = newFolder();
  return new TaskService({
    spec: toyService,
    layout: { layout: 1, tasks: 1 },
    partitions: PARTITIONS,
    standingClock: false,
    ports: {
      log: ownLog,
      codecs,
      time: systemTime,
      logger: silentLogger,
      stores: stateFolders({
        dataFolder,
        snapshotFolder: join(dataFolder, 'snapshots'),
        service: 'merger',
        needs: toyService.stores,
        time: systemTime,
      }),
      learn: () => Promise.resolve(false),
      newBatchId: () => 'batch',
    },
    assignment: new StaticAssignment({ instance: 0, instances: 1, tasks: 1, exit: () => undefined }),
    onGivenUp: () => undefined,
  });
}

/** The real log, but the third commit of its first producer fails, before or after it has reached the broker. */
function faulty(real: Log, when: 'before' | 'after'): Log {
  let commits = 0;
  const spoil = (producer: TransactionalProducer): TransactionalProducer => ({
    init: () => producer.init(),
    send: (outputs) => producer.send(outputs),
    sendOffsets: (group, offsets) => producer.sendOffsets(group, offsets),
    abort: () => producer.abort(),
    close: () => producer.close(),
    commit: async () => {
      commits += 1;
      if (commits === 3 && when === 'before') throw new Error('the connection was lost');
      await producer.commit();
      if (commits === 3) throw new Error('the connection was lost');
    },
  });
  return {
    admin: real.admin,
    reader: (options) => real.reader(options),
    transactionalProducer: async (options) => spoil(await real.transactionalProducer(options)),
    producer: (options) => real.producer(options),
    newOutputBuffer: () => real.newOutputBuffer(),
    close: () => real.close(),
  };
}
