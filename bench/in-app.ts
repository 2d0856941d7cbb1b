/**
 * What a poll for on-site messages costs: the gateway and the service in-app, with live visitors, beside a bare handler.
 * `npm run bench -- in-app [--visitors 100000] [--seconds 10] [--runs 3] [--connections 50] [--profile DIR]`
 *
 * Visitors are folded from the topic, about as fast as they come; their memory and disk are what the process of in-app takes
 * once all is written, and what it takes more than without them.
 * Each poll is of another visitor. Then at half of the rate: how long an answer takes. Last, a stall of ten seconds: how
 * long after its moment the first poll offers it, asked every 50 ms.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serviceNodeOptions } from '../infra/local/service-node-options.mjs';
import { Supervisor } from '../infra/local/supervisor.ts';
import { EMBEDDED_PARTITIONS } from '../schemas/topics.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import { findSchemas, registerSchemas } from '../services/runtime/registry.ts';
import { openBenchFolder } from './bench-folder.ts';
import { flushedBytesOf, memoryOf } from './in-app/state-figures.ts';
import { AGENT, messages, visitorId, visitsOf } from './in-app/visitors.ts';
import { load, type Shot } from './ingest/load.ts';
import type { LoadFigures } from './ingest/load-figures.ts';
import { root, startOwnBroker, type OwnBroker } from './merger/own-broker.ts';
import { cpuSecondsOf } from './merger/process-figures.ts';
import { eventsIn, profileEnv, serviceEnv, ServiceRun } from './merger/service-run.ts';

const SITE = {
  HINDSIGHT_SITE_ID: 'bench-site',
  HINDSIGHT_APP_KEY: 'bench-app-key',
  HINDSIGHT_WRITE_KEY: 'bench',
};
const WARM_SECONDS = 3;
const STALL_MS = 10_000;
const STALL_POLL_MS = 50;
const SENT_AT_ONCE = 2_000;
/** Events that are under way: more would wait in the store for the share of their workspace, and be measured as visitors. */
const AHEAD_MAX = 10_000;
const PARTITIONS = EMBEDDED_PARTITIONS;

interface Options {
  readonly visitors: number;
  readonly seconds: number;
  readonly runs: number;
  readonly connections: number;
}

