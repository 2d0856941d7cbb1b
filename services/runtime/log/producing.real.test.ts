import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { CodedError } from '../errors.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { openLog } from './open-log.ts';
import type { Log } from './ports.ts';
import { IdempotentProducer, type ProducerOptions } from './producing/producer.ts';
import { openTestLog, readToEnd, testBrokers, type TestLog } from '../../testing/log/test-log.ts';
import { type Cut, TestProxy } from '../../testing/log/test-proxy.ts';

const PARTITIONS = 3;
const PENDING_MAX = 10_000;
const PRODUCE = 0;
let suite: TestLog;
let log: Log;
beforeAll(async () => {
  suite = await openTestLog('producing', PARTITIONS);
  log = suite.log;
});
afterAll(async () => {
  await suite.log.close();
});

async function behindProxy(options: Partial<ProducerOptions> = {}) {
  const proxy = await TestProxy.open(testBrokers()[0] ?? '');
  const cluster = new Cluster({
    brokers: [`${proxy.address.host}:${String(proxy.address.port)}`],
    clientId: 'test-proxied',
    frames: new BytePool(0),
    reach: () => proxy.address,
  });
  const producer = await IdempotentProducer.open({
    cluster,
    pool: new BytePool(8 << 20),
    topicName: (topic) => suite.prefix + topics[topic].name,
    linger: { lingerMs: 2, lingerMsMax: 2 },
    pendingRecordsMax: PENDING_MAX,
    pendingBytesMax: 8 << 20,
    sendMsMax: 30_000,
    ...options,
  });
  return { proxy, producer };
}

const readAll = async (topic: 'eventsCollected' | 'activitiesLogged' | 'identityRequests') => {
  const all = await Promise.all([0, 1, 2].map((partition) => readToEnd(log, topic, partition)));
  return all.flat();
};

/** As senders do: again while it is given up, which a busy machine may do to any. */
async function untilTaken(send: () => Promise<number>): Promise<void> {
  for (;;) {
    try {
      await send();
      return;
    } catch (error) {
      if (!(error instanceof CodedError) || !error.retryable) throw error;
    }
  }
}

describe('the producer of ingest', () => {
  test('neither loses nor doubles nor misorders when its connections break again and again', async () => {
    const { proxy, producer } = await behindProxy();
    const EACH_THIRD: readonly Cut[] = ['before it arrives', 'while it is served', 'at its answer'];
    const CUTS = 18;
    let asked = 0;
    proxy.cutAt = (apiKey) =>
      apiKey === PRODUCE && ++asked % 3 === 0 ? EACH_THIRD[(asked / 3) % 3] : undefined;
    const KEYS = 20;
    const sends: Promise<number>[] = [];
    let each = 0;
    for (; proxy.cuts < CUTS; each++) {
      for (let key = 0; key < KEYS; key++)
        sends.push(
          producer.send('eventsCollected', Buffer.from(`key ${String(key)}`), Buffer.from(String(each))),
        );
      await sleep(10);
      await eventually(() => producer.pending < PENDING_MAX / 2);
    }
    const offsets = await Promise.all(sends);
    // Each send is told where its record lies, also one that the broker had already when it was sent again.
    const placed: [string, number][] = offsets.map((offset, send) => [`key ${String(send % KEYS)}`, offset]);
    const written = (await readAll('eventsCollected')).map(({ key, offset }) => [key, offset]);
    expect(placed.map(String).sort()).toEqual(written.map(String).sort());
    const byKey = new Map<string, number[]>();
    for (const { key, value } of await readAll('eventsCollected'))
      byKey.set(key, [...(byKey.get(key) ?? []), Number(value)]);
    expect(byKey.size).toBe(KEYS);
    for (const values of byKey.values()) expect(values).toEqual(Array.from({ length: each }, (_, i) => i));
    await producer.close();
    await proxy.close();
  }, 300_000);

  test('refuses above its maximum of pending records, and takes more when the broker answers again', async () => {
    const { proxy, producer } = await behindProxy({ pendingRecordsMax: 5 });
    const send = () => producer.send('identityRequests', Buffer.from('k'), Buffer.from('v'));
    await send();
    proxy.hold();
    const held = Array.from({ length: 5 }, send);
    await expect(send()).rejects.toMatchObject({ code: 'log_overloaded', retryable: true });
    expect(producer.pending).toBe(5);
    proxy.letGo();
    await Promise.all(held);
    expect(producer.pending).toBe(0);
    await send();
    await producer.close();
    await proxy.close();
  });

  test('gives a send up in time, and goes on with a new id when the broker is back', async () => {
    const { proxy, producer } = await behindProxy({ sendMsMax: 1_000 });
    const send = (value: string) => producer.send('activitiesLogged', Buffer.from('k'), Buffer.from(value));
    await untilTaken(() => send('before'));
    proxy.hold();
    await expect(send('in doubt')).rejects.toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('not acknowledged in 1000 ms'), // and not when its request is past its limit
      retryable: true,
    });
    proxy.cut();
    proxy.letGo();
    for (const value of ['after 1', 'after 2']) await untilTaken(() => send(value));
    const values = (await readAll('activitiesLogged')).map(({ value }) => value);
    const sure = values.filter((value) => value !== 'in doubt');
    expect(sure.filter((value, i) => value !== sure[i - 1])).toEqual(['before', 'after 1', 'after 2']);
    expect(values.filter((value) => value === 'in doubt').length).toBeLessThanOrEqual(1);
    await producer.close();
    await proxy.close();
  });

  test('sends to the partition that it is told, and to that of the key otherwise', async () => {
    const producer = await log.producer({ lingerMs: 0, pendingRecordsMax: 10 });
    await producer.send('eventsDropped', Buffer.from('a'), Buffer.from('told'), 2);
    expect((await readToEnd(log, 'eventsDropped', 2, 1)).map(({ value }) => value)).toEqual(['told']);
    await expect(producer.send('eventsDropped', Buffer.from('a'), Buffer.from('x'), 7)).rejects.toThrow(
      'no partition 7',
    );
    await producer.close();
    await expect(producer.send('eventsDropped', Buffer.from('a'), Buffer.from('x'))).rejects.toMatchObject({
      code: 'log_closed',
    });
  });
});

describe('topics', () => {
  test('are created once, and refused with another partition count', async () => {
    expect((await log.admin.createTopics(PARTITIONS)).created).toEqual([]);
    await expect(log.admin.createTopics(PARTITIONS + 1)).rejects.toMatchObject({
      code: 'topic_partitions_differ',
    });
    expect(await log.admin.partitionsOf('definitions')).toBe(1);
  });

  test('have no committed offset where none was committed', async () => {
    const none = { offset: null, metadata: null };
    expect(await log.admin.committedOffsets('nobody', 'eventsMerged')).toEqual([none, none, none]);
  });
});

test('an address that is none is refused at once', async () => {
  await expect(openLog({ brokers: ['nonsense'], clientId: 'x', prefix: '' })).rejects.toMatchObject({
    code: 'config_invalid',
  });
});
