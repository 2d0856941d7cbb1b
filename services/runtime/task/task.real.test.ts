/** The shell on a real broker: killed, stopped, put to sleep, and cut off from the answer to its commit. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '../../../schemas/topics.ts';
import { eventually } from '../../testing/eventually.ts';
import { createStockTopic } from '../../testing/log/stock-topic.ts';
import { ToyBroker } from '../../testing/toy/toy-broker.ts';
import { ToyChild } from '../../testing/toy/toy-child.ts';
import { watermarkedToyService } from '../../testing/toy/toy-service.ts';
import { BytePool } from '../log/byte-pool.ts';
import { Cluster } from '../log/connection/cluster.ts';
import { FetchLoop } from '../log/reading/fetch-loop.ts';
import type { Log, TransactionalProducer } from '../log/ports.ts';
import { stockKafka } from '../../testing/log/stock-kafka.ts';
import { testBrokers } from '../../testing/log/test-log.ts';
import { TestProxy } from '../../testing/log/test-proxy.ts';

jest.setTimeout(300_000);

let toy: ToyBroker;

beforeEach(async () => {
  toy = await ToyBroker.open('task');
});
afterEach(async () => {
  await toy.close();
});

/** Sends until its work is done, in the middle of it. */
async function whileSending(work: () => Promise<void>): Promise<void> {
  const done = new AbortController();
  const sending = (async () => {
    while (!done.signal.aborted) await toy.send(3);
  })();
  try {
    await work();
  } finally {
    done.abort();
    await sending;
  }
}

/** Some batches of a task that is at work, whatever the machine does beside it. */
async function committed(records: number): Promise<void> {
  const before = await toy.written();
  await eventually(async () => (await toy.written()) >= before + records);
}

describe('a task on a real broker', () => {
  test('killed with -9 again and again under load, loses and doubles nothing, and is soon live again', async () => {
    const options = toy.childOptions;
    let child = new ToyChild(options);
    await child.live();
    for (let kill = 0; kill < 4; kill += 1) {
      await whileSending(async () => {
        await committed(10 + 60 * kill);
        child.signal('SIGKILL');
        await child.exited;
      });
      child = new ToyChild(options);
      await child.live();
    }
    await toy.expectCounted();
    expect(await child.stop()).toBe(0);
  });

  test('stopped with SIGTERM under load ends within 5 s, and the next goes on where it stopped', async () => {
    const options = toy.childOptions;
    for (let stop = 0; stop < 3; stop += 1) {
      const child = new ToyChild(options);
      await child.live();
      await whileSending(async () => {
        await committed(10 + 100 * stop);
        expect(await child.stop()).toBe(0);
      });
    }
    const last = new ToyChild(options);
    await last.live();
    await toy.expectCounted();
    expect(await last.stop()).toBe(0);
  });

  test('put to sleep and woken when another has taken over, changes nothing and ends with code 1', async () => {
    const zombie = new ToyChild(toy.childOptions);
    await zombie.live();
    await toy.send(5);
    await toy.expectCounted();
    zombie.signal('SIGSTOP');
    await toy.send(5);
    const owner = new ToyChild(toy.childOptions);
    await owner.live();
    await toy.expectCounted();
    await toy.send(5);
    zombie.signal('SIGCONT');
    expect(await zombie.exited).toBe(1);
    await toy.expectCounted();
    expect(await owner.stop()).toBe(0);
  });

  test('whose fetches hang while its commits go through, lets no watermark pass what waits unread', async () => {
    const ownLog = await toy.connect();
    const proxy = await TestProxy.open(testBrokers()[0] ?? '');
    const service = toy.inProcess({ log: readingThrough(proxy, ownLog), spec: watermarkedToyService });
    await service.start();
    await toy.send(1);
    await toy.expectCounted();
    const watermarks = () => toy.activities('segmentsChanged');
    await eventually(async () => (await watermarks()).length > 0);
    proxy.hold();
    const sentAt = Date.now();
    await toy.send(1);
    await sleep(4_000);
    const whileHeld = await watermarks();
    proxy.letGo();
    await toy.expectCounted();
    await eventually(async () => (await watermarks()).some(({ timestamp }) => timestamp > sentAt));
    await service.stop();
    expect(whileHeld.filter(({ timestamp }) => timestamp > sentAt)).toEqual([]);
    await proxy.close();
    await ownLog.close();
  });

  test('whose topic was made anew stands still with an alarm', async () => {
    const ownLog = await toy.connect();
    const { dataFolder } = toy.childOptions;
    const first = toy.inProcess({ log: ownLog, dataFolder });
    await first.start();
    await toy.send(5);
    await toy.expectCounted();
    await first.stop();
    const admin = stockKafka().admin();
    await admin.connect();
    const topic = toy.prefix + topics.eventsCollected.name;
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => !(await admin.listTopics()).includes(topic));
    await createStockTopic(admin, { topic, numPartitions: toy.partitions });
    await admin.disconnect();
    const second = toy.inProcess({ log: ownLog, dataFolder });
    await second.start();
    const health = () => second.ready()['task 0'];
    await eventually(() => health()?.detail?.startsWith('failed') === true);
    expect(health()).toEqual({
      ok: false,
      detail: expect.stringMatching(/^failed: log_truncated: could not read .* the log ends at 0$/),
    });
    await second.stop();
    await ownLog.close();
  });

  test.each(['before', 'after'] as const)(
    'whose connection is lost %s its commit takes effect, finds out and goes on',
    async (when) => {
      const ownLog = await toy.connect();
      let lost = 0;
      const service = toy.inProcess({ log: faulty(ownLog, when, () => (lost += 1)) });
      await service.start();
      await whileSending(() => eventually(() => lost > 0));
      await toy.expectCounted();
      expect(service.status().tasks.map(({ state }) => state)).toEqual(['live']);
      await service.stop();
      await ownLog.close();
    },
  );
});

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
        topicName: (topic) => toy.prefix + topics[topic].name,
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
function faulty(real: Log, when: 'before' | 'after', onLost: () => void): Log {
  let commits = 0;
  const lost = (): Error => {
    onLost();
    return new Error('the connection was lost');
  };
  const spoil = (producer: TransactionalProducer): TransactionalProducer => ({
    init: () => producer.init(),
    send: (outputs) => producer.send(outputs),
    sendOffsets: (group, offsets) => producer.sendOffsets(group, offsets),
    abort: () => producer.abort(),
    close: () => producer.close(),
    commit: async () => {
      commits += 1;
      const fails = commits === 3;
      if (fails && when === 'before') throw lost();
      await producer.commit();
      if (fails) throw lost();
    },
  });
  return {
    ...passedOn(real),
    transactionalProducer: async (options) => spoil(await real.transactionalProducer(options)),
  };
}
