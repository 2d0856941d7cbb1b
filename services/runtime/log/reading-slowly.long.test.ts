/** What takes the log long: a segment that compaction has emptied, and a request that is left without an answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { fetchRequest } from './protocol/fetch-request.ts';
import { decodeFetched } from './protocol/fetch-response.ts';
import { openLog } from './open-log.ts';
import type { Log } from './ports.ts';
import { request } from './connection/request.ts';
import { stockKafka } from '../../testing/log/stock-kafka.ts';
import { openTestLog, readToEnd, testBrokers, type TestLog } from '../../testing/log/test-log.ts';
import { createStockTopic } from '../../testing/log/stock-topic.ts';
import { TestProxy } from '../../testing/log/test-proxy.ts';

let suite: TestLog;
let stock: Kafka;
beforeAll(async () => {
  suite = await openTestLog('reading-slowly', 1);
  stock = stockKafka();
});
afterAll(async () => {
  await suite.log.close();
});
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('a compacted partition whose first segment holds an emptied batch is read to its end; the stock consumer stalls', async () => {
  const topic = `${suite.prefix}emptied.${topics.peopleChanged.name}`;
  const records = await compactedTopic(topic);
  const emptied = await openEmptiedLog(`${suite.prefix}emptied.`, topic);
  const read = await readToEnd(emptied, 'peopleChanged');
  expect(new Set(read.map(({ key }) => key))).toEqual(records);
  await emptied.close();

  const consumer = stock.consumer({ groupId: `${topic}-stock`, maxWaitTimeInMs: 100 });
  let delivered = 0;
  let fetches = 0;
  consumer.on(consumer.events.FETCH, () => fetches++);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: () => {
      delivered++;
      return Promise.resolve();
    },
  });
  await eventually(() => fetches >= 200);
  await consumer.disconnect();
  expect(delivered).toBe(0); // and spins: two hundred answers, and not one record
}, 300_000);

/**
 * Writes the same keys three times, each time by another idempotent producer. Ten batches fill a segment and leave no
 * room for another, so each time has a segment of its own, at any pace. Compaction, which does not look at the third,
 * leaves of the first nothing but the header that remembers its producer's sequence.
 */
async function compactedTopic(topic: string): Promise<Set<string>> {
  const admin = stock.admin();
  await admin.connect();
  const settings = {
    'cleanup.policy': 'compact',
    'segment.bytes': String(1 << 20),
    'min.cleanable.dirty.ratio': '0.01',
    'min.compaction.lag.ms': '0',
    'delete.retention.ms': '0',
  };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await createStockTopic(admin, { topic, numPartitions: 1, configEntries });
  await admin.disconnect();
  const keys = new Set<string>();
  for (const value of ['one', 'two', 'three']) {
    const producer = stock.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let batch = 0; batch < 10; batch++) {
      const messages = upTo(100).map((i) => ({
        key: `k${String(batch * 100 + i)}`,
        value: value.padEnd(960, 'x'),
      }));
      messages.forEach(({ key }) => keys.add(key));
      await producer.send({ topic, messages });
    }
    await producer.disconnect();
  }
  return keys;
}

/** Waits until the first fetch brings a batch without records and nothing else, as the cleaner leaves it. */
async function openEmptiedLog(prefix: string, topic: string): Promise<Log> {
  const frames = new BytePool(1 << 20);
  const cluster = new Cluster({ brokers: testBrokers(), clientId: 'test-emptied', frames });
  await cluster.addTopics([topic]);
  const broker = await cluster.broker(cluster.leaderOf(topic, 0));
  const wanted = fetchRequest([{ topicName: topic, partition: 0, offset: 0 }], {
    waitMsMax: 100,
    bytesMax: 4 << 20,
    partitionBytesMax: 4 << 20,
  });
  await eventually(async () => {
    await sleep(500);
    const [fetched] = decodeFetched(await request(broker, wanted)).partitions;
    const bytes = fetched?.bytes ?? Buffer.alloc(0);
    const HEADER_ONLY = 61;
    return bytes.length === HEADER_ONLY && bytes.readInt32BE(57) === 0;
  });
  cluster.destroy();
  return await openLog({ brokers: testBrokers(), clientId: 'test-emptied', prefix });
}

test('a request that nobody answers fails at its limit', async () => {
  const proxy = await TestProxy.open(testBrokers()[0] ?? '');
  const brokers = [`${proxy.address.host}:${String(proxy.address.port)}`];
  const cluster = new Cluster({
    brokers,
    clientId: 'test-unanswered',
    frames: new BytePool(1 << 20),
    reach: () => proxy.address,
  });
  await cluster.connect();
  proxy.hold();
  const since = performance.now();
  await expect(cluster.lookUp([])).rejects.toMatchObject({ name: 'KafkaJSRequestTimeoutError' });
  expect((performance.now() - since) / 1_000).toBeGreaterThan(14);
  cluster.destroy();
  await proxy.close();
});
