/**
 * End to end in a quiet run: calls over HTTP to the gateway, until a reader of `events.merged` (read_committed, a process
 * of its own) has them. `npm run bench -- latency [--rate 1000] [--seconds 60] [--warm 10] [--runs 3] [--deletions N]
 * [--folder DIR]`
 *
 * linked: acknowledged → readable, of events of a visitor whose lane has claimed; half of them say who they are of
 * (named), half only the anonymous id (nameless). history: identify acknowledged → the last of its 20 events readable.
 * With --deletions so many people a second are deleted meanwhile, of whom no other call speaks.
 * Each run has topics and processes of its own: broker, registry, gateway, merger, identity; nothing else runs.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Supervisor } from '../infra/local/supervisor.ts';
import { EMBEDDED_PARTITIONS } from '../schemas/topics.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { runLatency, type LatencyFigures } from './latency/run.ts';
import { callsPerSecondMin } from './latency/schedule.ts';
import { histogramOf, spreadOf } from './latency/spread.ts';
import { root, startOwnBroker } from './merger/own-broker.ts';

/** Nameless events of a linked lane merge for five minutes after the claim, so a run must be shorter. */
const SECONDS_MAX = 240;
/** What is shown, and its goals in ms. */
const measures: readonly {
  readonly what: string;
  readonly of: (run: LatencyFigures) => readonly number[];
  readonly goals: string;
}[] = [
  { what: 'linked', of: ({ linked, named }) => [...linked, ...named], goals: 'p50 60, p99 250' },
  { what: 'linked, nameless', of: ({ linked }) => linked, goals: '' },
  { what: 'linked, named', of: ({ named }) => named, goals: '' },
  { what: 'linked, from sending', of: ({ sent }) => sent, goals: '' },
  { what: 'history of an identify', of: ({ history }) => history, goals: 'p99 500' },
  { what: 'deletion, answered', of: ({ deleted }) => deleted, goals: '' },
  { what: 'sent to acknowledged', of: ({ acknowledged }) => acknowledged, goals: '' },
];

interface Run {
  readonly number: number;
  readonly load: number;
  readonly figures: LatencyFigures;
}

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rate: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '60' },
      warm: { type: 'string', default: '10' },
      runs: { type: 'string', default: '3' },
      deletions: { type: 'string', default: '0' },
      folder: { type: 'string', default: tmpdir() },
    },
  });
  const [callsPerSecond, seconds, warmSeconds] = [values.rate, values.seconds, values.warm].map(Number) as [
    number,
    number,
    number,
  ];
  if (callsPerSecond < callsPerSecondMin || seconds + warmSeconds > SECONDS_MAX) {
    throw new CodedError(
      'bench_failed',
      `could not run: --rate is at least ${String(callsPerSecondMin)}, --seconds and --warm together at most ${String(SECONDS_MAX)}`,
    );
  }
  const folder = await mkdtemp(join(values.folder, 'hindsight-bench-latency-'));
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  try {
    const place = await startOwnBroker(folder, supervisor, say);
    await registerSchemas({ url: place.registryUrl });
    const runs: Run[] = [];
    for (let number = 1; number <= Number(values.runs); number += 1) {
      const load = loadavg()[0] ?? 0;
      const figures = await runLatency({
        ...place,
        root,
        prefix: `latency${String(number)}.`,
        partitions: EMBEDDED_PARTITIONS,
        dataFolder: join(folder, `latency-${String(number)}`),
        callsPerSecond,
        warmSeconds,
        seconds,
        deletionsPerSecond: Number(values.deletions),
      });
      runs.push({ number, load, figures });
      say(`run ${String(number)}: ${String(figures.missing)} not read`);
      for (const { what, of } of measures) console.log(`  ${what.padEnd(24)}${histogramOf(of(figures))}`);
    }
    return measures
      .filter(({ of }) => runs.some(({ figures }) => of(figures).length > 0))
      .flatMap((measure) => [...runs.map((run) => rowOf(measure, run)), summaryOf(measure, runs)]);
  } finally {
    await supervisor.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Measure = (typeof measures)[number];

function rowOf({ what, of }: Measure, { number, load, figures }: Run): BenchRow {
  const { samples, p50, p90, p99, max } = spreadOf(of(figures));
  return {
    what,
    run: number,
    samples,
    'p50 ms': p50.toFixed(1),
    'p90 ms': p90.toFixed(1),
    'p99 ms': p99.toFixed(1),
    'max ms': max.toFixed(1),
    'not read': figures.missing,
    'load before': load.toFixed(1),
  };
}

/** Least / median / greatest over the runs. */
function summaryOf({ what, of, goals }: Measure, runs: readonly Run[]): BenchRow {
  const spreads = runs.map(({ figures }) => spreadOf(of(figures)));
  const over = (measure: 'p50' | 'p90' | 'p99' | 'max'): string => {
    const values = spreads.map((spread) => spread[measure]);
    return [Math.min(...values), spreadOf(values).p50, Math.max(...values)]
      .map((ms) => ms.toFixed(1))
      .join(' / ');
  };
  return {
    what,
    run: 'min / median / max',
    samples: spreads.reduce((sum, { samples }) => sum + samples, 0),
    'p50 ms': over('p50'),
    'p90 ms': over('p90'),
    'p99 ms': over('p99'),
    'max ms': over('max'),
    'not read': runs.reduce((sum, { figures }) => sum + figures.missing, 0),
    goals,
  };
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
