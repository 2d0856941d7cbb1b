import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CompressionTypes, type Kafka } from 'kafkajs';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { FetchLoop } from './reading/fetch-loop.ts';
import { fetchRequest } from './protocol/fetch-request.ts';
import { decodeFetched } from './protocol/fetch-response.ts';
import { openLog } from './open-log.ts';
import type { Log, LogReader } from './ports.ts';
import { request } from './connection/request.ts';
import { stockKafka } from '../../testing/log/stock-kafka.ts';
import { openTestLog, readToEnd, testBrokers, type TestLog } from '../../testing/log/test-log.ts';
import { createStockTopic } from '../../testing/log/stock-topic.ts';
import { TestProxy } from '../../testing/log/test-proxy.ts';

const PARTITIONS = 2;
let suite: TestLog;
let log: Log;
let stock: Kafka;
beforeAll(async () => {
  suite = await openTestLog('reading', PARTITIONS);
  log = suite.log;
  stock = stockKafka();
});
afterAll(async () => {
  await suite.log.close();
});

/** Records of sizeBytes, a batch for every batchRecords, values counting up. */
async function fill(
  topic: 'eventsCollected' | 'identityRequests' | 'activitiesLogged',
  count: number,
  sizeBytes: number,
) {
  const producer = await log.transactionalProducer({ transactionalId: `fill-${topic}`, timeoutMs: 10_000 });
  await producer.init();
  const outputs = log.newOutputBuffer();
  for (let i = 0; i < count; i++) {
    outputs.append(topic, 0, null, Buffer.from(String(i).padEnd(sizeBytes, ' ')));
    if (i % 10 < 9 && i < count - 1) continue;
    await producer.send(outputs);
    outputs.clear();
  }
  await producer.commit();
  await producer.close();
}

