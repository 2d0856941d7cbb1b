/** What kafkajs's connections do not do by themselves: keep quiet, survive a cut in an answer, open one socket for all. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { fetchRequest } from './protocol/fetch-request.ts';
import { decodeFetched } from './protocol/fetch-response.ts';
import type { Broker } from './connection/kafkajs.ts';
import { decodeMetadata, metadataRequest } from './protocol/metadata-request.ts';
import { request } from './connection/request.ts';
import { openTestLog, testBrokers } from '../../testing/log/test-log.ts';
import { TestProxy } from '../../testing/log/test-proxy.ts';

let proxy: TestProxy;
let cluster: Cluster;

beforeEach(async () => {
  proxy = await TestProxy.open(testBrokers()[0] ?? '');
  cluster = new Cluster({
    brokers: [`${proxy.address.host}:${String(proxy.address.port)}`],
    clientId: 'test-connections',
    frames: new BytePool(8 << 20),
    reach: () => proxy.address,
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  cluster.destroy();
  await proxy.close();
});

/** Who the brokers are: a short question. */
async function ask(broker: Broker): Promise<number> {
  return decodeMetadata(await request(broker, metadataRequest([]))).brokers.length;
}

describe('a connection', () => {
  test('that is idle sets no timers, and looks once a second for what is past its limit', async () => {
    const intervals = jest.spyOn(globalThis, 'setInterval');
    const broker = await cluster.anyBroker();
    await ask(broker);
    expect(intervals.mock.calls.map(([, ms]) => ms)).toEqual([1_000]);
    const timeouts = jest.spyOn(globalThis, 'setTimeout');
    await sleep(500); // of another module: not counted
    expect(timeouts).not.toHaveBeenCalled(); // kafkajs by itself: every millisecond
    expect(await ask(broker)).toBe(1);
    const negative = timeouts.mock.calls.map(([, ms = 0]) => ms).filter((ms) => ms < 0);
    expect(negative).toEqual([]); // kafkajs by itself: one after each answer, to the year 1970
  });

  test('that is cut in the middle of an answer reads the next one from its beginning', async () => {
    const { log, prefix } = await openTestLog('connections', 1);
    const outputs = log.newOutputBuffer();
    outputs.append('eventsMerged', 0, null, Buffer.alloc(300_000, 'x'));
    const producer = await log.transactionalProducer({ transactionalId: 'fill', timeoutMs: 60_000 });
    await producer.init();
    await producer.send(outputs);
    outputs.clear();
    await producer.commit();
    await producer.close();
    // A commit is acknowledged before readers see it.
    await eventually(async () => ((await log.admin.endOffsets('eventsMerged'))[0] ?? 0) > 1);

    const topicName = prefix + topics.eventsMerged.name;
    await cluster.addTopics([topicName]);
    const broker = await cluster.broker(cluster.leaderOf(topicName, 0));
    const limits = { waitMsMax: 10, bytesMax: 1 << 20, partitionBytesMax: 1 << 20 };
    const fetch = () => request(broker, fetchRequest([{ topicName, partition: 0, offset: 0 }], limits));
    proxy.cutAfterAnswers((cuts) => (cuts === 0 ? 100_000 : Number.POSITIVE_INFINITY));
    await expect(fetch()).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' });
    expect(proxy.cuts).toBe(1);
    expect(decodeFetched(await fetch()).partitions[0]?.bytes.length).toBeGreaterThan(300_000);
    await log.close();
  });

  test('that several find closed is opened once, and answers all of them', async () => {
    const broker = await cluster.anyBroker();
    await ask(broker);
    proxy.cut();
    await eventually(() => !broker.isConnected());
    const before = proxy.accepted;
    expect(await Promise.all([1, 2, 3, 4, 5].map(() => ask(broker)))).toEqual([1, 1, 1, 1, 1]);
    expect(proxy.accepted - before).toBe(1);
  });
});
