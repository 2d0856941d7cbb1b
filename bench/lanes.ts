/**
 * What an event costs the merger's lanes: the processors alone, over the real stores and the real output buffer, without
 * a broker. `npm run bench -- lanes [--events 2000000] [--partitions 4] [--batch 12000] [--seed 1] [--folder DIR]`
 *   `--without duplicates,events,keyed,outputs,identity`: any of them left out, behind the ports that the lanes are given
 *   `--parts [--events 1000000] [--runs 3]`: what each part adds, a table
 *   `--waiting 10000000 [--active N]`: a row for each million events that wait, until so many do
 *
 * The events are those of the Kafka Streams application that the merger is measured against (bench/workload.ts). Making
 * them, a block at a time, and identity's answers is not measured; deciding, appending, emitting, committing and flushing
 * is. Times are CPU of the process. With seed 1 and 2 M events the application emits 117,891 records: what was anonymous,
 * and the identifies that claimed; the last line compares.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { localCodecs } from '../schemas/codec.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { assert, CodedError } from '../services/runtime/errors.ts';
import { collectGarbage } from './lanes/collect-garbage.ts';
import { Frames } from './lanes/frames.ts';
import { growth } from './lanes/growth.ts';
import { LanesRun, type LanesFigures } from './lanes/lanes-run.ts';
import { parts, type LanePart } from './lanes/left-out.ts';
import { partsTable, type RunLine } from './lanes/parts-table.ts';

/** What the Kafka Streams application emits of the first 2 M events of seed 1. */
const peerRecords = { events: 2_000_000, seed: 1, records: 117_891 };
const BLOCK_BATCHES = 20;
/** Visitors active at a time for each million that is to wait and the one after, so that none of it is 30 days old. */
const ACTIVE_PER_MILLION = 20_000;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[] | undefined> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string' },
      partitions: { type: 'string', default: '4' },
      batch: { type: 'string', default: '12000' },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '3' },
      parts: { type: 'boolean', default: false },
      without: { type: 'string', default: '' },
      waiting: { type: 'string' },
      active: { type: 'string' },
      folder: { type: 'string', default: tmpdir() },
    },
  });
  const [partitions, batch, seed] = [values.partitions, values.batch, values.seed].map(Number) as [
    number,
    number,
    number,
  ];
  const without = new Set(
    values.without
      .split(',')
      .filter((name) => name !== '')
      .map(asPart),
  );
  const codecs = localCodecs();
  const folder = await mkdtemp(join(values.folder, 'hindsight-bench-lanes-'));
  try {
    if (values.parts) {
      const [events, runs] = [Number(values.events ?? 1_000_000), Number(values.runs)];
      return await partsTable({
        root: fileURLToPath(new URL('..', import.meta.url)),
        folder,
        events,
        runs,
        partitions,
        report: say,
      });
    }
    const run = new LanesRun(folder, partitions, codecs, without);
    const shape = { codecs, partitions, seed, batch, identifies: !without.has('identity') };
    if (values.waiting !== undefined) {
      const waiting = Number(values.waiting);
      const active = Number(values.active ?? (waiting / 1e6 + 1) * ACTIVE_PER_MILLION);
      const rows = await growth(run, new Frames({ ...shape, active }), waiting);
      run.close();
      return rows;
    }
    const events = Number(values.events ?? peerRecords.events);
    const whole = await runAll(run, new Frames(shape), events);
    const comparable = events === peerRecords.events && seed === peerRecords.seed && without.size === 0;
    if (comparable) compare(whole);
    run.close();
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAll(run: LanesRun, frames: Frames, events: number): Promise<LanesFigures> {
  let half = run.figures();
  const nothing = half;
  while (frames.made < events) {
    const block = frames.block(BLOCK_BATCHES, events);
    collectGarbage();
    for (const frame of block) {
      await run.batch(frame);
      const now = run.figures();
      if (now.events * 2 <= events) half = now;
    }
  }
  while (run.isUnsettled) await run.batch();
  const whole = run.figures();
  const microseconds = (from: LanesFigures): number =>
    ((whole.cpuMs - from.cpuMs) * 1_000) / (whole.events - from.events);
  const line: RunLine = { warmMicroseconds: microseconds(half) };
  const rate = (from: LanesFigures): number => Math.round(1e6 / microseconds(from));
  console.log(JSON.stringify({ ...whole, perCpuSecond: rate(nothing), warm: rate(half), ...line }));
  return whole;
}

function compare({ onceAnonymous, claims }: LanesFigures): void {
  const emitted = onceAnonymous + claims;
  console.log(`emitted as the peer: ${String(emitted)} of ${String(peerRecords.records)}`);
  assert(emitted === peerRecords.records, 'what is merged is what the peer merges');
}

function asPart(name: string): LanePart {
  const found = parts.find((part) => part === name);
  if (found !== undefined) return found;
  throw new CodedError('bench_failed', `could not leave out ${name}: parts are ${parts.join(', ')}`);
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