/** Values of partition 0 as numbers, from where the reader stands, until there are count of them. */
async function take(reader: LogReader, count: number): Promise<number[]> {
  const seen: number[] = [];
  const deadline = performance.now() + 60_000;
  while (seen.length < count && performance.now() < deadline) {
    await reader.wait(1_000);
    for (const slice of reader.take(1 << 20)) {
      slice.forEach((r) => seen.push(Number(r.bytes.toString('utf8', r.valueStart, r.valueEnd))));
      slice.release();
    }
  }
  return seen;
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('a reader', () => {
  test('with a full buffer stops asking, and goes on when something is taken', async () => {
    await fill('eventsCollected', 600, 10_000);
    const BUFFER = 500_000;
    const reader = log.reader({ bufferBytesMax: BUFFER, fetchBytesMax: 200_000, waitMsMax: 50 });
    await reader.start([{ topic: 'eventsCollected', partition: 0, offset: 0 }]);
    await eventually(() => reader.bufferedBytes > BUFFER - 64_000); // with less room than that it does not ask
    const full = reader.bufferedBytes;
    const BATCH = 110_000; // the first batch of an answer comes whole, whatever room is left
    expect(full).toBeLessThanOrEqual(BUFFER + BATCH);
    await sleep(500);
    expect(reader.bufferedBytes).toBe(full);
    expect(reader.endAsOf({ topic: 'eventsCollected', partition: 0 })).toBeUndefined();
    expect(await take(reader, 600)).toEqual(upTo(600));
    const readAt = Date.now();
    await eventually(() => {
      for (const slice of reader.take(1 << 20)) slice.release();
      return (reader.endAsOf({ topic: 'eventsCollected', partition: 0 }) ?? 0) > readAt;
    });
    expect(reader.endAsOf({ topic: 'eventsCollected', partition: 0 })).toBeLessThanOrEqual(Date.now());
    await reader.close();
  }, 180_000);

  const both = [0, 1].map((partition) => ({ topic: 'eventsCollected' as const, partition, offset: 0 }));

  test('that is paced asks at once while it is behind, and rests when it has read everything', async () => {
    const reader = log.reader({ bufferBytesMax: 1 << 20, fetchBytesMax: 200_000, waitMsMax: 50 });
    reader.pace(600_000); // had it rested while it was behind, this test would not end
    await reader.start(both);
    expect(await take(reader, 600)).toEqual(upTo(600));
    await eventually(() => {
      for (const slice of reader.take(1 << 20)) slice.release(); // the marker of the commit
      return both.every((at) => reader.endAsOf(at) !== undefined);
    });
    const producer = await log.producer({ lingerMs: 0, pendingRecordsMax: 1_000 });
    await producer.send('eventsCollected', Buffer.from('lane'), Buffer.from('0'), 1);
    await reader.wait(500);
    expect(reader.bufferedBytes).toBe(0);
    await Promise.all([producer.close(), reader.close()]);
  }, 180_000);

  test('that is paced goes on after each rest, with what came meanwhile in one answer', async () => {
    const PACE_MS = 400;
    const reader = log.reader({ bufferBytesMax: 1 << 20, fetchBytesMax: 200_000, waitMsMax: 50 });
    reader.pace(PACE_MS);
    const [, at] = both.map((each) => ({ ...each, topic: 'deadLetters' as const }));
    if (at === undefined) throw new Error('there are two partitions');
    const since = performance.now();
    await reader.start([at]);
    const producer = await log.producer({ lingerMs: 0, pendingRecordsMax: 1_000 });
    const sending = (async (): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await producer.send(at.topic, Buffer.from('lane'), Buffer.from(String(i)), at.partition);
        await sleep(20);
      }
    })();
    const seen: number[] = [];
    let answers = 0;
    while (seen.length < 60) {
      await reader.wait(1_000);
      for (const slice of reader.take(1 << 20)) {
        answers += 1;
        slice.forEach((r) => seen.push(Number(r.bytes.toString('utf8', r.valueStart, r.valueEnd))));
        slice.release();
      }
    }
    const restsMax = (performance.now() - since) / (PACE_MS - 1); // timers are never early by more
    await sending;
    expect(seen).toEqual(upTo(60));
    expect(answers).toBeLessThanOrEqual(restsMax + 1);
    await Promise.all([producer.close(), reader.close()]);
  }, 180_000);

  test('whose connections break reads on, each record once and in order', async () => {
    const BYTES = 400 * 20_000;
    await fill('identityRequests', 400, 20_000);
    const proxy = await TestProxy.open(testBrokers()[0] ?? '');
    // A batch of ten comes whole, whatever was asked for: one gets through, and the next is cut short.
    const BYTES_PER_CUT_MAX = 440_000;
    proxy.cutAfterAnswers((cuts) => BYTES_PER_CUT_MAX - ((cuts * 37_000) % 190_000));
    const frames = new BytePool(8 << 20);
    const cluster = new Cluster({
      brokers: [`${proxy.address.host}:${String(proxy.address.port)}`],
      clientId: 'test-broken',
      frames,
      reach: () => proxy.address,
    });
    const reader = new FetchLoop({
      cluster,
      frames,
      topicName: (topic) => suite.prefix + topics[topic].name,
      bufferBytesMax: 1 << 20,
      fetchBytesMax: 300_000,
      waitMsMax: 50,
    });
    await reader.start([{ topic: 'identityRequests', partition: 0, offset: 0 }]);
    const seen = await take(reader, 400);
    expect(proxy.cuts).toBeGreaterThan(BYTES / BYTES_PER_CUT_MAX - 1);
    expect(seen).toEqual(upTo(400));
    await reader.close();
    await proxy.close();
  }, 180_000);

  test('that is told to start where the log has nothing says so, and whether it once had', async () => {
    const TOPIC = 'segmentsChanged';
    const producer = await log.producer({ lingerMs: 0, pendingRecordsMax: 10 });
    for (let i = 0; i < 5; i++) await producer.send(TOPIC, Buffer.from('k'), Buffer.from(String(i)), 0);
    await producer.close();
    const admin = stock.admin();
    await admin.connect();
    const topic = suite.prefix + topics[TOPIC].name;
    await admin.fetchTopicOffsets(topic); // or it does not know who leads it
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] }); // as retention does
    await admin.disconnect();
    for (const [offset, code] of [
      [1, 'offset_out_of_range'],
      [1_000_000, 'log_truncated'],
    ] as const) {
      const reader = log.reader({ bufferBytesMax: 1 << 20, fetchBytesMax: 1 << 20, waitMsMax: 50 });
      await reader.start([{ topic: TOPIC, partition: 0, offset }]);
      await expect(reader.wait(60_000)).rejects.toMatchObject({ code, retryable: false });
      expect(() => reader.take(1)).toThrow(expect.objectContaining({ code }));
      await reader.close();
    }
  });

  test('reads what another client compressed with gzip', async () => {
    const producer = stock.producer();
    await producer.connect();
    const messages = upTo(100).map((i) => ({ value: String(i) }));
    const topic = suite.prefix + topics.deadLetters.name;
    await producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: messages.map((m) => ({ ...m, partition: 0 })),
    });
    await producer.disconnect();
    expect((await readToEnd(log, 'deadLetters', 0, 100)).map(({ value }) => Number(value))).toEqual(
      upTo(100),
    );
  });

  test('gives the time at which the broker appended a record, whatever its sender says', async () => {
    const producer = stock.producer();
    await producer.connect();
    const topic = suite.prefix + topics.eventsDropped.name;
    await producer.send({ topic, messages: [{ value: 'old', timestamp: '1000000000000', partition: 0 }] });
    await producer.disconnect();
    const reader = log.reader({ bufferBytesMax: 1 << 20, fetchBytesMax: 1 << 20, waitMsMax: 50 });
    await reader.start([{ topic: 'eventsDropped', partition: 0, offset: 0 }]);
    await reader.wait(10_000);
    const times: number[] = [];
    for (const slice of reader.take(1 << 20)) slice.forEach(({ appendedAt }) => times.push(appendedAt));
    expect(times).toHaveLength(1);
    expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(60_000);
    await reader.close();
  });
});

describe('a compacted partition', () => {
  test('whose first segment holds an emptied batch is read to its end; the stock consumer stalls', async () => {
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
});

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
