/** The rounds, one after the other: each has topics of its own, which both contestants read. */
import { mkdir, rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { watchedNames, watchingSegments } from '../trigger/watching-segments.ts';
import { outputPrefix, runContestant, type Contestant, type RunOptions } from './contestants.ts';
import { ExpectedChanges } from './expected-changes.ts';
import { judge, readGiven } from './given-changes.ts';
import type { SegmentFigures } from './segment-rows.ts';
import type { Shop } from './shop-events.ts';
import { endOf, fillShop, watermarkEveryMs } from './shop-topics.ts';

export interface RaceOptions extends Omit<RunOptions, 'prefix' | 'segments' | 'events' | 'lookEveryMs'> {
  readonly shop: Omit<Shop, 'names'>;
  /** Segments that a name is mentioned by. */
  readonly mention: number;
  readonly only: readonly Contestant[];
  readonly report: (line: string) => void;
}

/** Who went first in one round goes last in the next. */
export async function runRound(
  options: RaceOptions,
  segmentCount: number,
  run: number,
): Promise<readonly SegmentFigures[]> {
  const { only, peer, report, brokers, codecs } = options;
  const prefix = `segment${String(segmentCount)}-${String(run)}.`;
  const watching = { segments: segmentCount, mention: options.mention };
  const segments = watchingSegments(watching);
  const shop = { ...options.shop, names: watchedNames(watching) };
  const expected = new ExpectedChanges(segments);
  await fillShop({ brokers, codecs }, prefix, { shop, segments }, expected);
  report(`${String(segmentCount)} segments: ${String(shop.events)} events are on the topic`);
  const figures: SegmentFigures[] = [];
  for (const what of run % 2 === 1 ? only : only.toReversed()) {
    const load = loadavg()[0] ?? 0;
    const folder = join(options.folder, `${prefix}${what}`);
    await mkdir(join(folder, 'logs'), { recursive: true });
    const lookEveryMs = watermarkEveryMs(shop);
    const own = { ...options, folder, prefix, segments, events: shop.events, lookEveryMs };
    const ran = await runContestant(what, own);
    const given = await readGiven({ brokers, codecs, prefix: outputPrefix(what, prefix) });
    const { passed, line, examples } = judge(given, expected, endOf(shop));
    const check = passed ? 'PASS' : 'FAIL';
    figures.push({ ...ran, what, segments: segmentCount, run, load, check });
    const perCpuSecond = Math.round(ran.events / ran.cpuSeconds);
    report(
      `${what} ${String(run)}: ${ran.seconds.toFixed(1)} s, ${String(perCpuSecond)} events per CPU s; ${line}`,
    );
    for (const example of examples) report(example);
    await rm(join(folder, 'state'), { recursive: true, force: true });
  }
  await peer.delete(prefix);
  return figures;
}
