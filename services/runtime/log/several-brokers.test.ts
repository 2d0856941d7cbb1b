/** What one broker alone never says: leaders and coordinators that move or are gone, faults, and answers with holes. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../testing/eventually.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { Coordinator } from './connection/coordinator.ts';
import { FetchLoop } from './reading/fetch-loop.ts';
import { produceInOrder } from './producing/produce-in-order.ts';
import { IdempotentProducer } from './producing/producer.ts';
import { ScriptedBrokers, scriptedTopic } from '../../testing/log/scripted-brokers.ts';

const [PRODUCE, FIND_COORDINATOR, INIT_PRODUCER_ID] = [0, 10, 22];
const [SERVER_FAULT, OUT_OF_RANGE, CORRUPT, NOT_LEADER, OUT_OF_ORDER, FENCED] = [-1, 1, 2, 6, 45, 47];

let brokers: ScriptedBrokers;
let cluster: Cluster;

beforeEach(async () => {
  brokers = await ScriptedBrokers.open(2);
  cluster = new Cluster({ brokers: brokers.addresses, clientId: 'test', frames: new BytePool(1 << 20) });
  await cluster.addTopics([scriptedTopic]);
});
afterEach(async () => {
  cluster.destroy();
  await brokers.close();
});

function item(partition: number) {
  return { topicName: scriptedTopic, partition, batch: Buffer.from('a sealed batch') };
}

function producer(sendMsMax = 10_000): Promise<IdempotentProducer> {
  const pool = new BytePool(1 << 20);
  const limits = {
    linger: { lingerMs: 1, lingerMsMax: 1 },
    pendingRecordsMax: 100,
    pendingBytesMax: 1 << 20,
    sendMsMax,
  };
  return IdempotentProducer.open({ cluster, pool, topicName: () => scriptedTopic, ...limits });
}

async function send(to: IdempotentProducer, partition: number): Promise<number> {
  return await to.send('eventsCollected', Buffer.from('key'), Buffer.from('value'), partition);
}

describe('the batches of a transaction', () => {
  test('go to the new leader when one has moved', async () => {
    brokers.produce = ({ node }) => {
      brokers.leaders = [0, 1];
      return node === 0 && brokers.count(PRODUCE) === 1 ? NOT_LEADER : 0;
    };
    await produceInOrder(cluster, 'id', [item(1)]);
    expect(brokers.count(PRODUCE, 1)).toBe(1);
  });

  test.each([
    ['is left out of the answer', 'nothing'],
    ['meets a fault of the broker', SERVER_FAULT],
    ['arrives damaged', CORRUPT],
  ] as const)('count one that %s as not sent, and send it again', async (_, verdict) => {
    brokers.produce = ({ partition, before }) => (partition === 1 && before === 0 ? verdict : 0);
    await produceInOrder(cluster, 'id', [item(0), item(1)]);
    expect(brokers.count(PRODUCE)).toBe(2);
  });

  test.each([OUT_OF_ORDER, FENCED])('end their producer at error %i', async (code) => {
    brokers.produce = () => code;
    await expect(produceInOrder(cluster, 'id', [item(0)])).rejects.toMatchObject({ code: 'producer_dead' });
    expect(brokers.count(PRODUCE)).toBe(1);
  });
});

describe('a record of ingest', () => {
  test.each([SERVER_FAULT, CORRUPT, NOT_LEADER, 'nothing'] as const)(
    'whose answer is %s is sent again with its sequence, not given up',
    async (verdict) => {
      brokers.produce = ({ before }) => (before === 0 ? verdict : 0);
      const to = await producer();
      expect(await send(to, 0)).toBe(0);
      expect(brokers.count(INIT_PRODUCER_ID)).toBe(1);
      await to.close();
    },
  );

  test('that is never answered costs one producer id, and holds up no other partition', async () => {
    brokers.leaders = [0, 1];
    await cluster.refresh();
    brokers.produce = ({ partition }) => (partition === 0 ? 'never' : 0);
    const to = await producer(3_000);
    await expect(send(to, 0)).rejects.toMatchObject({ code: 'log_unavailable' });
    for (let more = 0; more < 20; more += 1) {
      expect(await send(to, 1)).toBe(0);
      await sleep(100); // it looks for what is late every half second
    }
    expect(brokers.count(INIT_PRODUCER_ID)).toBe(2);
    cluster.destroy();
  });
});

describe('a reader', () => {
  const places = [0, 1].map((partition) => ({ topic: 'eventsCollected' as const, partition, offset: 0 }));
  let reader: FetchLoop;
  beforeEach(() => {
    const limits = { bufferBytesMax: 1 << 20, fetchBytesMax: 1 << 16, waitMsMax: 20 };
    const frames = new BytePool(1 << 20);
    reader = new FetchLoop({ cluster, frames, topicName: () => scriptedTopic, ...limits });
  });
  afterEach(async () => {
    await reader.close();
  });

  test.each([NOT_LEADER, SERVER_FAULT, CORRUPT])('goes on after error %i in an answer', async (code) => {
    brokers.fetch = ({ partition, before }) => (partition === 0 && before < 2 ? code : 0);
    await reader.start(places);
    await eventually(() => places.every((place) => reader.endAsOf(place) !== undefined));
    reader.take(1);
    expect(reader.failing(0)).toEqual([]);
  });

  test('follows a partition to its new leader', async () => {
    brokers.leaders = [0, 1];
    brokers.fetch = ({ node, partition }) => (node === 0 && partition === 1 ? NOT_LEADER : 0);
    await reader.start(places);
    await eventually(() => places.every((place) => reader.endAsOf(place) !== undefined));
  });

  test('says which partition gives nothing but errors, and since when; the others are asked as ever', async () => {
    const asked = [0, 0];
    let code = SERVER_FAULT;
    brokers.fetch = ({ partition }) => {
      asked[partition] = (asked[partition] ?? 0) + 1;
      return partition === 0 ? code : 0;
    };
    await reader.start(places);
    await eventually(() => reader.failing(1_500).length > 0);
    expect(reader.failing(0)).toMatchObject([
      { topic: 'eventsCollected', partition: 0, error: { code: 'log_unavailable', kafkaCode: SERVER_FAULT } },
    ]);
    expect(reader.failing(3_600_000)).toEqual([]);
    await eventually(() => (asked[1] ?? 0) > 2 * (asked[0] ?? 0)); // which is asked later each time
    code = 0;
    await eventually(() => reader.failing(0).length === 0);
  });

  test('whose broker is away says so of all its partitions', async () => {
    await reader.start(places);
    await brokers.stop(0);
    await eventually(() => reader.failing(200).length === 2);
  });

  test.each([
    ['has expired', { first: 10, end: 20 }, { code: 'offset_out_of_range' }],
    ['never was, or is gone', { first: 0, end: 4 }, { code: 'log_truncated', retryable: false }],
  ])('that stands where the log %s says which', async (_, log, error) => {
    brokers.log = log;
    brokers.fetch = ({ partition }) => (partition === 0 ? OUT_OF_RANGE : 0);
    await reader.start(places.map((place) => ({ ...place, offset: 5 })));
    await eventually(() => isStopped(reader));
    await expect(reader.wait(1)).rejects.toMatchObject(error);
  });

  test('goes on when the log has the place all the same', async () => {
    brokers.log = { first: 0, end: 0 };
    brokers.fetch = ({ partition, before }) => (partition === 0 && before < 3 ? OUT_OF_RANGE : 0);
    await reader.start(places);
    await eventually(() => places.every((place) => reader.endAsOf(place) !== undefined));
    reader.take(1);
  });
});

function isStopped(reader: FetchLoop): boolean {
  try {
    reader.take(1);
    return false;
  } catch {
    return true;
  }
}

describe('a coordinator', () => {
  test('that is gone is looked up again', async () => {
    brokers.coordinator = 1;
    const coordinator = new Coordinator(cluster, 'group', 'hindsight-merger');
    await brokers.stop(1);
    await expect(coordinator.broker()).rejects.toMatchObject({ retryable: true });
    brokers.coordinator = 0;
    await coordinator.broker();
    expect(brokers.count(FIND_COORDINATOR)).toBe(2);
  });
});
