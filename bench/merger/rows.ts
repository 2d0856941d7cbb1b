/** The table: a row for each run, and below them the least, the median and the greatest of each measure. */
import type { BenchRow } from '../../scripts/bench.ts';
import { leastMedianGreatest, medianOf } from '../median.ts';

/** What one run of one contestant gave; undefined: it has no such thing. */
export interface RunFigures {
  readonly what: string;
  readonly run: number;
  /** Of the machine over the last minute, as the run began. */
  readonly load: number;
  readonly events: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly startUpCpuSeconds: number;
  readonly brokerCpuSecondsPerMillion: number;
  readonly peakMebibytes: number;
  readonly stateMebibytes?: number;
  /** Bytes on the disk for each byte of waiting events. */
  readonly stateShare?: number;
  readonly check: string;
}

const PEER = 'peer';

export function runRow(figures: RunFigures): BenchRow {
  const { what, run, load, events, seconds, cpuSeconds } = figures;
  return {
    what,
    run,
    'events/s': Math.round(events / seconds),
    'events per CPU s': Math.round(events / cpuSeconds),
    'of the peer': '',
    'broker CPU s per 1M': rounded(figures.brokerCpuSecondsPerMillion, 2),
    'start-up CPU s': rounded(figures.startUpCpuSeconds, 1),
    'RSS peak MiB': figures.peakMebibytes,
    'state MiB': rounded(figures.stateMebibytes, 0),
    'state per waiting byte': rounded(figures.stateShare, 2),
    'load before': rounded(load, 1),
    check: figures.check,
  };
}

/** Least / median / greatest; the ratio is of medians. */
export function summaryRows(runs: readonly RunFigures[]): BenchRow[] {
  const rate = (run: RunFigures): number => run.events / run.cpuSeconds;
  const peers = runs.filter(({ what }) => what === PEER).map(rate);
  return [...new Set(runs.map(({ what }) => what))].map((what) => {
    const own = runs.filter((run) => run.what === what);
    const spread = (measure: (run: RunFigures) => number | undefined, digits: number): string => {
      const values = own.map(measure).filter((value) => value !== undefined);
      return values.length === 0 ? '' : leastMedianGreatest(values, digits);
    };
    return {
      what,
      run: 'min / median / max',
      'events/s': spread((run) => run.events / run.seconds, 0),
      'events per CPU s': spread(rate, 0),
      'of the peer': peers.length === 0 ? '' : `${(medianOf(own.map(rate)) / medianOf(peers)).toFixed(1)} x`,
      'broker CPU s per 1M': spread((run) => run.brokerCpuSecondsPerMillion, 2),
      'start-up CPU s': spread((run) => run.startUpCpuSeconds, 1),
      'RSS peak MiB': spread((run) => run.peakMebibytes, 0),
      'state MiB': spread((run) => run.stateMebibytes, 0),
      'state per waiting byte': spread((run) => run.stateShare, 2),
      'load before': spread((run) => run.load, 1),
      check: [...new Set(own.map(({ check }) => check))].join(', '),
    };
  });
}

function rounded(value: number | undefined, digits: number): number | string {
  return value === undefined ? '' : Number(value.toFixed(digits));
}
