/**
 * What each part of the product adds over the bare core. A part that lies behind a port is left out in turn, each time in
 * a process of its own (another store behind a port is other machine code); the others are measured alone.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchRow } from '../../scripts/bench.ts';
import { leastMedianGreatest, medianOf } from '../median.ts';
import { aloneFigures } from './parts-alone.ts';
import type { LanePart } from './left-out.ts';

export interface PartsOptions {
  readonly root: string;
  readonly folder: string;
  readonly events: number;
  readonly runs: number;
  readonly partitions: number;
  readonly report: (line: string) => void;
}

/** Printed by a run of the bench as a line of JSON. */
export interface RunLine {
  /** CPU an event over the second half of the events. */
  readonly warmMicroseconds: number;
}

const MS_MAX = 900_000;
const execute = promisify(execFile);

const variants: readonly { readonly without: readonly LanePart[]; readonly what: string }[] = [
  { without: [], what: 'the whole of the lanes' },
  { without: ['duplicates'], what: 'duplicates check' },
  { without: ['events'], what: 'waiting events: kept, read at a release' },
  { without: ['identity'], what: 'identifies: requests, answers, releases' },
  { without: ['keyed'], what: 'keyed state in LMDB instead of a Map' },
  { without: ['outputs'], what: 'outputs serialised into record batches' },
  { without: ['duplicates', 'identity'], what: 'bare core: events are kept by lane' },
];

export async function partsTable(options: PartsOptions): Promise<BenchRow[]> {
  const found = new Map<string, number[]>(variants.map(({ what }) => [what, []]));
  for (let run = 1; run <= options.runs; run += 1) {
    for (const { without, what } of variants) {
      const { warmMicroseconds } = await runWithout(options, without);
      found.get(what)?.push(warmMicroseconds);
      options.report(
        `${String(run)}: without ${without.join(', ') || 'nothing'}: ${warmMicroseconds.toFixed(2)} us`,
      );
    }
  }
  const whole = medianOf(found.get(variants[0]?.what ?? '') ?? []);
  const left = variants.map(({ what, without }): BenchRow => {
    const values = found.get(what) ?? [];
    const isDifference = without.length === 1;
    const adds = isDifference ? whole - medianOf(values) : medianOf(values);
    return {
      what,
      'us an event': adds.toFixed(2),
      '% of the whole': ((adds / whole) * 100).toFixed(0),
      how: isDifference ? 'whole less what is left without it' : 'measured',
      'measured min / median / max': leastMedianGreatest(values, 2),
    };
  });
  const alone = await aloneFigures(options);
  return [
    ...left,
    ...alone.map(({ what, microseconds, how }): BenchRow => ({
      what,
      'us an event': microseconds.toFixed(3),
      '% of the whole': ((microseconds / whole) * 100).toFixed(1),
      how,
    })),
  ];
}

async function runWithout(
  { root, folder, events, partitions }: PartsOptions,
  without: readonly LanePart[],
): Promise<RunLine> {
  const args = ['scripts/bench.ts', 'lanes', '--events', String(events), '--folder', folder];
  args.push('--partitions', String(partitions), '--without', without.join(','));
  const { stdout } = await execute(process.execPath, args, { cwd: root, timeout: MS_MAX });
  const line = stdout.split('\n').find((each) => each.startsWith('{')) ?? '';
  return JSON.parse(line) as RunLine; // printed by the bench
}
