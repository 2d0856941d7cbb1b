/**
 * The drill of an outage: ClickHouse is away for a while under load, and comes back. Measured are the sink's memory
 * meanwhile and how fast it catches up; then the tables are compared with the topics, record by record. Run by
 * sink-outages.long.test.ts for seconds and by `npm run test:chaos -- sink-outage --minutes 10 --rate 1500`.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../sink/schema/migrate.ts';
import { freePort, startEngineProcess } from '../../../infra/local/engine/engine-process.ts';
import { openLog } from '../../runtime/log/open-log.ts';
import { registerSchemas } from '../../runtime/registry.ts';
import { drained, sinkProcess, type SinkProcess } from './chaos.ts';
import { compareWithTopics, type Comparison } from './compare-with-topics.ts';
import { startLoad, type Load } from './sample-load.ts';
import { openTarget } from '../../sink/target.ts';

export interface OutageOptions {
  readonly outageMs: number;
  readonly seed: number;
  readonly eventsPerSecond: number;
  /** Whether events go on coming until it has caught up: only a machine that is quick enough gets there. */
  readonly catchUpUnderLoad: boolean;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly report?: (line: string) => void;
}

export interface OutageReport extends Comparison {
  readonly outageSeconds: number;
  /** Events of people sent a second over the whole drill. */
  readonly arrivalPerSecond: number;
  /** Events of people that waited on the topic when ClickHouse came back. */
  readonly behind: number;
  /** From ClickHouse answering again to the first row: what is left of the pause between two attempts. */
  readonly noticedAfterMs: number;
  /** From the first row to less than a second of arrivals behind. */
  readonly caughtUpAfterMs: number;
  /** Events of people written a second meanwhile. */
  readonly catchUpPerSecond: number;
  /** Of the sink's process, in MB: before, at the end of each tenth of the outage, and most while it caught up. */
  readonly memoryMbBefore: number;
  readonly memoryMbDuring: readonly number[];
  readonly memoryMbCatchUp: number;
}

const PARTITIONS = 8;
/** Load before the outage, so that the memory of a sink at work is known. */
const WARM_UP_MS = 5_000;
const SAMPLES = 10;
const WATCH_EVERY_MS = 200;
const CATCH_UP_MS_MAX = 600_000;

export async function outageOfClickHouse(options: OutageOptions): Promise<OutageReport> {
  const { seed, brokers, registryUrl, eventsPerSecond } = options;
  const folder = await mkdtemp(join(tmpdir(), 'hindsight-outage-'));
  const prefix = `outage-${String(Date.now())}-${String(seed)}.`;
  const place = { folder: join(folder, 'engine'), port: await freePort() };
  let engine = await startEngineProcess(place);
  const address = {
    url: engine.url,
    username: engine.username,
    password: engine.password,
    database: 'outage',
  };
  await migrate(address);
  const codecs = await registerSchemas({ url: registryUrl });
  const log = await openLog({ brokers, clientId: 'outage', prefix });
  await log.admin.createTopics(PARTITIONS);
  const sink = sinkProcess({ folder, prefix, brokers, registryUrl, address });
  const target = openTarget(address, { replicated: false });
  try {
    await sink.running();
    const load = await startLoad({ log, codecs, eventsPerSecond, seed });
    const startedAt = performance.now();
    try {
      await sleep(WARM_UP_MS);
      while ((await eventsWritten(sink)) < eventsPerSecond) await sleep(WATCH_EVERY_MS); // its caller has a time limit
      const memoryMbBefore = await memoryMb(sink);
      await engine.kill();
      const memoryMbDuring = await outage(options, sink, load);
      engine = await startEngineProcess(place);
      if (!options.catchUpUnderLoad) await load.stop();
      const caughtUp = await catchUp(options, sink, load);
      const arrivalPerSecond = Math.round((load.sent() / (performance.now() - startedAt)) * 1000);
      await load.stop();
      await drained(log, sink);
      const comparison = await compareWithTopics({ log, codecs, target });
      const outageSeconds = Math.round(options.outageMs / 1000);
      return { outageSeconds, arrivalPerSecond, memoryMbBefore, memoryMbDuring, ...caughtUp, ...comparison };
    } finally {
      await load.stop();
    }
  } finally {
    await sink.kill();
    await engine.kill();
    await target.close();
    await log.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** It lasts until more than a second of arrivals wait. @returns the sink's memory in MB at the end of each tenth. */
async function outage(
  { outageMs, eventsPerSecond, report = () => undefined }: OutageOptions,
  sink: SinkProcess,
  load: Load,
): Promise<number[]> {
  const during: number[] = [];
  for (let tenth = 1; tenth <= SAMPLES; tenth++) {
    await sleep(outageMs / SAMPLES);
    during.push(await memoryMb(sink));
    report(
      `${String(tenth * 10)}% of the outage, ${String(load.sent())} events sent, sink ${String(during.at(-1))} MB`,
    );
  }
  const written = await eventsWritten(sink);
  while (load.sent() - written <= eventsPerSecond) await sleep(WATCH_EVERY_MS);
  return during;
}

async function catchUp(
  { eventsPerSecond, report = () => undefined }: OutageOptions,
  sink: SinkProcess,
  load: Load,
): Promise<
  Pick<OutageReport, 'behind' | 'noticedAfterMs' | 'caughtUpAfterMs' | 'catchUpPerSecond' | 'memoryMbCatchUp'>
> {
  const backAt = performance.now();
  const writtenBefore = await eventsWritten(sink);
  const behind = load.sent() - writtenBefore;
  let noticedAt: number | undefined;
  let memoryMbCatchUp = 0;
  for (;;) {
    await sleep(WATCH_EVERY_MS);
    const [written, mb] = await Promise.all([eventsWritten(sink), memoryMb(sink)]);
    const now = performance.now();
    memoryMbCatchUp = Math.max(memoryMbCatchUp, mb);
    if (noticedAt === undefined) {
      if (written > writtenBefore) noticedAt = now;
    } else if (load.sent() - written < eventsPerSecond) {
      const caughtUpAfterMs = Math.round(now - noticedAt);
      report(`caught up with ${String(behind)} events in ${String(caughtUpAfterMs)} ms`);
      return {
        behind,
        noticedAfterMs: Math.round(noticedAt - backAt),
        caughtUpAfterMs,
        catchUpPerSecond: Math.round(((written - writtenBefore) / Math.max(1, now - noticedAt)) * 1000),
        memoryMbCatchUp,
      };
    }
    if (now - backAt > CATCH_UP_MS_MAX)
      throw new Error(`the sink did not catch up: ${String(written)} written`);
  }
}

/** Offsets of events.merged that are in ClickHouse. Nothing on it is written in transactions here, so each is an event. */
async function eventsWritten(sink: SinkProcess): Promise<number> {
  const { eventsMerged = [] } = await sink.written();
  return eventsMerged.reduce((sum, offset) => sum + Math.max(0, offset), 0);
}

async function memoryMb(sink: SinkProcess): Promise<number> {
  const status = await readFile(`/proc/${String(sink.child.pid)}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
}
