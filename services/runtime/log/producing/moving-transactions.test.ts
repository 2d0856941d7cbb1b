/** A transaction whose coordinator, or whose partitions' leader, moves to another broker in its middle, or is gone. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BytePool } from '../byte-pool.ts';
import { Cluster } from '../connection/cluster.ts';
import { BatchedOutputs } from './output-buffer.ts';
import { ScriptedBrokers, scriptedTopic } from '../../../testing/log/scripted-brokers.ts';
import { KafkaTransactionalProducer } from './transactional-producer.ts';

const [PRODUCE, INIT_PRODUCER_ID, ADD_PARTITIONS, ADD_OFFSETS, END, COMMIT_OFFSETS] = [0, 22, 24, 25, 26, 28];
const [LOADING, NOT_THERE, NOT_COORDINATOR, NOT_LEADER] = [14, 15, 16, 6];

let brokers: ScriptedBrokers;
let producer: KafkaTransactionalProducer;

beforeEach(async () => {
  brokers = await ScriptedBrokers.open(2);
  const frames = new BytePool(1 << 20);
  producer = new KafkaTransactionalProducer({
    cluster: new Cluster({ brokers: brokers.addresses, clientId: 'test', frames }),
    topicName: () => scriptedTopic,
    groupName: (group) => group,
    transactionalId: 'hindsight-merger-1-0',
    timeoutMs: 10_000,
  });
});
afterEach(async () => {
  await producer.close();
  await brokers.close();
});

async function send(partition: number): Promise<void> {
  const outputs = new BatchedOutputs(new BytePool(1 << 20));
  outputs.append('eventsCollected', partition, Buffer.from('key'), Buffer.from('value'));
  await producer.send(outputs);
}

async function transaction(): Promise<void> {
  await producer.init();
  await send(0);
  await producer.sendOffsets('hindsight-merger', [{ topic: 'eventsCollected', partition: 0, offset: 1 }]);
  await producer.commit();
}

describe('a transaction', () => {
  test.each([
    ['its id is asked for', INIT_PRODUCER_ID],
    ['partitions are added', ADD_PARTITIONS],
    ['offsets are added', ADD_OFFSETS],
    ['offsets are sent', COMMIT_OFFSETS],
    ['it ends', END],
  ])('goes on with the new coordinator when it moves as %s', async (_, apiKey) => {
    let isMoved = false;
    brokers.coordinate = (asked) => {
      if (asked.apiKey === apiKey && !isMoved) {
        isMoved = true;
        brokers.coordinator = 1;
      }
      return isMoved && asked.node === 0 ? NOT_COORDINATOR : 0;
    };
    await transaction();
    expect(brokers.count(apiKey, 0)).toBe(1);
    expect(brokers.count(apiKey, 1)).toBe(1);
    expect(brokers.count(END, 1)).toBe(1);
  });

  test.each([LOADING, NOT_THERE])('waits for a coordinator that says %i, and no longer', async (code) => {
    let times = 0;
    brokers.coordinate = ({ apiKey }) => (apiKey === END && (times += 1) <= 3 ? code : 0);
    await transaction();
    expect(brokers.count(END)).toBe(4);
    expect(brokers.count(PRODUCE)).toBe(1);
  });

  test('goes on with the new leader when one moves between two of its batches', async () => {
    brokers.produce = ({ node, partition }) => (node === brokers.leaders[partition] ? 0 : NOT_LEADER);
    await producer.init();
    await send(1);
    brokers.leaders = [0, 1];
    await send(1);
    await producer.commit();
    expect([brokers.count(PRODUCE, 0), brokers.count(PRODUCE, 1)]).toEqual([2, 1]);
    expect(brokers.count(ADD_PARTITIONS)).toBe(1);
  });

  test('whose end is not answered may have ended: its producer is done with, and is not used again', async () => {
    brokers.coordinate = ({ apiKey }) => {
      if (apiKey !== END) return 0;
      void brokers.stop(0);
      return 'never';
    };
    await producer.init();
    await send(0);
    await expect(producer.commit()).rejects.toMatchObject({ retryable: true });
    await expect(send(0)).rejects.toMatchObject({ code: 'producer_dead' });
    expect(brokers.count(END)).toBe(1);
  });
});
