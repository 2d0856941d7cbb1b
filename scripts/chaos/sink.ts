/** The drill of the sink, on the broker and the registry of an installation of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chaosSink } from '../../services/clickhouse/chaos-sink.ts';
import { startOwnInstallation } from './own-installation.ts';

export interface SinkChaosOptions {
  readonly kills: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** @returns whether every table equals its topic. */
export async function runSinkChaos({ kills, seed, print }: SinkChaosOptions): Promise<boolean> {
  const own = await startOwnInstallation();
  try {
    const endpoints = JSON.parse(readFileSync(join(own.dataFolder, 'endpoints.json'), 'utf8')) as {
      readonly kafka: string;
      readonly registry: string;
    };
    const report = await chaosSink({
      kills,
      seed,
      brokers: endpoints.kafka.split(','),
      registryUrl: endpoints.registry,
      report: print,
    });
    print(JSON.stringify(report, null, 2));
    return report.lost === 0 && report.doubled === 0 && report.wrong === 0;
  } finally {
    await own.stop();
  }
}
