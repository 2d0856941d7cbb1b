/**
 * The merger on a disk that is full, for real: its state lies on a small file system of its own, in a namespace of its
 * process, with ballast on it. It stands with a coded error, and goes on, in the same process, when the ballast goes.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../../schemas/codec.ts';
import { collectedEvent } from '../../testing/collected-event.ts';
import { openLog } from '../log/open-log.ts';
import type { Log, Producer } from '../log/ports.ts';
import { registerSchemas } from '../registry.ts';
import { scan } from './batch/log-scan.ts';
import { systemTime } from '../time.ts';

jest.setTimeout(600_000);
const PARTITIONS = 2;
const DISK_MIB = 48;
const BALLAST_MIB = 34;
const EVENT_BYTES = 60_000;
const EVENTS = 400;
const WAIT_MS_MAX = 150_000;

const dataFolder = mkdtempSync(join(tmpdir(), 'full-disk-'));
const stateFolder = join(dataFolder, 'state');
const prefix = `full-disk-${String(process.pid)}-${String(Date.now())}.`;
const brokers = process.env.TEST_KAFKA_BROKERS ?? '';
const registryUrl = process.env.TEST_SCHEMA_REGISTRY_URL ?? '';
const services: ChildProcess[] = [];

/** A user may have a namespace of his own, and mount in it, on most machines; in most containers not. */
const canMount =
  spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', dataFolder])
    .status === 0;

let codecs: Codecs;
let log: Log;
let producer: Producer;

beforeAll(async () => {
  mkdirSync(stateFolder);
  codecs = await registerSchemas({ url: registryUrl });
  log = await openLog({ brokers: brokers.split(','), clientId: 'full-disk-test', prefix });
  await log.admin.createTopics(PARTITIONS);
  producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 10_000 });
});
afterAll(async () => {
  for (const service of services) service.kill('SIGKILL');
  await log.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

function start(name: 'merger' | 'identity', onSmallDisk: boolean): ChildProcess {
  const service = `exec ${process.execPath} scripts/service.ts ${name}`;
  const disk =
    `mount -t tmpfs -o size=${String(DISK_MIB)}m tmpfs ${stateFolder} && ` +
    `head -c ${String(BALLAST_MIB)}M /dev/zero > ${stateFolder}/ballast && `;
  const [command, args] = onSmallDisk
    ? ['unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', disk + service]]
    : ['sh', ['-c', service]];
  const child = spawn(command, args, {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      KAFKA_BROKERS: brokers,
      SCHEMA_REGISTRY_URL: registryUrl,
      HINDSIGHT_DATA: onSmallDisk ? dataFolder : join(dataFolder, name),
      HINDSIGHT_PREFIX: prefix,
      HINDSIGHT_PARTITIONS: String(PARTITIONS),
    },
    stdio: 'ignore',
  });
  services.push(child);
  return child;
}

/** What /health/ready of the merger says. */
async function health(): Promise<string> {
  try {
    const file = readFileSync(join(dataFolder, 'run', 'merger.json'), 'utf8');
    const { url } = JSON.parse(file) as { readonly url: string }; // by status-server.ts
    return await (await fetch(`${url}/health/ready`)).text();
  } catch {
    return 'does not answer';
  }
}

async function untilHealth(pattern: RegExp, merger: ChildProcess): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  let said = await health();
  while (!pattern.test(said) && Date.now() < deadline) {
    // In one run of several it was gone: a page of a file that lies in memory may find no room, which is a signal.
    expect([merger.exitCode, merger.signalCode]).toEqual([null, null]);
    await sleep(20);
    said = await health();
  }
  expect(said).toMatch(pattern);
}

async function send(number: number, identifies: boolean): Promise<void> {
  const event = collectedEvent({
    workspace: 'shop',
    anonymous_id: 'visitor-1',
    message_id: String(number),
    received_at: Date.now(),
    timestamp: Date.now(),
    properties: JSON.stringify({ text: 'x'.repeat(EVENT_BYTES) }),
    ...(identifies && { type: 'identify', identifier_kind: 'id', identifier: 'user-1', id: 'user-1' }),
  });
  await producer.send(
    'eventsCollected',
    Buffer.from('shop:a:visitor-1'),
    codecs.CollectedEvent.encode(event),
  );
}

async function merged(): Promise<number[]> {
  const ends = await log.admin.endOffsets('eventsMerged');
  const found: number[] = [];
  const stretches = ends.map((to, partition) => ({ topic: 'eventsMerged' as const, partition, from: 0, to }));
  for await (const slice of scan({ log, time: systemTime }, stretches)) {
    slice.forEach((record) => {
      const { kind, event } = codecs.MergedEvent.decode(record.bytes, record.valueStart, record.valueEnd);
      if (kind === 'event' && event !== null) found.push(Number(event.message_id));
    });
  }
  return found;
}

describe('a full disk', () => {
  (canMount ? test : test.skip)('stops the task with a coded error until there is space', async () => {
    start('identity', false);
    const merger = start('merger', true);
    await untilHealth(/"ready":true/, merger);
    for (let number = 0; number < EVENTS; number += 1) await send(number, false);
    await untilHealth(/pausing: store_write_failed: .*(ENOSPC|No space)/, merger);
    await send(EVENTS, true);
    expect(merger.exitCode).toBeNull();
    rmSync(join('/proc', String(merger.pid), 'root', stateFolder, 'ballast'));
    await untilHealth(/"ready":true/, merger);
    const expected = Array.from({ length: EVENTS + 1 }, (_, number) => number);
    const deadline = Date.now() + WAIT_MS_MAX;
    while ((await merged()).length < expected.length && Date.now() < deadline) await sleep(200);
    await sleep(500);
    expect(await merged()).toEqual(expected);
    expect(merger.exitCode).toBeNull();
  });
});
