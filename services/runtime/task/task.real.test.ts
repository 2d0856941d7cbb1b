/** The shell on a real broker: killed, stopped, put to sleep, and cut off from the answer to its commit. */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../../schemas/codec.ts';
import type { Activity } from '../../../schemas/records.ts';
import { topics } from '../../../schemas/topics.ts';
import { collectedEvent } from '../../testing/collected-event.ts';
import { ToyChild } from '../../testing/toy-child.ts';
import { toyService, watermarkedToyService } from '../../testing/toy-service.ts';
import { silentLogger } from '../logger.ts';
import { BytePool } from '../log/byte-pool.ts';
import { Cluster } from '../log/cluster.ts';
import { FetchLoop } from '../log/fetch-loop.ts';
import { openLog } from '../log/open-log.ts';
import type { Log, Producer, TransactionalProducer } from '../log/ports.ts';
import { testBrokers } from '../log/test-log.ts';
import { TestProxy } from '../log/test-proxy.ts';
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

/** What the toy service wrote to a topic, as readers see it: partition by partition, in order. */
async function activities(topic: 'activitiesLogged' | 'segmentsChanged'): Promise<readonly Activity[]> {
  if (log === undefined) throw new Error('the log is open before each test');
  const ends = await log.admin.endOffsets(topic);
  const seen: Activity[] = [];
  const stretches = ends.map((to, partition) => ({ topic, partition, from: 0, to }));
  for await (const slice of scan({ log, time: systemTime }, stretches)) {
    slice.forEach((record) => {
      seen.push(codecs.Activity.decode(record.bytes, record.valueStart, record.valueEnd));
    });
  }
  return seen;
}

/** The counts of each lane, in order. */
async function counted(): Promise<Map<string, number[]>> {
  const counts = new Map<string, number[]>();
  for (const activity of await activities('activitiesLogged')) {
    if (activity.kind !== 'counted') continue;
    const { count } = JSON.parse(activity.detail ?? '{}') as { readonly count: number }; // by the toy service
    const lane = activity.anonymous_id ?? '';
    counts.set(lane, [...(counts.get(lane) ?? []), count]);
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

  test('stopped with SIGTERM under load ends within 5 s, and the next goes on where it stopped', async () => {
    const options = { dataFolder: newFolder(), prefix, partitions: PARTITIONS };
    for (let stop = 0; stop < 3; stop += 1) {
      const child = new ToyChild(options);
      await child.live();
      const underLoad = new AbortController();
      const sending = (async () => {
        while (!underLoad.signal.aborted) await send(20);
      })();
      await sleep(600 + 150 * stop);
      child.signal('SIGTERM');
      const stoppedAt = Date.now();
      expect(await child.exited).toBe(0);
      expect(Date.now() - stoppedAt).toBeLessThan(5_000);
      underLoad.abort();
      await sending;
    }
    const last = new ToyChild(options);
    await last.live();
    await expectCounted();
    last.signal('SIGTERM');
    expect(await last.exited).toBe(0);
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

  test('whose fetches hang while its commits go through, lets no watermark pass what waits unread', async () => {
    const ownLog = await open();
    const proxy = await TestProxy.open(testBrokers()[0] ?? '');
    const service = inProcess(readingThrough(proxy, ownLog), watermarkedToyService);
    await service.start();
    await send(1);
    await expectCounted();
    await sleep(1_500);
    proxy.hold();
    await sleep(200); // answers that the proxy had let through have been taken
    const sentAt = Date.now();
    await send(1);
    await sleep(4_000);
    const whileHeld = await activities('segmentsChanged');
    proxy.letGo();
    await expectCounted();
    await sleep(2_500);
    await service.stop();
    expect(whileHeld.filter(({ timestamp }) => timestamp > sentAt)).toEqual([]);
    const after = await activities('segmentsChanged');
    expect(after.filter(({ timestamp }) => timestamp > sentAt).length).toBeGreaterThan(0);
    await proxy.close();
    await ownLog.close();
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

function inProcess(ownLog: Log, spec = toyService): TaskService {
  const dataFolder = newFolder();
  return new TaskService({
    spec,
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
        logger: silentLogger,
      }),
      learn: () => Promise.resolve(false),
      newBatchId: () => 'batch',
    },
    assignment: new StaticAssignment({ instance: 0, instances: 1, tasks: 1, exit: () => undefined }),
    onGivenUp: () => undefined,
  });
}

/** The real log, but its readers go through the proxy. */
function readingThrough(proxy: TestProxy, real: Log): Log {
  const frames = new BytePool(8 << 20);
  return {
    ...passedOn(real),
    reader: (options) => {
      const brokers = [`${proxy.address.host}:${String(proxy.address.port)}`];
      const cluster = new Cluster({ brokers, clientId: 'task-test', frames, reach: () => proxy.address });
      return new FetchLoop({
        ...options,
        cluster,
        frames,
        topicName: (topic) => prefix + topics[topic].name,
      });
    },
  };
}

function passedOn(real: Log): Log {
  return {
    admin: real.admin,
    reader: (options) => real.reader(options),
    transactionalProducer: (options) => real.transactionalProducer(options),
    producer: (options) => real.producer(options),
    newOutputBuffer: () => real.newOutputBuffer(),
    close: () => real.close(),
  };
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
    ...passedOn(real),
    transactionalProducer: async (options) => spoil(await real.transactionalProducer(options)),
  };
}