interface Installation {
  readonly url: string;
  readonly gateway: ServiceRun;
  readonly inApp: ServiceRun;
  readonly dataFolder: string;
}

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      visitors: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '10' },
      runs: { type: 'string', default: '3' },
      connections: { type: 'string', default: '50' },
      profile: { type: 'string' },
    },
  });
  const options: Options = {
    visitors: Number(values.visitors),
    seconds: Number(values.seconds),
    runs: Number(values.runs),
    connections: Number(values.connections),
  };
  const folder = openBenchFolder(tmpdir(), 'in-app');
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  const running: ServiceRun[] = [];
  let bare: ChildProcess | undefined;
  try {
    const place = await startOwnBroker(folder, supervisor, say);
    const own = await install(folder, place, { profile: values.profile, running });
    const grown = await grow(own, place, options);
    bare = spawn(process.execPath, [...serviceNodeOptions, join(root, 'bench/in-app/bare.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const bareUrl = await firstLineOf(bare);
    const rows = [grown, ...(await race(own, { url: bareUrl, pid: bare.pid ?? 0 }, options))];
    rows.push(await stall(own));
    return rows.map((row) => ({ what: '', ...row, load: (loadavg()[0] ?? 0).toFixed(1) }));
  } finally {
    bare?.stdin?.end();
    for (const service of running.reverse()) await service.stop();
    await supervisor.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function install(
  folder: string,
  place: OwnBroker,
  { profile, running }: { readonly profile: string | undefined; readonly running: ServiceRun[] },
): Promise<Installation> {
  await registerSchemas({ url: place.registryUrl });
  const log = await openLog({ brokers: place.brokers.split(','), clientId: 'bench', prefix: '' });
  await log.admin.createTopics(PARTITIONS);
  await log.close();
  const dataFolder = join(folder, 'data');
  const env = {
    ...serviceEnv({ ...place, prefix: '', partitions: PARTITIONS }),
    ...profileEnv(profile),
    ...SITE,
    HINDSIGHT_PORT: '0',
  };
  const [inApp, gateway] = (['in-app', 'gateway'] as const).map(
    (name) => new ServiceRun(name, { root, dataFolder, env }),
  );
  if (inApp === undefined || gateway === undefined)
    throw new CodedError('bench_failed', 'nothing was started');
  running.push(inApp, gateway);
  await Promise.all([inApp.untilLive(), gateway.untilLive()]);
  const { url } = await gateway.status<{ readonly url: string }>();
  for (const [id, body] of Object.entries(messages)) {
    const answer = await fetch(`${url}/v1/definitions/messages/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${SITE.HINDSIGHT_APP_KEY}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new CodedError('bench_failed', `could not put ${id}: ${await answer.text()}`);
  }
  return { url, gateway, inApp, dataFolder };
}

/** Visitors come: what each takes of the memory and the disk of in-app. */
async function grow(own: Installation, place: OwnBroker, { visitors }: Options): Promise<BenchRow> {
  const { inApp, dataFolder } = own;
  const disk = await flushedBytesOf(dataFolder);
  const memory = memoryOf(inApp.pid);
  const cpu = cpuSecondsOf(inApp.pid);
  const codecs = await findSchemas({ url: place.registryUrl });
  const log = await openLog({ brokers: place.brokers.split(','), clientId: 'bench', prefix: '' });
  const producer = await log.producer({ lingerMs: 5, pendingRecordsMax: 100_000 });
  const began = Date.now() - 60_000;
  const before = (await eventsOf(inApp)) ?? 0;
  let [sent, handled] = [0, 0];
  let sends: Promise<unknown>[] = [];
  for (let index = 0; index < visitors; index += 1) {
    for (const { key, event } of visitsOf(index, began)) {
      sends.push(producer.send('eventsCollected', key, codecs.CollectedEvent.encode(event)));
      sent += 1;
    }
    if (sends.length < SENT_AT_ONCE) continue;
    await Promise.all(sends);
    sends = [];
    while (sent - handled > AHEAD_MAX) {
      await sleep(20);
      handled = ((await eventsOf(inApp)) ?? 0) - before;
    }
  }
  await Promise.all(sends);
  await producer.close();
  await log.close();
  while (((await eventsOf(inApp)) ?? 0) - before < sent) await sleep(100);
  const cpuSeconds = cpuSecondsOf(inApp.pid) - cpu;
  const foldedMiB = mib(memoryOf(inApp.pid).once);
  const diskNow = await flushedBytesOf(dataFolder);
  const now = memoryOf(inApp.pid);
  return {
    what: 'visitors folded',
    visitors,
    events: sent,
    'per CPU second': Math.round(sent / cpuSeconds),
    'disk bytes each': Math.round((diskNow - disk) / visitors),
    'memory bytes each': Math.round((now.once - memory.once) / visitors),
    'in-app MiB when folded': foldedMiB,
    'in-app MiB': mib(now.once),
    'resident MiB': mib(now.all),
    'of it own MiB': mib(now.own),
    'of it files MiB': mib(now.files),
    'before MiB': mib(memory.once),
  };
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** undefined: it is too busy to say. */
async function eventsOf(service: ServiceRun): Promise<number | undefined> {
  return service.status().then(eventsIn, () => undefined);
}

interface Door {
  readonly url: string;
  readonly pid: number;
}

async function race(own: Installation, bare: Door, options: Options): Promise<BenchRow[]> {
  const shot = pollsOf(options.visitors);
  const doors = [
    { name: 'bare', url: bare.url, pids: [bare.pid] },
    { name: 'gateway and in-app', url: own.url, pids: [own.gateway.pid, own.inApp.pid] },
  ];
  const rows: BenchRow[] = [];
  for (const { url } of doors) await fire(url, shot, { ...options, seconds: WARM_SECONDS });
  for (let run = 1; run <= options.runs; run += 1) {
    let ofBare = 0;
    for (const { name, url, pids } of doors) {
      const before = pids.map(cpuSecondsOf);
      const full = await fire(url, shot, options);
      const cpu = pids.map((pid, at) => cpuSecondsOf(pid) - (before[at] ?? 0));
      const all = cpu.reduce((sum, seconds) => sum + seconds, 0);
      const rate = Math.max(1, Math.floor(full.requests / full.seconds / 2));
      const half = await fire(url, shot, { ...options, rate });
      // What the generator and the machine take of it, whatever is behind the door.
      const floor = name === 'bare' ? half : await fire(bare.url, shot, { ...options, rate });
      const perCpuSecond = full.requests / all;
      if (name === 'bare') ofBare = perCpuSecond;
      rows.push({
        what: name,
        run,
        'per CPU second': Math.round(perCpuSecond),
        'of bare': (perCpuSecond / ofBare).toFixed(2),
        'µs each': cpu.map((seconds) => ((seconds / full.requests) * 1e6).toFixed(0)).join(' + '),
        'per second': Math.round(full.requests / full.seconds),
        'p99 ms': full.p99Ms,
        'half rate p50 ms': half.p50Ms,
        'half rate p99 ms': half.p99Ms,
        'bare at that rate, p99 ms': floor.p99Ms,
        failed: full.failed + half.failed,
      });
    }
  }
  return rows;
}

/** Each of another visitor, on one of the shop's pages. */
function pollsOf(visitors: number): Shot {
  let polls = 0;
  const nextPath = () => {
    polls += 1;
    const query = new URLSearchParams({
      site_id: SITE.HINDSIGHT_SITE_ID,
      anonymous_id: visitorId((polls * 7_919) % visitors),
      page: `https://shop.example/products/p-${String(polls % 500)}`,
    });
    return `/v1/in-app/queue?${query.toString()}`;
  };
  return { path: nextPath(), body: '', events: 1, nextPath };
}

function fire(
  url: string,
  shot: Shot,
  { seconds, connections, rate }: Options & { readonly rate?: number },
): Promise<LoadFigures> {
  const how = { url, writeKey: SITE.HINDSIGHT_WRITE_KEY, seconds, connections };
  return load(shot, rate === undefined ? how : { ...how, rate });
}

/** Somebody asks for help and gets none: the message is due ten seconds after the event, by its receive time. */
async function stall({ url }: Installation): Promise<BenchRow> {
  const visitor = visitorId(0xffff_ffff);
  const query = new URLSearchParams({
    site_id: SITE.HINDSIGHT_SITE_ID,
    anonymous_id: visitor,
    page: 'https://shop.example/',
  });
  const sentAt = Date.now();
  const answer = await fetch(`${url}/v1/track`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${SITE.HINDSIGHT_WRITE_KEY}:`).toString('base64')}`,
      'user-agent': AGENT, // what a program says of itself is a bot's, and no message is shown to one
    },
    body: JSON.stringify({ anonymousId: visitor, event: 'Asked for Help' }),
  });
  const takenAt = Date.now();
  const browser = { headers: { 'user-agent': AGENT } };
  if (!answer.ok) throw new CodedError('bench_failed', `could not send the event: ${await answer.text()}`);
  let lastWithout = 0;
  for (;;) {
    const asked = Date.now();
    const polled = (await (await fetch(`${url}/v1/in-app/queue?${query.toString()}`, browser)).json()) as {
      messages: readonly unknown[];
    }; // of our own server
    if (polled.messages.length > 0) {
      return {
        what: 'a stall of 10 s',
        'last poll without it, ms after sending': lastWithout - sentAt,
        'first poll with it, ms after sending': asked - sentAt,
        'due, ms after sending': `${String(STALL_MS)} to ${String(STALL_MS + takenAt - sentAt)}`,
      };
    }
    if (asked - sentAt > 6 * STALL_MS) return { what: 'a stall of 10 s: NEVER OFFERED' };
    lastWithout = asked;
    await sleep(STALL_POLL_MS);
  }
}

async function firstLineOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new CodedError('bench_failed', 'could not read what it prints');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return line.toString().trim();
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
