/**
 * What an event costs at the door: the gateway beside a bare Node handler that reads the body, parses it and answers.
 * `npm run bench -- ingest [--seconds 10] [--runs 3] [--connections 50,200] [--spool-seconds 20] [--profile DIR]`
 *
 * Singles of about 400 bytes and batches of 100 of them, as fast as they are answered: CPU of the process and of the
 * broker for each event, by how many connections there are. Then at half of that rate, evenly: how long an answer takes.
 * Last, with the broker stopped: what goes to the disk, and how fast it is drained while the broker is back. The generator
 * is a process of its own on this machine.
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
import { openLog } from '../services/runtime/log/open-log.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { openBenchFolder } from './bench-folder.ts';
import { batch, load, single, type Shot } from './ingest/load.ts';
import type { LoadFigures } from './ingest/load-figures.ts';
import { root, startOwnBroker } from './merger/own-broker.ts';
import { cpuSecondsOf, peakMebibytesOf } from './merger/process-figures.ts';
import { profileEnv, serviceEnv, ServiceRun } from './merger/service-run.ts';

const WRITE_KEY = 'bench-write-key';
/** A round of warming up; a code that is compiled as it runs takes 10 to 60 s until it costs what it costs. */
const WARM_SECONDS = 3;
const WARM_ROUNDS_MAX = 20;
/** Warm: so many rounds one after the other that are not better than the best before by more than this. */
const STEADY_ROUNDS = 2;
const STEADY_GAIN = 1.03;

interface Door {
  readonly name: 'bare' | 'gateway';
  readonly url: string;
  readonly pid: number;
}

