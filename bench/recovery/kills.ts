/** The merger on filled stores, under load, killed with -9 again and again. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../schemas/codec.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Producer } from '../../services/runtime/log/ports.ts';
import { cpuSecondsOf } from '../merger/process-figures.ts';
import { serviceEnv, ServiceRun, type ServicePlace } from '../merger/service-run.ts';
import { keyOf, valueOf } from './fill.ts';

export interface KillsOptions {
  readonly root: string;
  readonly dataFolder: string;
  readonly codecs: Codecs;
  readonly place: ServicePlace;
  readonly lanes: number;
  readonly kills: number;
  readonly eventsPerSecond: number;
  readonly report: (line: string) => void;
}

export interface Start {
  readonly liveMs: number;
  readonly firstRecordMs: number;
  /** Of all threads until it had been seen live: what the start takes on a machine that has a core to spare. */
  readonly cpuMs: number;
  /** Node, the code, the registry and the broker, until the task begins. */
  readonly processMs: number;
  /** Of the task. */
  readonly laps: Readonly<Record<string, number>>;
  readonly rssBytes: number;
}

const RUN_MS_MIN = 3_000;
const RUN_MS_STEP = 400;
const TICK_MS = 50;
const PENDING_MAX = 200_000;

/** @returns the starts after each kill; the first of all is not counted. */
export async function killAgainAndAgain(options: KillsOptions): Promise<readonly Start[]> {
  const { place, kills } = options;
  const log = await openLog({
    brokers: place.brokers.split(','),
    clientId: 'bench-recovery',
    prefix: place.prefix,
  });
  const done = new AbortController();
  let load: Promise<void> | undefined;
  let merger: ServiceRun | undefined;
  const starts: Start[] = [];
  try {
    await log.admin.createTopics(place.partitions);
    load = keepLoading(
      await log.producer({ lingerMs: 5, pendingRecordsMax: PENDING_MAX }),
      options,
      done.signal,
    );
    merger = start(options);
    await measure(merger);
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(RUN_MS_MIN + (kill % 5) * RUN_MS_STEP);
      await merger.kill();
      merger = start(options);
      const figures = await measure(merger);
      options.report(JSON.stringify(figures));
      starts.push(figures);
    }
    return starts;
  } finally {
    done.abort();
    await load;
    await merger?.stop();
    await log.close();
  }
}

function start({ root, dataFolder, place }: KillsOptions): ServiceRun {
  return new ServiceRun('merger', { root, dataFolder, env: serviceEnv(place) });
}

async function measure(merger: ServiceRun): Promise<Start> {
  let cpuMs = NaN;
  const live = merger.untilLive().then((ms) => {
    cpuMs = cpuSecondsOf(merger.pid) * 1_000;
    return ms;
  });
  const [liveMs, firstRecordMs] = await Promise.all([live, merger.untilFirstRecord()]);
  const { tasks, started } = await merger.status();
  return {
    liveMs,
    firstRecordMs,
    cpuMs,
    processMs: started?.ms ?? NaN,
    laps: tasks[0]?.went_live?.of_which ?? {},
    rssBytes: rssOf(merger.pid),
  };
}

/** What is sent while the merger is dead waits on the broker, as in life. */
async function keepLoading(producer: Producer, options: KillsOptions, stop: AbortSignal): Promise<void> {
  const { codecs, lanes, eventsPerSecond } = options;
  const began = performance.now();
  for (let sent = 0; !stop.aborted;) {
    const due = Math.floor(((performance.now() - began) / 1_000) * eventsPerSecond);
    const sends: Promise<unknown>[] = [];
    for (; sent < due; sent += 1) {
      const lane = (sent * 7_919) % lanes;
      sends.push(producer.send('eventsCollected', keyOf(lane), valueOf(codecs, lane, Date.now())));
    }
    await Promise.all(sends);
    await sleep(TICK_MS);
  }
  await producer.close();
}

function rssOf(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
}
