import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { topics } from '../../../schemas/topics.ts';
import { CodedError } from '../errors.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './cluster.ts';
import type { Log, TransactionalProducer } from './ports.ts';
import { openTestLog, readToEnd, testBrokers, type TestLog } from './test-log.ts';
import { TestProxy } from './test-proxy.ts';
import { KafkaTransactionalProducer } from './transactional-producer.ts';

let suite: TestLog;
let log: Log;
beforeAll(async () => {
  suite = await openTestLog('transactions', 2);
  log = suite.log;
});
afterAll(async () => {
  await suite.log.close();
});

async function ready(transactionalId: string, timeoutMs = 10_000): Promise<TransactionalProducer> {
  const producer = await log.transactionalProducer({ transactionalId, timeoutMs });
  await producer.init();
  return producer;
}

async function send(producer: TransactionalProducer, value: string, partition = 0): Promise<void> {
  const outputs = log.newOutputBuffer();
  outputs.append('eventsMerged', partition, Buffer.from('key'), Buffer.from(value));
  await producer.send(outputs);
  outputs.clear();
}

const values = async (partition = 0) =>
  (await readToEnd(log, 'eventsMerged', partition)).map(({ value }) => value);
const offset = (of: number) => [{ topic: 'eventsCollected' as const, partition: 0, offset: of }];

describe('aborted transactions', () => {
  test('that overlap on a partition are never visible; the stock consumer of kafkajs delivers some', async () => {
    const ROUNDS = 10;
    const topic = 'segmentsChanged';
    const [a, b, c] = [await ready('overlap-a'), await ready('overlap-b'), await ready('overlap-c')];
    const add = async (producer: TransactionalProducer, value: string) => {
      const outputs = log.newOutputBuffer();
      outputs.append(topic, 0, null, Buffer.from(value));
      await producer.send(outputs);
    };
    for (let round = 0; round < ROUNDS; round++) {
      await add(a, 'aborted');
      await add(b, 'aborted');
      await add(a, 'aborted');
      await b.abort();
      await add(a, 'aborted');
      await a.abort();
      await add(c, 'committed');
      await c.commit();
    }
    const ours = (await readToEnd(log, topic, 0, ROUNDS)).map(({ value }) => value);
    expect(ours).toEqual(Array.from({ length: ROUNDS }, () => 'committed'));

    const stock = await stockValues(
      suite.prefix + topics[topic].name,
      (seen) => seen.filter((value) => value === 'committed').length >= ROUNDS,
    );
    expect(stock).toContain('aborted');
    await Promise.all([a, b, c].map((producer) => producer.close()));
  }, 60_000);

  test('leave no offset behind', async () => {
    const producer = await ready('abort-offsets');
    await send(producer, 'abort-offsets', 1);
    await producer.sendOffsets('abort-offsets', offset(7));
    await producer.abort();
    expect((await log.admin.committedOffsets('abort-offsets', 'eventsCollected'))[0]?.offset).toBeNull();
    expect(await values(1)).not.toContain('abort-offsets');
    await producer.close();
  });
});

test('records of an open transaction are held back, and those behind it too, until it is decided', async () => {
  const [open, other] = [await ready('open'), await ready('other')];
  const before = await log.admin.endOffsets('eventsMerged');
  await send(open, 'open');
  await send(other, 'behind');
  await other.commit();
  expect(await log.admin.endOffsets('eventsMerged')).toEqual(before);

  const reader = log.reader({ bufferBytesMax: 1 << 20, fetchBytesMax: 1 << 20, waitMsMax: 50 });
  const at = { topic: 'eventsMerged' as const, partition: 0 };
  await reader.start([{ ...at, offset: before[0] ?? 0 }]);
  await reader.wait(400);
  expect(reader.take(1 << 20)).toEqual([]);
  expect(reader.endAsOf(at)).toBeDefined();

  await open.commit();
  const seen: string[] = [];
  while (seen.length < 2) {
    await reader.wait(5_000);
    for (const slice of reader.take(1 << 20))
      slice.forEach((r) => seen.push(r.bytes.toString('utf8', r.valueStart, r.valueEnd)));
  }
  expect(seen).toEqual(['open', 'behind']);
  await Promise.all([reader.close(), open.close(), other.close()]);
}, 30_000);

