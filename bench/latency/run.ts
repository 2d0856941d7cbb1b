/** One run: gateway, merger and identity as processes on fresh topics, a reader beside them, calls on time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { serviceEnv, ServiceRun, type ServicePlace } from '../merger/service-run.ts';
import { Caller, type CallTimes } from './caller.ts';
import { firstCalls, historyEvents, historyId, schedule } from './schedule.ts';

export interface LatencyRunOptions extends ServicePlace {
  readonly root: string;
  readonly dataFolder: string;
  readonly callsPerSecond: number;
  /** Of calls at full rate that are not counted. */
  readonly warmSeconds: number;
  readonly seconds: number;
  readonly deletionsPerSecond: number;
}

/** Milliseconds. */
export interface LatencyFigures {
  /** From sending an HTTP request to its answer, of all calls. */
  readonly acknowledged: readonly number[];
  /** From the answer until events.merged had it. */
  readonly linked: readonly number[];
  readonly named: readonly number[];
  /** From the answer to the identify until events.merged had the last event of its history. */
  readonly history: readonly number[];
  /** The same as linked and named, from when the request was sent. */
  readonly sent: readonly number[];
  /** From sending a deletion to its answer. */
  readonly deleted: readonly number[];
  /** Acknowledged but not read in time. */
  readonly missing: number;
}

const WRITE_KEY = 'bench-write-key';
const SETTLE_MS = 3_000;
const READER_MS_MAX = 30_000;

export async function runLatency(options: LatencyRunOptions): Promise<LatencyFigures> {
  const { brokers, prefix, partitions, callsPerSecond, warmSeconds, seconds } = options;
  const deletions = options.deletionsPerSecond * (warmSeconds + seconds);
  const log = await openLog({ brokers: brokers.split(','), clientId: 'bench', prefix });
  await log.admin.createTopics(partitions);
  await log.close();
  const env = {
    ...serviceEnv(options),
    HINDSIGHT_PORT: '0',
    HINDSIGHT_HOST: '127.0.0.1',
    HINDSIGHT_WRITE_KEY: WRITE_KEY,
  };
  const services = (['identity', 'merger', 'gateway'] as const).map(
    (name) => new ServiceRun(name, { ...options, env }),
  );
  try {
    await Promise.all(services.map((service) => service.untilLive()));
    const gateway = await services[2]?.status<{ readonly url: string }>();
    const caller = new Caller(gateway?.url ?? '', WRITE_KEY);
    const reader = await startReader(options);
    try {
      await caller.play(firstCalls(deletions));
      await sleep(SETTLE_MS);
      const times = await caller.play(schedule(callsPerSecond, warmSeconds + seconds, deletions));
      await sleep(SETTLE_MS);
      return figuresOf(times, await reader.finish(), warmSeconds * 1_000);
    } finally {
      caller.close();
      reader.kill();
    }
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

type ReadTimes = Readonly<Record<string, number>>;

function figuresOf(times: readonly CallTimes[], readAt: ReadTimes, warmMs: number): LatencyFigures {
  const found = { linked: [] as number[], named: [] as number[], history: [] as number[] };
  const sent: number[] = [];
  const deleted: number[] = [];
  const counted = times.filter(({ call }) => call.dueMs >= warmMs);
  let missing = 0;
  for (const { call, sentAt, acknowledgedAt } of counted) {
    if (call.kind === 'history') continue;
    if (call.kind === 'deletion') {
      deleted.push(acknowledgedAt - sentAt);
      continue;
    }
    const place = call.kind === 'identify' ? 'history' : call.kind;
    const readable =
      call.kind === 'identify' ? lastOf(call.visitor ?? 0, readAt) : (readAt[call.messageId] ?? NaN);
    if (Number.isNaN(readable)) {
      missing += 1;
      continue;
    }
    // A reader can have it before its sender has the answer.
    found[place].push(Math.max(0, readable - acknowledgedAt));
    if (place !== 'history') sent.push(readable - sentAt);
  }
  const acknowledged = counted.map(({ sentAt, acknowledgedAt }) => acknowledgedAt - sentAt);
  return { ...found, sent, deleted, acknowledged, missing };
}

/** NaN when one of them was not read. */
function lastOf(visitor: number, readAt: ReadTimes): number {
  const times = Array.from({ length: historyEvents }, (_, at) => readAt[historyId(visitor, at)] ?? NaN);
  return Math.max(...times);
}

async function startReader({ root, dataFolder, brokers, registryUrl, prefix }: LatencyRunOptions) {
  const file = join(dataFolder, 'read.json');
  const script = [join(root, 'bench/latency/merged-reader.ts')];
  const child = spawn(process.execPath, [...script, brokers, registryUrl, prefix, file], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(3_600_000) });
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data', { signal: AbortSignal.timeout(READER_MS_MAX) }), ended]);
  return {
    kill: () => child.kill('SIGKILL'),
    finish: async (): Promise<ReadTimes> => {
      child.stdin.end();
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new CodedError('bench_failed', `the reader ended with code ${String(code)}`);
      return JSON.parse(await readFile(file, 'utf8')) as ReadTimes; // written by the reader
    },
  };
}
