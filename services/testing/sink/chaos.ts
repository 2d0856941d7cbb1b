/**
 * The drill of the sink: kill -9 of the sink and of ClickHouse at random moments under load, then the tables are
 * compared with the topics, record by record. Run by sink-outages.long.test.ts with few kills and by `npm run test:chaos -- sink`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { migrate } from '../../sink/schema/migrate.ts';
import {
  freePort,
  startEngineProcess,
  type EngineProcess,
} from '../../../infra/local/engine/engine-process.ts';
import { Random } from '../random.ts';
import { openLog } from '../../runtime/log/open-log.ts';
import type { Log } from '../../runtime/log/ports.ts';
import { registerSchemas } from '../../runtime/registry.ts';
import { compareWithTopics, type Comparison } from './compare-with-topics.ts';
import { startLoad } from './sample-load.ts';
import { openTarget } from '../../sink/target.ts';

export interface ChaosOptions {
  readonly kills: number;
  readonly seed: number;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly eventsPerSecond?: number;
  readonly report?: (line: string) => void;
}

export interface ChaosReport extends Comparison {
  readonly seed: number;
  readonly sinkKills: number;
  readonly engineKills: number;
  readonly seconds: number;
}

const SERVICE = fileURLToPath(new URL('../../../scripts/service.ts', import.meta.url));
const PARTITIONS = 8;
const DRAIN_MS_MAX = 180_000;

export async function chaosSink(options: ChaosOptions): Promise<ChaosReport> {
  const { kills, seed, brokers, registryUrl, eventsPerSecond = 2_000, report = () => undefined } = options;
  const random = new Random(seed);
  const started = Date.now();
  const folder = await mkdtemp(join(tmpdir(), 'hindsight-chaos-sink-'));
  const prefix = `chaos-${String(started)}-${String(seed)}.`;
  const port = await freePort();
  const startEngine = (): Promise<EngineProcess> =>
    startEngineProcess({ folder: join(folder, 'engine'), port });
  let engine = await startEngine();
  const address = {
    url: engine.url,
    username: engine.username,
    password: engine.password,
    database: 'chaos',
  };
  await migrate(address);
  const codecs = await registerSchemas({ url: registryUrl });
  const log = await openLog({ brokers, clientId: 'chaos', prefix });
  await log.admin.createTopics(PARTITIONS);
  const startSink = (): SinkProcess => sinkProcess({ folder, prefix, brokers, registryUrl, address });
  let sink = startSink();
  const load = await startLoad({ log, codecs, eventsPerSecond, seed });
  const counts = { sink: 0, engine: 0 };
  try {
    for (let kill = 0; kill < kills; kill++) {
      await sink.running();
      await sleep(random.next() * 900);
      const both = random.next() < 0.1;
      if (both || random.next() < 0.5) {
        counts.sink += 1;
        await sink.kill();
        sink = startSink();
      }
      if (both || counts.sink + counts.engine === kill) {
        counts.engine += 1;
        await engine.kill();
        await sleep(random.next() * 300);
        engine = await startEngine();
      }
      report(`${String(kill + 1)} kills, ${String(load.sent())} records`);
    }
    await load.stop();
    await drained(log, sink);
    const target = openTarget(address, { replicated: false });
    const comparison = await compareWithTopics({ log, codecs, target });
    await target.close();
    const seconds = Math.round((Date.now() - started) / 1000);
    return { seed, sinkKills: counts.sink, engineKills: counts.engine, seconds, ...comparison };
  } finally {
    await load.stop();
    await sink.kill();
    await engine.kill();
    await log.close();
    await rm(folder, { recursive: true, force: true });
  }
}

export interface SinkProcess {
  readonly child: ChildProcess;
  /** Resolves once it reads and writes. */
  running(): Promise<void>;
  written(): Promise<Readonly<Record<string, readonly number[]>>>;
  kill(): Promise<void>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

export function sinkProcess(options: {
  readonly folder: string;
  readonly prefix: string;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly address: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly database: string;
  };
}): SinkProcess {
  const { folder, prefix, brokers, registryUrl, address } = options;
  const child = spawn(process.execPath, [SERVICE, 'sink'], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HINDSIGHT_DATA: folder,
      HINDSIGHT_PREFIX: prefix,
      KAFKA_BROKERS: brokers.join(','),
      SCHEMA_REGISTRY_URL: registryUrl,
      CLICKHOUSE_URL: address.url,
      CLICKHOUSE_USER: address.username,
      CLICKHOUSE_PASSWORD: address.password,
      CLICKHOUSE_DATABASE: address.database,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const get = async (path: string): Promise<unknown> => {
    const text = await readFile(join(folder, 'run', 'sink.json'), 'utf8');
    const { pid, url } = JSON.parse(text) as { pid: number; url: string };
    if (pid !== child.pid) throw new Error('the file is another process’s');
    return (await fetch(url + path, { signal: AbortSignal.timeout(2_000) })).json();
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    }
    return child.exitCode;
  };
  return {
    child,
    running: async () => {
      for (;;) {
        const health = (await get('/health/ready').catch(() => undefined)) as
          { parts?: { sink?: { ok: boolean } } } | undefined;
        if (health?.parts?.sink?.ok === true) return;
        if (child.exitCode !== null) throw new Error(`the sink ended with code ${String(child.exitCode)}`);
        await sleep(20);
      }
    },
    written: async () => ((await get('/status')) as { inputs: Record<string, number[]> }).inputs,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}

/** Waits until the sink has written everything that was on the topics when it was asked. */
export async function drained(log: Log, sink: SinkProcess): Promise<void> {
  const ends = new Map<string, readonly number[]>();
  for (const topic of [
    'eventsMerged',
    'eventsCollected',
    'identityLog',
    'eventsDropped',
    'peopleChanged',
  ] as const) {
    ends.set(topic, await log.admin.endOffsets(topic));
  }
  const deadline = Date.now() + DRAIN_MS_MAX;
  for (;;) {
    const written = await sink.written().catch(() => undefined);
    const behind = [...ends].some(([topic, offsets]) =>
      offsets.some((end, partition) => (written?.[topic]?.[partition] ?? -1) < end),
    );
    if (!behind) return;
    if (Date.now() > deadline) throw new Error(`the sink did not catch up: ${JSON.stringify(written)}`);
    await sleep(100);
  }
}
