/** The same on a real broker with real stores: lanes, identity and a service with timers, started in every order. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { identityService } from '../../identity/service.ts';
import { lanesService } from '../../merger/service.ts';
import type { Log } from '../../runtime/log/ports.ts';
import type { TaskService } from '../../runtime/task/task-service.ts';
import { systemTime } from '../../runtime/time.ts';
import { Random } from '../random.ts';
import { newFolder, ToyBroker } from '../toy/toy-broker.ts';
import { hourMs, makeHour, type Call } from './people.ts';
import { stalledKind, stallMs, stallService } from './stall-service.ts';

jest.setTimeout(300_000);

const PEOPLE = 40;
const SETTLE_MS_MAX = 90_000;

const services = { lanes: lanesService, identity: identityService, stall: stallService() };
type Name = keyof typeof services;
const orders: readonly (readonly Name[])[] = [
  ['lanes', 'identity', 'stall'],
  ['lanes', 'stall', 'identity'],
  ['identity', 'lanes', 'stall'],
  ['identity', 'stall', 'lanes'],
  ['stall', 'lanes', 'identity'],
  ['stall', 'identity', 'lanes'],
];

const running: TaskService[] = [];
const opened: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  await stop(running.splice(0));
  for (const each of opened.splice(0)) await each.close();
});

test.each(orders.map((order, seed) => [order.join(', '), order, seed] as const))(
  'after an hour, started as %s: what stalled is told once, and nothing that a waiting event prevents',
  async (_, order, seed) => {
    const broker = await ToyBroker.open(`hour-${String(seed)}`);
    const log = await broker.connect();
    opened.push(broker, log);
    const dataFolder = newFolder();
    const start = async (name: Name, clockMs: number): Promise<TaskService> => {
      const time = { ...systemTime, now: () => Date.now() + clockMs };
      const service = broker.inProcess({ log, spec: services[name], dataFolder, time });
      running.push(service);
      await service.start();
      return service;
    };
    const now = Date.now() - 2 * stallMs;
    const stopAt = now - hourMs;
    const { calls, stalled, prevented } = makeHour(new Random(seed), PEOPLE, stopAt);

    await append(
      broker,
      log,
      calls.filter(({ event }) => event.received_at < stopAt),
    );
    // Their clocks stand back: a clock that went ahead would be ahead of what has been read, too.
    const before = await Promise.all(order.map((name) => start(name, -hourMs - 2 * stallMs)));
    await handled(log, before);
    await stop(before);

    await append(
      broker,
      log,
      calls.filter(({ event }) => event.received_at >= stopAt),
    );
    const after: TaskService[] = [];
    for (const name of order) after.push(await start(name, -2 * stallMs));
    await handled(log, after);
    await caughtUp(after, now);
    await stop(after);

    // Later still, when everything is due.
    const last = await Promise.all(order.map((name) => start(name, 0)));
    await caughtUp(last, now + stallMs);
    await stop(last);
    const activities = await broker.activities('activitiesLogged');
    const told = activities.filter(({ kind }) => kind === stalledKind);
    expect(told.map(({ message_id: messageId }) => messageId).sort()).toEqual([...stalled].sort());
    expect(stalled.length).toBeGreaterThan(0);
    expect(prevented).toBeGreaterThan(0);
  },
);

async function stop(running: readonly TaskService[]): Promise<void> {
  for (const service of running) await service.stop();
}

/** In the order in which they were received; what waits with others is sent with them. */
async function append({ codecs }: ToyBroker, log: Log, calls: readonly Call[]): Promise<void> {
  const producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 10_000 });
  await Promise.all(
    calls.map(({ lane, event }) =>
      producer.send('eventsCollected', Buffer.from(lane), codecs.CollectedEvent.encode(event)),
    ),
  );
  await producer.close();
}

/** Everything on events.collected has had its whole effect on events.merged. */
async function handled(log: Log, running: readonly TaskService[]): Promise<void> {
  const ends = await log.admin.endOffsets('eventsCollected');
  await until(running, () => {
    const statuses = running.map((service) => service.status());
    const collected = statuses.flatMap(({ inputs }) => inputs.eventsCollected ?? []);
    return (
      collected.length === ends.length &&
      ends.every((end, partition) => (collected[partition] ?? 0) >= end) &&
      statuses.every(({ unsettled }) => unsettled === 0)
    );
  });
}

/** The timers have run up to this time. */
async function caughtUp(running: readonly TaskService[], to: number): Promise<void> {
  await until(running, () =>
    running.some((service) => service.status().service === 'trigger' && reached(service, to)),
  );
}

function reached(service: TaskService, to: number): boolean {
  const { watermark = 0, unsettled } = service.status();
  return watermark >= to && unsettled === 0;
}

async function until(running: readonly TaskService[], holds: () => boolean): Promise<void> {
  const end = Date.now() + SETTLE_MS_MAX;
  while (!holds()) {
    if (Date.now() > end) {
      const statuses = running.map((service) => service.status());
      throw new Error(`it did not come to that in time: ${JSON.stringify(statuses)}`);
    }
    await systemTime.sleep(50);
  }
}
