/** The table of the steady runs: what each spent on the same load, and what share of the peer's that is. */
import type { BenchRow } from '../../scripts/bench.ts';
import { leastMedianGreatest, medianOf } from '../median.ts';

export interface SteadyFigures {
  readonly what: 'peer' | 'merger';
  readonly run: number;
  /** Of the machine over the last minute, as the run began. */
  readonly load: number;
  readonly seconds: number;
  readonly fed: number;
  readonly events: number;
  /** By process. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly brokerCpuSeconds: number;
  readonly transactions: number | undefined;
  /** Events on the topic that were not handled and committed, once a second. */
  readonly lags: readonly number[];
  /** Of a core, by process, while nothing was fed. */
  readonly idleShares: Readonly<Record<string, number>>;
  readonly feedLateMsMax: number;
  /** Of its processes together. */
  readonly peakMebibytes: number;
  readonly check: string;
}

const MILLION = 1e6;

export function steadyRows(figures: readonly SteadyFigures[]): BenchRow[] {
  const rows = figures.map((run) => rowOf(run, peerOf(figures, run)));
  const names = [...new Set(figures.map(({ what }) => what))];
  return [...rows, ...names.map((what) => summaryOf(what, figures))];
}

/** The peer's run of the same round. */
function peerOf(figures: readonly SteadyFigures[], { run }: SteadyFigures): SteadyFigures | undefined {
  return figures.find((other) => other.what === 'peer' && other.run === run);
}

function rowOf(figures: SteadyFigures, peer: SteadyFigures | undefined): BenchRow {
  const { what, run, seconds, events, transactions, lags } = figures;
  return {
    what: nameOf(what),
    run,
    'events/s fed': Math.round(figures.fed / seconds),
    'CPU % of a core': byProcess(figures.cpuSeconds, (cpu) => percent(cpu / seconds)),
    'CPU us an event': cpuMicroseconds(figures).toFixed(2),
    "of the peer's": peer === undefined ? '' : (cpuMicroseconds(figures) / cpuMicroseconds(peer)).toFixed(3),
    'idle CPU %': byProcess(figures.idleShares, percent),
    'broker CPU s per 1M': ((figures.brokerCpuSeconds / events) * MILLION).toFixed(2),
    'transactions/s': transactions === undefined ? '' : (transactions / seconds).toFixed(1),
    'lag median': medianOf(lags),
    'lag max': Math.max(...lags),
    'feed late ms': Math.round(figures.feedLateMsMax),
    'RSS peak MiB': figures.peakMebibytes,
    'load before': figures.load.toFixed(1),
    check: figures.check,
  };
}

/** Least / median / greatest over the runs. */
function summaryOf(what: SteadyFigures['what'], all: readonly SteadyFigures[]): BenchRow {
  const own = all.filter((run) => run.what === what);
  const spread = (measure: (run: SteadyFigures) => number, digits: number): string => {
    return leastMedianGreatest(own.map(measure), digits);
  };
  const peers = all.filter((run) => run.what === 'peer').map(cpuMicroseconds);
  const share = medianOf(own.map(cpuMicroseconds)) / medianOf(peers);
  return {
    what: nameOf(what),
    run: 'min / median / max',
    'events/s fed': spread((run) => run.fed / run.seconds, 0),
    'CPU % of a core': spread((run) => (sumOf(run.cpuSeconds) / run.seconds) * 100, 1),
    'CPU us an event': spread(cpuMicroseconds, 2),
    "of the peer's": peers.length === 0 ? '' : share.toFixed(3),
    'idle CPU %': spread((run) => sumOf(run.idleShares) * 100, 1),
    'broker CPU s per 1M': spread((run) => (run.brokerCpuSeconds / run.events) * MILLION, 2),
    'transactions/s': what === 'peer' ? '' : spread((run) => (run.transactions ?? 0) / run.seconds, 1),
    'lag median': spread((run) => medianOf(run.lags), 0),
    'lag max': spread((run) => Math.max(...run.lags), 0),
    'RSS peak MiB': spread((run) => run.peakMebibytes, 0),
    check: [...new Set(own.map(({ check }) => check))].join(', '),
  };
}

function nameOf(what: SteadyFigures['what']): string {
  return what === 'peer' ? 'peer' : 'merger + identity';
}

function cpuMicroseconds({ cpuSeconds, events }: SteadyFigures): number {
  return (sumOf(cpuSeconds) / events) * MILLION;
}

function byProcess(values: Readonly<Record<string, number>>, text: (value: number) => string): string {
  const entries = Object.entries(values);
  if (entries.length === 1) return text(sumOf(values));
  const each = entries.map(([name, value]) => `${name} ${text(value)}`).join(', ');
  return `${text(sumOf(values))} (${each})`;
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

function sumOf(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((sum, value) => sum + value, 0);
}