describe('a change of owner', () => {
  test.each(['send', 'sendOffsets', 'commit', 'abort'] as const)(
    'fences the old one: its %s fails, and its open transaction leaves nothing',
    async (step) => {
      const group = `taken-${step}`;
      const old = await ready(group);
      await send(old, `old ${step}`, 1);
      await old.sendOffsets(group, offset(5));
      const startedAt = performance.now();
      const next = await ready(group);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect((await log.admin.committedOffsets(group, 'eventsCollected'))[0]?.offset).toBeNull();

      const zombie = {
        send: () => send(old, `zombie ${step}`, 1),
        sendOffsets: () => old.sendOffsets(group, offset(6)),
        commit: () => old.commit(),
        abort: () => old.abort(),
      };
      await expect(zombie[step]()).rejects.toMatchObject({ code: 'producer_dead', retryable: false });
      await expect(old.commit()).rejects.toMatchObject({ code: 'producer_dead' });

      await send(next, `new ${step}`, 1);
      await next.sendOffsets(group, offset(9));
      await next.commit();
      expect((await log.admin.committedOffsets(group, 'eventsCollected'))[0]?.offset).toBe(9);
      const seen = await values(1);
      expect(seen.filter((value) => value.endsWith(` ${step}`))).toEqual([`new ${step}`]);
      await next.close();
    },
    30_000,
  );
});

test('a commit that meets its successor half way is done or fenced, and nothing else; the successor always starts', async () => {
  const ROUNDS = 150;
  const outcomes: string[] = [];
  let owner = await ready('half-way');
  for (let round = 0; round < ROUNDS; round++) {
    await send(owner, 'half-way', 1);
    await owner.sendOffsets('half-way', offset(round));
    const next = await log.transactionalProducer({ transactionalId: 'half-way', timeoutMs: 10_000 });
    const init = next.init();
    await sleep((round % 15) / 3); // the commit arrives before, during and after
    const outcome = owner.commit().then(
      () => 'committed',
      (error: unknown) => (error instanceof CodedError ? error.code : String(error)),
    );
    await init; // the predecessor's epoch does not stop it
    outcomes.push(await outcome);
    await owner.close();
    owner = next;
  }
  await owner.close();
  expect(new Set([...outcomes, 'committed', 'producer_dead'])).toEqual(
    new Set(['committed', 'producer_dead']),
  );
}, 60_000);

test('a start that follows a kill at once is not stopped by what the predecessor had under way', async () => {
  const ROUNDS = 40;
  let transactionsBefore = 0;
  const since = performance.now();
  const first = await ready('killed');
  await send(first, 'killed', 1);
  await first.commit();
  await first.close();
  const aLifeMs = 2 * (performance.now() - since); // on this machine, as busy as it is
  for (let round = 0; round < ROUNDS; round++) {
    const proxy = await TestProxy.open(testBrokers()[0] ?? '');
    const killed = producerBehind(proxy);
    const working = (async () => {
      await killed.init();
      for (;;) {
        await send(killed, 'killed', 1);
        await killed.sendOffsets('killed', offset(round));
        await killed.commit();
        transactionsBefore += 1;
      }
    })();
    working.catch(() => undefined);
    await sleep(((round % 20) / 20) * aLifeMs); // in init, in the first transaction, between two, …
    await proxy.close(); // as a kill does: what was sent arrives or not, and nothing follows
    const next = await ready('killed');
    for (let transaction = 0; transaction < 3; transaction++) {
      await send(next, `next ${String(round)}`, 1);
      await next.sendOffsets('killed', offset(1_000 + round));
      await next.commit();
    }
    expect((await log.admin.committedOffsets('killed', 'eventsCollected'))[0]?.offset).toBe(1_000 + round);
    await Promise.all([next.close(), killed.close()]);
  }
  expect(transactionsBefore).toBeGreaterThan(ROUNDS / 2);
}, 60_000);

