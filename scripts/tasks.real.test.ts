/** `npm run tasks` on a real broker, with the real merger, between loads: nothing is lost, doubled or out of order. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess, waitUntilReady, type RunningProcess } from '../infra/local/child-process.ts';
import { serviceProcess, type ServiceName } from '../infra/local/service-processes.ts';
import type { Codecs } from '../schemas/codec.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import type { Log, Producer } from '../services/runtime/log/ports.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { scan } from '../services/runtime/task/batch/log-scan.ts';
import { systemTime } from '../services/runtime/time.ts';
import { collectedEvent } from '../services/testing/collected-event.ts';

jest.setTimeout(600_000);
const PARTITIONS = 6;
const LANES = 30;
const SETTLE_MS_MAX = 150_000;

const root = process.cwd();
const dataFolder = mkdtempSync(join(tmpdir(), 'tasks-real-'));
const prefix = `tasks-${String(process.pid)}-${String(Date.now())}.`;
const brokers = process.env.TEST_KAFKA_BROKERS ?? '';
const registryUrl = process.env.TEST_SCHEMA_REGISTRY_URL ?? '';
const running = new Map<ServiceName, RunningProcess>();

let codecs: Codecs;
let log: Log;
let producer: Producer;
/** Message ids in the order in which each lane's were sent. */
const sent = new Map<number, string[]>();

beforeAll(async () => {
  codecs = await registerSchemas({ url: registryUrl });
  log = await openLog({ brokers: brokers.split(','), clientId: 'tasks-test', prefix });
  await log.admin.createTopics(PARTITIONS);
  producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 10_000 });
});
afterAll(async () => {
  for (const service of running.values()) await service.stop();
  await log.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

function settings(tasks: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_OPTIONS: '',
    KAFKA_BROKERS: brokers,
    SCHEMA_REGISTRY_URL: registryUrl,
    HINDSIGHT_DATA: dataFolder,
    HINDSIGHT_PREFIX: prefix,
    HINDSIGHT_PARTITIONS: String(PARTITIONS),
    HINDSIGHT_TASKS: String(tasks),
  };
}

async function start(name: ServiceName, tasks: number): Promise<void> {
  const spec = serviceProcess(name, { root, dataFolder, env: settings(tasks) });
  const service = startProcess(spec);
  running.set(name, service);
  await waitUntilReady(spec, service);
}

async function end(name: ServiceName, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const service = running.get(name);
  if (service === undefined) throw new Error(`${name} does not run`);
  process.kill(service.pid, signal);
  await service.ended;
  running.delete(name);
}

function changeTasks(tasks: number): { readonly status: number | null; readonly said: string } {
  const args = ['scripts/tasks.ts', '--service', 'merger', '--tasks', String(tasks)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env: settings(tasks),
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, said: stdout + stderr };
}

/** A page view of each lane; an identify where the round says so. */
async function load(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const sends: Promise<unknown>[] = [];
    for (let lane = 0; lane < LANES; lane += 1) {
      const before = sent.get(lane) ?? [];
      const messageId = `${String(lane)}/${String(before.length)}`;
      sent.set(lane, [...before, messageId]);
      const identifies = (before.length + lane) % 7 === 6;
      const event = collectedEvent({
        workspace: 'shop',
        anonymous_id: `visitor-${String(lane)}`,
        message_id: messageId,
        received_at: Date.now(),
        timestamp: Date.now(),
        type: identifies ? 'identify' : 'event',
        ...(identifies && {
          identifier_kind: 'id',
          identifier: `user-${String(lane)}`,
          id: `user-${String(lane)}`,
        }),
      });
      const key = Buffer.from(`shop:a:visitor-${String(lane)}`);
      sends.push(producer.send('eventsCollected', key, codecs.CollectedEvent.encode(event)));
    }
    await Promise.all(sends);
  }
}

/** Message ids on events.merged, by lane, in order. */
async function merged(): Promise<Map<number, string[]>> {
  const ends = await log.admin.endOffsets('eventsMerged');
  const found = new Map<number, string[]>();
  const stretches = ends.map((to, partition) => ({ topic: 'eventsMerged' as const, partition, from: 0, to }));
  for await (const slice of scan({ log, time: systemTime }, stretches)) {
    slice.forEach((record) => {
      const { kind, event } = codecs.MergedEvent.decode(record.bytes, record.valueStart, record.valueEnd);
      if (kind !== 'event' || event === null) return;
      const lane = Number(event.message_id.split('/')[0]);
      found.set(lane, [...(found.get(lane) ?? []), event.message_id]);
    });
  }
  return found;
}

async function expectAllMerged(): Promise<void> {
  const deadline = Date.now() + SETTLE_MS_MAX;
  const total = (lanes: ReadonlyMap<number, readonly string[]>): number =>
    [...lanes.values()].reduce((sum, ids) => sum + ids.length, 0);
  let found = await merged();
  while (total(found) < total(sent) && Date.now() < deadline) {
    await sleep(200);
    found = await merged();
  }
  await sleep(500); // what is doubled comes late
  found = await merged();
  for (const [lane, ids] of sent) expect(found.get(lane)).toEqual(ids);
  expect(total(found)).toBe(total(sent));
}

describe('the number of tasks', () => {
  test('changes between two loads, after a clean stop and after a kill -9, and nothing is lost or doubled', async () => {
    await start('identity', 1);
    await start('merger', 1);
    await load(7);
    expect(changeTasks(3)).toMatchObject({ status: 1, said: expect.stringMatching(/process \d+ runs/) });

    await load(5);
    await end('merger', 'SIGTERM');
    expect(changeTasks(3)).toMatchObject({
      status: 0,
      said: expect.stringMatching(/3 tasks now \(layout 2\)/),
    });
    await expect(start('merger', 1)).rejects.toThrow(/could not start merger/);
    running.delete('merger');
    await start('merger', 3);
    await load(8);
    await end('merger', 'SIGKILL');
    await load(3);
    expect(changeTasks(2)).toMatchObject({
      status: 0,
      said: expect.stringMatching(/2 tasks now \(layout 3\)/),
    });
    await start('merger', 2);
    await load(12);
    await expectAllMerged();
  });
});
