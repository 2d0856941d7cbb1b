/**
 * How soon the merger works again after `kill -9`, by the size of its state.
 * `npm run bench -- recovery [--gib 1,10] [--kills 5] [--rate 2000] [--per-lane 5] [--folder DIR]`
 *
 * For each size the stores are filled with events that wait (bench/recovery/fill.ts), then the merger runs on them with a
 * real broker, takes `rate` events a second, and is killed again and again, 3 to 5 s after it went live. Counted from the
 * start of the new process: until it is live, and until it has committed its first record.
 * Needs 1.3 times the size on the disk.
 */
import { loadavg, tmpdir } from 'node:os';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchRow } from '../scripts/bench.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { openBenchFolder } from './bench-folder.ts';
import { root } from './merger/own-broker.ts';
import { diskBytesOf } from './merger/process-figures.ts';
import { fill } from './recovery/fill.ts';
import { killAgainAndAgain, type Start } from './recovery/kills.ts';
import { holdParts } from './sink-parts.ts';

const PARTITIONS = 8;
const BYTES_PER_GIB = 2 ** 30;
const BYTES_PER_MIB = 2 ** 20;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      gib: { type: 'string', default: '1,10' },
      kills: { type: 'string', default: '5' },
      rate: { type: 'string', default: '2000' },
      'per-lane': { type: 'string', default: '5' },
      folder: { type: 'string', default: tmpdir() },
    },
  });
  const folder = openBenchFolder(values.folder, 'recovery');
  const parts = await holdParts();
  try {
    const codecs = await registerSchemas({ url: parts.registryUrl });
    const rows: BenchRow[] = [];
    for (const gib of values.gib.split(',')) {
      const dataFolder = join(folder, gib);
      const filled = await fill({
        dataFolder,
        codecs,
        partitions: PARTITIONS,
        bytes: Number(gib) * BYTES_PER_GIB,
        eventsPerLane: Number(values['per-lane']),
      });
      const disk = await diskBytesOf(join(dataFolder, 'state'));
      say(`${gib} GiB: ${String(filled.events)} events wait in ${String(filled.lanes)} lanes`);
      const starts = await killAgainAndAgain({
        root,
        dataFolder,
        codecs,
        place: {
          brokers: parts.brokers.join(','),
          registryUrl: parts.registryUrl,
          prefix: `recovery-${String(process.pid)}-${gib}.`,
          partitions: PARTITIONS,
        },
        lanes: filled.lanes,
        kills: Number(values.kills),
        eventsPerSecond: Number(values.rate),
        report: say,
      });
      rows.push(rowOf(gib, filled, disk, starts));
      await rm(dataFolder, { recursive: true, force: true });
    }
    return rows;
  } finally {
    await parts.release();
    await rm(folder, { recursive: true, force: true });
  }
}

function rowOf(
  gib: string,
  { events, lanes, bytes }: Awaited<ReturnType<typeof fill>>,
  disk: number,
  starts: readonly Start[],
): BenchRow {
  return {
    'GiB that wait': Number(gib),
    events,
    lanes,
    'disk per waiting byte': Number((disk / bytes).toFixed(3)),
    kills: starts.length,
    'live after s': spreadOf(starts.map(({ liveMs }) => liveMs)),
    'first record after s': spreadOf(starts.map(({ firstRecordMs }) => firstRecordMs)),
    'CPU s until live': spreadOf(starts.map(({ cpuMs }) => cpuMs)),
    'of which process s': spreadOf(starts.map(({ processMs }) => processMs)),
    'stores s': spreadOf(starts.map(({ laps }) => laps['stores'] ?? 0)),
    'replay s': spreadOf(starts.map(({ laps }) => laps['replay'] ?? 0)),
    'RSS MiB': Math.max(...starts.map(({ rssBytes }) => Math.round(rssBytes / BYTES_PER_MIB))),
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** Least / median / greatest. */
function spreadOf(ms: readonly number[]): string {
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (share: number): string =>
    ((sorted[Math.floor(share * (sorted.length - 1))] ?? NaN) / 1_000).toFixed(2);
  return `${at(0)} / ${at(0.5)} / ${at(1)}`;
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