/** Its connections lead through the proxy. */
function producerBehind(proxy: TestProxy): KafkaTransactionalProducer {
  const cluster = new Cluster({
    brokers: [`${proxy.address.host}:${String(proxy.address.port)}`],
    clientId: 'test-killed',
    frames: new BytePool(0),
    reach: () => proxy.address,
  });
  return new KafkaTransactionalProducer({
    cluster,
    topicName: (topic) => suite.prefix + topics[topic].name,
    groupName: (group) => suite.prefix + group,
    transactionalId: `${suite.prefix}killed`,
    timeoutMs: 10_000,
  });
}

test('a transaction past its timeout is ended by the broker: the producer is dead', async () => {
  const producer = await ready('slow', 1_000);
  await send(producer, 'slow');
  // The broker looks for such transactions every 10 s.
  const failed = (async () => {
    for (;;) {
      await sleep(500);
      await send(producer, 'slow');
    }
  })();
  await expect(failed).rejects.toMatchObject({ code: 'producer_dead' });
  await expect(producer.commit()).rejects.toMatchObject({ code: 'producer_dead' });
  expect(await values()).not.toContain('slow');
}, 40_000);

test('a transaction may follow a commit at once, and an offset read right after a commit is not stale', async () => {
  const producer = await ready('rapid');
  const took: number[] = [];
  for (let i = 1; i <= 60; i++) {
    const startedAt = performance.now();
    await send(producer, `rapid ${String(i)}`);
    await producer.sendOffsets('rapid', [{ ...offset(i)[0], metadata: `at ${String(i)}` } as never]);
    await producer.commit();
    took.push(performance.now() - startedAt);
    if (i % 3 === 0)
      expect((await log.admin.committedOffsets('rapid', 'eventsCollected'))[0]).toEqual({
        offset: i,
        metadata: `at ${String(i)}`,
      });
  }
  // kafkajs sleeps 300 ms when it meets the markers of the transaction before.
  expect(took.sort((a, b) => a - b)[30]).toBeLessThan(250);
  await producer.close();
}, 60_000);

test('6,000 large events to one partition are split into batches that the broker takes, in order', async () => {
  const producer = await ready('large');
  const outputs = log.newOutputBuffer();
  for (let i = 0; i < 6_000; i++)
    outputs.append('journeysEntered', 1, null, Buffer.from(String(i).padEnd(1_500, ' ')));
  await producer.send(outputs);
  outputs.clear();
  await producer.commit();
  const read = await readToEnd(log, 'journeysEntered', 1, 6_000);
  expect(read.map(({ value }) => Number(value))).toEqual(Array.from({ length: 6_000 }, (_, i) => i));
  await producer.close();
}, 30_000);

test('one record near the broker limit passes; one above it is refused before it is sent', async () => {
  const producer = await ready('largest');
  const outputs = log.newOutputBuffer();
  outputs.append('journeysEntered', 0, null, Buffer.alloc(1_048_000, 'x'));
  expect(() => {
    outputs.append('journeysEntered', 0, null, Buffer.alloc(1_048_576));
  }).toThrow(expect.objectContaining({ code: 'record_too_large' }));
  await producer.send(outputs);
  await producer.commit();
  expect((await readToEnd(log, 'journeysEntered', 0, 1))[0]?.value.length).toBe(1_048_000);
  await producer.close();
}, 30_000);

/** What an unmodified kafkajs consumer delivers of partition 0 until it is enough, 20 s at most. */
async function stockValues(topic: string, enough: (values: readonly string[]) => boolean): Promise<string[]> {
  const kafka = new Kafka({ clientId: 'stock', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `${topic}-stock`, maxWaitTimeInMs: 100 });
  const seen: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ partition, message }) => {
      if (partition === 0) seen.push(message.value?.toString() ?? '');
      return Promise.resolve();
    },
  });
  for (let i = 0; i < 200 && !enough(seen); i++) await sleep(100);
  await consumer.disconnect();
  return seen;
}
