import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CompressionTypes, type Kafka } from 'kafkajs';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { FetchLoop } from './reading/fetch-loop.ts';
import type { Log, LogReader } from './ports.ts';
import { stockKafka } from '../../testing/log/stock-kafka.ts';
import { openTestLog, readToEnd, testBrokers, type TestLog } from '../../testing/log/test-log.ts';
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
  const producer = await log.transactionalProducer({ transactionalId: `fill-${topic}`, timeoutMs: 60_000 });
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
  const deadline = performance.now() + 120_000;
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
  }, 300_000);

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
  }, 300_000);

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
  }, 300_000);

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
  }, 300_000);

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
