import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { CodedError } from '../errors.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import type { Log, TransactionalProducer } from './ports.ts';
import { stockKafka } from '../../testing/log/stock-kafka.ts';
import { runs } from '../../testing/runs.ts';
import { openTestLog, readToEnd, testBrokers, type TestLog } from '../../testing/log/test-log.ts';
import { type Cut, TestProxy } from '../../testing/log/test-proxy.ts';
import { KafkaTransactionalProducer } from './producing/transactional-producer.ts';

let suite: TestLog;
let log: Log;
beforeAll(async () => {
  suite = await openTestLog('transactions', 2);
  log = suite.log;
});
afterAll(async () => {
  await suite.log.close();
});

async function ready(transactionalId: string, timeoutMs = 60_000): Promise<TransactionalProducer> {
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
  }, 300_000);

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
  const endNow = async () => (await log.admin.endOffsets('eventsMerged'))[0];
  const before = await endNow();
  await send(open, 'open');
  await send(other, 'behind');
  await other.commit();
  expect(await endNow()).toBe(before);

  const reader = log.reader({ bufferBytesMax: 1 << 20, fetchBytesMax: 1 << 20, waitMsMax: 50 });
  const at = { topic: 'eventsMerged' as const, partition: 0 };
  await reader.start([{ ...at, offset: before ?? 0 }]);
  await eventually(() => reader.endAsOf(at) !== undefined);
  await reader.wait(400);
  expect(reader.take(1 << 20)).toEqual([]);

  await open.commit();
  const seen: string[] = [];
  while (seen.length < 2) {
    await reader.wait(5_000);
    for (const slice of reader.take(1 << 20))
      slice.forEach((r) => seen.push(r.bytes.toString('utf8', r.valueStart, r.valueEnd)));
  }
  expect(seen).toEqual(['open', 'behind']);
  await Promise.all([reader.close(), open.close(), other.close()]);
}, 300_000);

describe('a change of owner', () => {
  test.each(['send', 'sendOffsets', 'commit', 'abort'] as const)(
    'fences the old one: its %s fails, and its open transaction leaves nothing',
    async (step) => {
      const group = `taken-${step}`;
      const old = await ready(group, 600_000); // nobody waits for its end
      await send(old, `old ${step}`, 1);
      await old.sendOffsets(group, offset(5));
      const next = await ready(group);
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
      const ofThis = async () => (await values(1)).filter((value) => value.endsWith(` ${step}`));
      await eventually(async () => (await ofThis()).length > 0); // its marker follows the acknowledgement
      expect(await ofThis()).toEqual([`new ${step}`]);
      await next.close();
    },
    300_000,
  );
});

test('a commit that meets its successor half way is done or fenced, and nothing else; the successor always starts', async () => {
  const ROUNDS = runs(50);
  const outcomes: string[] = [];
  let owner = await ready('half-way');
  for (let round = 0; round < ROUNDS; round++) {
    await send(owner, 'half-way', 1);
    await owner.sendOffsets('half-way', offset(round));
    const next = await log.transactionalProducer({ transactionalId: 'half-way', timeoutMs: 60_000 });
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
}, 300_000);

describe('a start that follows a kill at once', () => {
  const beforeAny = { ApiVersions: 18, Metadata: 3, FindCoordinator: 10, InitProducerId: 22 };
  const inEach = {
    AddPartitionsToTxn: 24,
    Produce: 0,
    AddOffsetsToTxn: 25,
    TxnOffsetCommit: 28,
    EndTxn: 26,
  };
  const steps = [
    ...Object.entries(beforeAny).map(([name, apiKey]) => ({ name, apiKey, ended: 0 })),
    ...[0, 1].flatMap((ended) => Object.entries(inEach).map(([name, apiKey]) => ({ name, apiKey, ended }))),
  ];
  let lives = 1_000;
  const cuts: readonly Cut[] = ['before it arrives', 'while it is served', 'at its answer'];

  test.each(cuts.flatMap((cut) => steps.map((step) => ({ ...step, cut }))))(
    'is not stopped by what the predecessor had under way: killed at $name after $ended transactions, $cut',
    async ({ name, apiKey, ended, cut }) => {
      const proxy = await TestProxy.open(testBrokers()[0] ?? '');
      let endings = 0;
      let isKilled = false;
      proxy.cutAt = (asked) => {
        if (isKilled) return 'before it arrives'; // what was sent arrives or not, and nothing follows
        isKilled = asked === apiKey && endings === ended;
        if (asked === inEach.EndTxn) endings++;
        return isKilled ? cut : undefined;
      };
      const killed = producerBehind(proxy);
      const lived = twoTransactions(killed, 'killed', 1).then(
        () => 'ended',
        () => 'failed',
      );
      await eventually(() => isKilled);
      if (cut === 'at its answer') await eventually(() => proxy.cuts > 0);
      await proxy.close();
      const at = ++lives;
      const next = await ready('killed');
      await twoTransactions(next, `next to ${name}`, at);
      expect((await log.admin.committedOffsets('killed', 'eventsCollected'))[0]?.offset).toBe(at);
      await Promise.all([next.close(), killed.close()]);
      expect(await lived).toBe('failed');
    },
    300_000,
  );

  async function twoTransactions(producer: TransactionalProducer, value: string, at: number): Promise<void> {
    await producer.init();
    for (let transaction = 0; transaction < 2; transaction++) {
      await send(producer, value, 1);
      await producer.sendOffsets('killed', offset(at));
      await producer.commit();
    }
  }
});

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
    timeoutMs: 60_000,
  });
}

test('a transaction past its timeout is ended by the broker: it has expired, and the producer is dead', async () => {
  const producer = await ready('slow', 1_000);
  await send(producer, 'slow');
  // The broker looks for such transactions every 10 s.
  const failed = (async () => {
    for (;;) {
      await sleep(500);
      await send(producer, 'slow');
    }
  })();
  await expect(failed).rejects.toMatchObject({ code: 'transaction_expired' });
  await expect(producer.commit()).rejects.toMatchObject({ code: 'producer_dead' });
  expect(await values()).not.toContain('slow');
}, 300_000);

test('a transaction may follow a commit at once, and an offset read right after a commit is not stale', async () => {
  const producer = await ready('rapid');
  for (let i = 1; i <= 60; i++) {
    if (i % 2 === 0) await sleep(50); // the markers are written
    await send(producer, `rapid ${String(i)}`);
    await producer.sendOffsets('rapid', [{ ...offset(i)[0], metadata: `at ${String(i)}` } as never]);
    await producer.commit();
    if (i % 3 === 0)
      expect((await log.admin.committedOffsets('rapid', 'eventsCollected'))[0]).toEqual({
        offset: i,
        metadata: `at ${String(i)}`,
      });
  }
  await producer.close();
}, 300_000);

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
}, 300_000);

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
}, 300_000);

/** What an unmodified kafkajs consumer delivers of partition 0 until it is enough (a consumer takes seconds to join its group). */
async function stockValues(topic: string, enough: (values: readonly string[]) => boolean): Promise<string[]> {
  const kafka = stockKafka();
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
  await eventually(() => enough(seen));
  await consumer.disconnect();
  return seen;
}
