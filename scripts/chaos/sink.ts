/** The drills of the sink, on the broker and the registry of an installation of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chaosSink } from '../../services/testing/sink/chaos.ts';
import type { Comparison } from '../../services/testing/sink/compare-with-topics.ts';
import { outageOfClickHouse } from '../../services/testing/sink/outage.ts';
import { startOwnInstallation } from './own-installation.ts';

type Print = (line: string) => void;

/** kill -9 of the sink and of ClickHouse. @returns whether every table equals its topic. */
export function runSinkChaos(options: {
  readonly kills: number;
  readonly seed: number;
  readonly print: Print;
}): Promise<boolean> {
  const { print, ...drill } = options;
  return withLog(print, (log) => chaosSink({ ...drill, ...log, report: print }));
}

/** ClickHouse is away for a while. @returns whether every table equals its topic afterwards. */
export function runSinkOutage(options: {
  readonly minutes: number;
  readonly eventsPerSecond: number;
  readonly seed: number;
  readonly print: Print;
}): Promise<boolean> {
  const { print, minutes, ...drill } = options;
  return withLog(print, (log) =>
    outageOfClickHouse({
      ...drill,
      outageMs: minutes * 60_000,
      catchUpUnderLoad: true,
      ...log,
      report: print,
    }),
  );
}

async function withLog(
  print: Print,
  drill: (log: { readonly brokers: readonly string[]; readonly registryUrl: string }) => Promise<Comparison>,
): Promise<boolean> {
  const own = await startOwnInstallation();
  try {
    const endpoints = JSON.parse(readFileSync(join(own.dataFolder, 'endpoints.json'), 'utf8')) as {
      readonly kafka: string;
      readonly registry: string;
    };
    const report = await drill({ brokers: endpoints.kafka.split(','), registryUrl: endpoints.registry });
    print(JSON.stringify(report, null, 2));
    return report.lost === 0 && report.doubled === 0 && report.wrong === 0;
  } finally {
    await own.stop();
  }
}