interface Options {
  readonly seconds: number;
  readonly connections: number;
  readonly brokerPid: number;
}

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '10' },
      runs: { type: 'string', default: '3' },
      connections: { type: 'string', default: '50,200' },
      'spool-seconds': { type: 'string', default: '20' },
      profile: { type: 'string' },
    },
  });
  const folder = openBenchFolder(tmpdir(), 'ingest');
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  let gateway: ServiceRun | undefined;
  let bare: ChildProcess | undefined;
  try {
    const place = await startOwnBroker(folder, supervisor, say);
    await registerSchemas({ url: place.registryUrl });
    const at = { ...place, prefix: '', partitions: EMBEDDED_PARTITIONS };
    const log = await openLog({ brokers: place.brokers.split(','), clientId: 'bench', prefix: '' });
    await log.admin.createTopics(EMBEDDED_PARTITIONS);
    await log.close();
    const env = {
      ...serviceEnv(at),
      ...profileEnv(values.profile),
      HINDSIGHT_PORT: '0',
      HINDSIGHT_WRITE_KEY: WRITE_KEY,
    };
    gateway = new ServiceRun('gateway', { root, dataFolder: join(folder, 'data'), env });
    await gateway.untilLive();
    const { url } = await gateway.status<{ readonly url: string }>();
    bare = spawn(process.execPath, [...serviceNodeOptions, join(root, 'bench/ingest/bare.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const doors: readonly Door[] = [
      { name: 'bare', url: await firstLineOf(bare), pid: bare.pid ?? 0 },
      { name: 'gateway', url, pid: gateway.pid },
    ];
    const fixed = { seconds: Number(values.seconds), brokerPid: place.brokerPid };
    const several = values.connections
      .split(',')
      .map((connections) => ({ ...fixed, connections: Number(connections) }));
    const rows: BenchRow[] = [];
    for (const options of several) rows.push(...(await race(doors, options, Number(values.runs))));
    const door: Door = { name: 'gateway', url, pid: gateway.pid };
    for (const options of several.slice(0, 1)) {
      rows.push(...(await spooled(door, options, Number(values['spool-seconds']))));
    }
    return rows;
  } finally {
    bare?.stdin?.end();
    await gateway?.stop();
    await supervisor.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function race(doors: readonly Door[], options: Options, runs: number): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [what, shot] of [
    ['single', single],
    ['batch', batch],
  ] as const) {
    for (const door of doors) await warmUp(door, shot, options);
    for (let run = 1; run <= runs; run += 1) {
      const of: Partial<Record<Door['name'], number>> = {};
      for (const door of doors) {
        const full = await measured(door, shot, options);
        of[door.name] = full.eventsPerCpuSecond;
        const rate = Math.max(1, Math.floor(full.figures.requests / full.figures.seconds / 2));
        // Half of the bare handler's rate is more than the generator can send evenly beside it.
        const half = door.name === 'gateway' ? await fire(door, shot, { ...options, rate }) : undefined;
        const share = door.name === 'gateway' ? (of.gateway ?? 0) / (of.bare ?? 1) : 1;
        rows.push({ connections: options.connections, ...rowOf({ what, door, run, full, half, share }) });
      }
    }
  }
  return rows;
}

/** Until its CPU per event falls no more. */
async function warmUp(door: Door, shot: Shot, options: Options): Promise<void> {
  let [best, steady, round] = [0, 0, 0];
  while (steady < STEADY_ROUNDS && round < WARM_ROUNDS_MAX) {
    const { eventsPerCpuSecond } = await measured(door, shot, { ...options, seconds: WARM_SECONDS });
    steady = eventsPerCpuSecond > best * STEADY_GAIN ? 0 : steady + 1;
    best = Math.max(best, eventsPerCpuSecond);
    round += 1;
  }
  const rate = Math.round(best);
  say(`  ${door.name}: warm after ${String(round * WARM_SECONDS)} s, ${String(rate)} events per CPU second`);
}

interface Measured {
  readonly figures: LoadFigures;
  readonly events: number;
  readonly eventsPerCpuSecond: number;
  readonly brokerMicros: number;
}

async function measured(door: Door, shot: Shot, options: Options): Promise<Measured> {
  const [cpu, broker] = [cpuSecondsOf(door.pid), cpuSecondsOf(options.brokerPid)];
  const figures = await fire(door, shot, options);
  const events = figures.requests * shot.events;
  return {
    figures,
    events,
    eventsPerCpuSecond: events / (cpuSecondsOf(door.pid) - cpu),
    brokerMicros: ((cpuSecondsOf(options.brokerPid) - broker) / events) * 1e6,
  };
}

function fire({ url }: Door, shot: Shot, how: Options & { readonly rate?: number }): Promise<LoadFigures> {
  return load(shot, { url, writeKey: WRITE_KEY, ...how });
}

interface Row {
  readonly what: string;
  readonly door: Door;
  readonly run: number;
  readonly full: Measured;
  readonly half: LoadFigures | undefined;
  readonly share: number;
}

function rowOf({ what, door, run, full, half, share }: Row): BenchRow {
  return {
    what,
    door: door.name,
    run,
    events: full.events,
    'per CPU second': Math.round(full.eventsPerCpuSecond),
    'of bare': share.toFixed(2),
    'µs each': (1e6 / full.eventsPerCpuSecond).toFixed(1),
    'broker µs each': door.name === 'gateway' ? full.brokerMicros.toFixed(1) : '',
    'per second': Math.round(full.events / full.figures.seconds),
    'p50 ms': full.figures.p50Ms,
    'p99 ms': full.figures.p99Ms,
    'half rate p50 ms': half?.p50Ms ?? '',
    'half rate p99 ms': half?.p99Ms ?? '',
    failed: full.figures.failed + (half?.failed ?? 0),
    'peak MiB': peakMebibytesOf(door.pid),
    load: (loadavg()[0] ?? 0).toFixed(1),
  };
}

/** The broker stops; singles, then batches, go to the disk; it goes on, and what is there is drained. */
async function spooled(door: Door, options: Options, seconds: number): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [what, shot] of [
    ['single', single],
    ['batch', batch],
  ] as const) {
    process.kill(options.brokerPid, 'SIGSTOP');
    let kept: Measured;
    try {
      await fire(door, shot, { ...options, seconds: 5 }); // until it has seen that the broker does not answer
      kept = await measured(door, shot, { ...options, seconds });
    } finally {
      process.kill(options.brokerPid, 'SIGCONT');
    }
    const [bytes, began] = [await spooledBytes(door), performance.now()];
    const brokerCpu = cpuSecondsOf(options.brokerPid);
    while ((await spooledBytes(door)) > 0) await sleep(20);
    const drainSeconds = (performance.now() - began) / 1_000;
    rows.push({
      what: `${what}, broker stopped`,
      events: kept.events,
      'per CPU second': Math.round(kept.eventsPerCpuSecond),
      'per second': Math.round(kept.events / kept.figures.seconds),
      'p50 ms': kept.figures.p50Ms,
      'p99 ms': kept.figures.p99Ms,
      failed: kept.figures.failed,
      'drained MiB': (bytes / 2 ** 20).toFixed(1),
      'drained MiB per second': (bytes / 2 ** 20 / drainSeconds).toFixed(1),
      'drained in s': drainSeconds.toFixed(1),
      'broker CPU s': (cpuSecondsOf(options.brokerPid) - brokerCpu).toFixed(1),
      'peak MiB': peakMebibytesOf(door.pid),
      load: (loadavg()[0] ?? 0).toFixed(1),
    });
  }
  console.table(rows);
  return rows;
}

async function spooledBytes({ url }: Door): Promise<number> {
  const answer = await fetch(`${url}/health/ingest`);
  return ((await answer.json()) as { spooled_bytes: number }).spooled_bytes; // written by services/app/health.ts
}

async function firstLineOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('could not read what it prints');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return line.toString().trim();
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
