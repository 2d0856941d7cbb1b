/** The table: a row for each run, and below them the least, the median and the greatest of each measure. */
import type { BenchRow } from '../../scripts/bench.ts';
import { leastMedianGreatest, medianOf } from '../median.ts';
import type { Contestant, Ran } from './contestants.ts';

export interface SegmentFigures extends Ran {
  readonly what: Contestant;
  /** How many. */
  readonly segments: number;
  readonly run: number;
  /** Of the machine over the last minute, as the run began. */
  readonly load: number;
  readonly check: string;
}

interface Measure {
  readonly of: (figures: SegmentFigures) => number;
  readonly digits: number;
}

const MILLION = 1e6;
const perCpuSecond = ({ events, cpuSeconds }: SegmentFigures): number => events / cpuSeconds;
const measures: Readonly<Record<string, Measure>> = {
  'events/s': { of: ({ events, seconds }) => events / seconds, digits: 0 },
  'events per CPU s': { of: perCpuSecond, digits: 0 },
  'broker CPU s per 1M': {
    of: ({ brokerCpuSeconds, events }) => (brokerCpuSeconds / events) * MILLION,
    digits: 2,
  },
  'start-up CPU s': { of: ({ startUpCpuSeconds }) => startUpCpuSeconds, digits: 1 },
  'RSS peak MiB': { of: ({ peakMebibytes }) => peakMebibytes, digits: 0 },
  'state MiB': { of: ({ stateMebibytes }) => stateMebibytes, digits: 0 },
  'load before': { of: ({ load }) => load, digits: 1 },
};

export function segmentRows(runs: readonly SegmentFigures[]): BenchRow[] {
  return [...runs.map(runRow), ...summaryRows(runs)];
}

function runRow(figures: SegmentFigures): BenchRow {
  const { segments, what, run, check } = figures;
  const measured = measuresAs(({ of, digits }) => Number(of(figures).toFixed(digits)));
  return { segments, what, run, 'of the peer': '', ...measured, check };
}

/** Of each contestant and number of segments; the ratio is of medians. */
function summaryRows(runs: readonly SegmentFigures[]): BenchRow[] {
  const groups = new Map<string, SegmentFigures[]>();
  for (const run of runs) {
    const name = `${String(run.segments)} ${run.what}`;
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  return [...groups.values()].map((own) => summaryRow(own, runs));
}

function summaryRow(own: readonly SegmentFigures[], all: readonly SegmentFigures[]): BenchRow {
  const { segments = 0, what = '' } = own[0] ?? {};
  const peers = all.filter((run) => run.what === 'peer' && run.segments === segments).map(perCpuSecond);
  const ratio = medianOf(own.map(perCpuSecond)) / medianOf(peers);
  return {
    ...{ segments, what, run: 'min / median / max' },
    'of the peer': peers.length === 0 ? '' : `${ratio.toFixed(2)} x`,
    ...measuresAs(({ of, digits }) => leastMedianGreatest(own.map(of), digits)),
    check: [...new Set(own.map(({ check }) => check))].join(', '),
  };
}

function measuresAs(cell: (measure: Measure) => string | number): BenchRow {
  return Object.fromEntries(Object.entries(measures).map(([name, measure]) => [name, cell(measure)]));
}
