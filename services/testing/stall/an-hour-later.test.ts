/**
 * After an hour's stop nothing fires that a waiting event would have prevented, and what must fire does so once: the real
 * lanes and identity, and behind them a service with timers, over a broker in memory.
 */
import { describe, expect, jest, test } from '@jest/globals';
import { localCodecs } from '../../../schemas/codec.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import { identityService } from '../../identity/service.ts';
import { lanesService } from '../../merger/service.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryDisk } from '../memory/memory-stores.ts';
import { Random } from '../random.ts';
import { TaskProcess } from '../toy/task-process.ts';
import { VirtualTime } from '../virtual-time.ts';
import { beforeMs, hourMs, makeHour, type Call, type Hour } from './people.ts';
import { stalledKind, stallMs, stallService, type Time } from './stall-service.ts';

// Virtual time costs real time on a busy machine.
jest.setTimeout(300_000);

const SECOND_MS = 1_000;
const PARTITIONS = 4;
const PEOPLE = 12;
const SEEDS = 12;
const START_APART_MS_MAX = 10 * SECOND_MS;
const SETTLE_MS = 15 * SECOND_MS;
const codecs = localCodecs();

interface Outcome extends Hour {
  readonly told: readonly string[];
}

async function anHourLater(seed: number, by: Time): Promise<Outcome> {
  const random = new Random(seed);
  const order = random.fork();
  const time = new VirtualTime(undefined, () => order.next());
  const broker = new MemoryBroker(time, PARTITIONS);
  const disk = new MemoryDisk();
  const unlucky = { sliceRecords: () => 1 + random.below(5), late: () => random.chance(0.1) };
  const start = (spec: ServiceSpec): Promise<TaskProcess> =>
    new TaskProcess({ broker, disk, codecs, spec, ...unlucky }).start();
  const services = [lanesService, identityService, stallService(by)];

  const hour = makeHour(random, PEOPLE, time.now() + beforeMs);
  const calls = [...hour.calls];
  const receive = async (until: number): Promise<void> => {
    for (let call = calls[0]; call !== undefined && call.event.received_at < until; call = calls[0]) {
      await time.run(Math.max(0, call.event.received_at - time.now()));
      append(broker, call);
      calls.shift();
    }
    await time.run(Math.max(0, until - time.now()));
  };
  const stopAt = time.now() + beforeMs;
  const first = await Promise.all(services.map(start));
  await receive(stopAt);
  for (const process of first) {
    if (random.chance(0.5)) process.kill();
    else void process.service.stop();
  }
  await receive(stopAt + hourMs);
  for (const process of first) process.kill();

  // In any order, and one of them dies once more.
  const starting = [...services].sort(() => random.next() - 0.5);
  for (const spec of starting) {
    await time.run(random.below(START_APART_MS_MAX));
    const process = await start(spec);
    if (!random.chance(0.3)) continue;
    await time.run(random.below(START_APART_MS_MAX));
    process.kill();
    await start(spec);
  }
  await time.run(SETTLE_MS);
  time.jump(stallMs + SECOND_MS);
  await time.run(SETTLE_MS);
  const told = broker
    .committed('activitiesLogged')
    .map(({ record }) => codecs.Activity.decode(record.value ?? Buffer.alloc(0)))
    .filter(({ kind }) => kind === stalledKind)
    .map(({ message_id: messageId }) => messageId ?? '');
  return { ...hour, told };
}

function append(broker: MemoryBroker, { lane, event }: Call): void {
  const partition = partitionOf(lane, broker.partitions);
  const value = codecs.CollectedEvent.encode(event);
  broker.append([{ topic: 'eventsCollected', partition, key: Buffer.from(lane), value }]);
}

describe('after an hour in which everything stood and events waited', () => {
  test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    'what stalled is told once, and nothing that a waiting event prevents (seed %i)',
    async (seed) => {
      const { told, stalled, prevented } = await anHourLater(seed, 'watermark');
      expect([...told].sort()).toEqual([...stalled].sort());
      expect(stalled.length).toBeGreaterThan(0);
      expect(prevented).toBeGreaterThan(0);
    },
  );

  test('by the clock, things would be told that a waiting event prevents', async () => {
    let early = 0;
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const { told, stalled } = await anHourLater(seed, 'clock');
      early += told.filter((messageId) => !stalled.includes(messageId)).length;
    }
    expect(early).toBeGreaterThan(0);
  });
});
