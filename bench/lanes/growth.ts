/** What an event costs as more and more wait: a row for each million that waits. */
import { loadavg } from 'node:os';
import type { BenchRow } from '../../scripts/bench.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { Frames } from './frames.ts';
import type { LanesFigures, LanesRun } from './lanes-run.ts';

const MILLION = 1e6;
const BLOCK_BATCHES = 20;
const DAY_MS = 86_400_000;
const BYTES_PER_MIB = 2 ** 20;

interface Stretch {
  /** Millions that waited as it began. */
  readonly from: number;
  readonly microseconds: number;
  readonly row: BenchRow;
}

/** Goes on until so many wait and a million more; the last row compares the last million with the second. */
export async function growth(run: LanesRun, frames: Frames, waiting: number): Promise<BenchRow[]> {
  const stretches: Stretch[] = [];
  const last = Math.round(waiting / MILLION);
  let began = mark(run, frames);
  while (stretches.length <= last) {
    const block = frames.block(BLOCK_BATCHES, Number.POSITIVE_INFINITY);
    collectGarbage();
    for (const frame of block) await run.batch(frame);
    if (frames.waiting < (stretches.length + 1) * MILLION) continue;
    const now = mark(run, frames);
    const stretch = stretchOf(stretches.length, began, now);
    console.log(JSON.stringify(stretch.row));
    stretches.push(stretch);
    began = now;
  }
  const [early, late] = [stretches[1], stretches.at(-1)];
  if (early === undefined || late === undefined) return stretches.map(({ row }) => row);
  return [
    ...stretches.map(({ row }) => row),
    {
      'waiting M': `at ${String(late.from)} M of that at ${String(early.from)} M`,
      'CPU us an event': (late.microseconds / early.microseconds).toFixed(2),
    },
  ];
}

interface Mark extends LanesFigures {
  readonly waiting: number;
  readonly receivedAt: number;
}

function mark(run: LanesRun, { waiting, receivedAt }: Frames): Mark {
  return { ...run.figures(), waiting, receivedAt };
}

function stretchOf(from: number, began: Mark, now: Mark): Stretch {
  const events = now.events - began.events;
  const microseconds = ((now.cpuMs - began.cpuMs) * 1_000) / events;
  return {
    from,
    microseconds,
    row: {
      'waiting M': `${(began.waiting / MILLION).toFixed(2)} to ${(now.waiting / MILLION).toFixed(2)}`,
      'CPU us an event': microseconds.toFixed(2),
      events,
      'new lanes per 1000': (((now.lanes - began.lanes) / events) * 1_000).toFixed(1),
      'released per 1000': (((now.onceAnonymous - began.onceAnonymous) / events) * 1_000).toFixed(1),
      days: began.receivedAt === 0 ? '' : ((now.receivedAt - began.receivedAt) / DAY_MS).toFixed(1),
      lanes: now.lanes,
      'event store MiB': Math.round(now.bytesOnDisk / BYTES_PER_MIB),
      'RSS MiB': now.rssMiB,
      load: (loadavg()[0] ?? 0).toFixed(1),
    },
  };
}
