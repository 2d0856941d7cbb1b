/** What an event costs as more and more wait: a row for each million that waits. */
import { loadavg } from 'node:os';
import type { BenchRow } from '../../scripts/bench.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { Frames } from './frames.ts';
import type { LanesFigures, LanesRun } from './lanes-run.ts';

const MILLION = 1e6;
const BLOCK_BATCHES = 20;
/** Stretches that are compared together. */
const LUMPY = 3;
const DAY_MS = 86_400_000;
const BYTES_PER_MIB = 2 ** 20;

interface Stretch {
  /** Millions that waited as it began. */
  readonly from: number;
  readonly events: number;
  readonly cpuMs: number;
  readonly row: BenchRow;
}

/**
 * Goes on until so many wait and a million more. The last rows compare the last million with the second, and three with
 * three: what comes in lumps (a table that doubles) meets one stretch and not the next.
 */
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
  return [
    ...stretches.map(({ row }) => row),
    ...compared(stretches.slice(1, 2), stretches.slice(-1)),
    ...compared(stretches.slice(1, 1 + LUMPY), stretches.slice(-LUMPY)),
  ];
}

/** Nothing to say while the two are not apart. */
function compared(early: readonly Stretch[], late: readonly Stretch[]): BenchRow[] {
  const [lastEarly, firstLate] = [early.at(-1)?.from ?? 0, late[0]?.from ?? 0];
  if (firstLate <= lastEarly) return [];
  const between = (some: readonly Stretch[]): string =>
    `${String(some[0]?.from ?? 0)} to ${String((some.at(-1)?.from ?? 0) + 1)} M`;
  const ratio = microsecondsOf(late) / microsecondsOf(early);
  return [{ 'waiting M': `${between(late)} of ${between(early)}`, 'CPU us an event': ratio.toFixed(2) }];
}

function microsecondsOf(stretches: readonly Stretch[]): number {
  const sum = (measure: (stretch: Stretch) => number): number =>
    stretches.reduce((total, stretch) => total + measure(stretch), 0);
  return (sum(({ cpuMs }) => cpuMs) * 1_000) / sum(({ events }) => events);
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
  const cpuMs = now.cpuMs - began.cpuMs;
  return {
    from,
    events,
    cpuMs,
    row: {
      'waiting M': `${(began.waiting / MILLION).toFixed(2)} to ${(now.waiting / MILLION).toFixed(2)}`,
      'CPU us an event': ((cpuMs * 1_000) / events).toFixed(2),
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
