/**
 * What a single event costs the broker, by how long it waits for others: the producer of ingest alone, on time, without
 * HTTP. `npm run bench -- linger [--rates 1000,5000,10000] [--seconds 10] [--runs 2]`
 *
 * Records of 400 bytes, each of a lane of its own, over 8 partitions; acknowledged by all in-sync replicas.
 */
import { rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Supervisor } from '../infra/local/supervisor.ts';
import { EMBEDDED_PARTITIONS } from '../schemas/topics.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import type { Producer } from '../services/runtime/log/ports.ts';
import { asPosted } from '../services/runtime/log/producing/as-posted.ts';
import { openBenchFolder } from './bench-folder.ts';
import { spreadOf } from './latency/spread.ts';
import { startOwnBroker } from './merger/own-broker.ts';
import { cpuSecondsOf } from './merger/process-figures.ts';

const VALUE = Buffer.alloc(400, 'v');
const LINGERS = [
  { lingerMs: 2, lingerMsMax: 2 },
  { lingerMs: 2, lingerMsMax: 20 },
] as const;
const WARM_SECONDS = 4;
const PENDING_RECORDS_MAX = 100_000;
const TICK_MS = 1;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rates: { type: 'string', default: '1000,5000,10000' },
      seconds: { type: 'string', default: '10' },
      runs: { type: 'string', default: '2' },
    },
  });
  const folder = openBenchFolder(tmpdir(), 'linger');
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  try {
    const { brokers, brokerPid } = await startOwnBroker(folder, supervisor, say);
    const log = await openLog({ brokers: brokers.split(','), clientId: 'bench', prefix: '' });
    await log.admin.createTopics(EMBEDDED_PARTITIONS);
    const rows: BenchRow[] = [];
    const rounds = values.rates
      .split(',')
      .flatMap((rate) =>
        Array.from({ length: Number(values.runs) }, (_, run) => ({ perSecond: Number(rate), run: run + 1 })),
      );
    for (const round of rounds) {
      for (const linger of LINGERS) {
        const producer = await log.producer({ ...linger, pendingRecordsMax: PENDING_RECORDS_MAX });
        rows.push(
          await measured(producer, { ...round, ...linger, brokerPid, seconds: Number(values.seconds) }),
        );
        await producer.close();
      }
    }
    await log.close();
    return rows;
  } finally {
    await supervisor.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Round {
  readonly perSecond: number;
  readonly run: number;
  readonly lingerMs: number;
  readonly lingerMsMax: number;
  readonly brokerPid: number;
  readonly seconds: number;
}

async function measured(
  producer: Producer,
  { perSecond, run, brokerPid, ...round }: Round,
): Promise<BenchRow> {
  await producer.prepare(['eventsCollected']);
  await post(producer, perSecond, WARM_SECONDS);
  const [broker, own] = [cpuSecondsOf(brokerPid), process.cpuUsage()];
  const delays = await post(producer, perSecond, round.seconds);
  const [brokerS, spent] = [cpuSecondsOf(brokerPid) - broker, process.cpuUsage(own)];
  const { p50, p99 } = spreadOf(delays);
  return {
    'per second': perSecond,
    'linger ms': `${String(round.lingerMs)} to ${String(round.lingerMsMax)}`,
    run,
    events: delays.length,
    'broker µs each': ((brokerS / delays.length) * 1e6).toFixed(1),
    'producer µs each': ((spent.user + spent.system) / delays.length).toFixed(1),
    'p50 ms': p50.toFixed(1),
    'p99 ms': p99.toFixed(1),
    load: (loadavg()[0] ?? 0).toFixed(1),
  };
}

/** @returns ms from posting to acknowledgement, of each. */
async function post(producer: Producer, perSecond: number, seconds: number): Promise<number[]> {
  const began = performance.now();
  const delays: number[] = [];
  let fault: unknown;
  let posted = 0;
  const all = perSecond * seconds;
  while (posted < all && fault === undefined) {
    const due = Math.min(all, Math.ceil(((performance.now() - began) / 1_000) * perSecond));
    for (; posted < due; posted += 1) {
      const at = performance.now();
      const key = Buffer.from(`bench:a:${String(posted)}`);
      producer.post(
        'eventsCollected',
        asPosted(key, VALUE),
        {
          resolve: () => delays.push(performance.now() - at),
          reject: (error) => {
            fault = error;
          },
        },
        0,
      );
    }
    await sleep(TICK_MS);
  }
  while (delays.length < all && fault === undefined) await sleep(TICK_MS);
  if (fault !== undefined)
    throw new CodedError('bench_failed', 'the broker did not take it', { cause: fault });
  return delays;
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
