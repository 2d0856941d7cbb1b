/** A broker and a registry of the bench's own, since the broker's CPU is measured. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOwnParts } from '../../infra/local/own-parts.ts';
import type { Supervisor } from '../../infra/local/supervisor.ts';
import { CodedError } from '../../services/runtime/errors.ts';

export interface OwnBroker {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly brokerPid: number;
}

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export async function startOwnBroker(
  folder: string,
  supervisor: Supervisor,
  report: (line: string) => void,
): Promise<OwnBroker> {
  const own = startOwnParts({
    root,
    env: process.env,
    dataFolder: join(folder, 'parts'),
    supervisor,
    signal: new AbortController().signal,
    report,
    wanted: { kafka: true, registry: true, clickhouse: false },
  });
  const [brokers, registryUrl] = await Promise.all([own.kafka, own.registry]);
  const brokerPid = supervisor.running().get('kafka')?.pid;
  if (brokers === undefined || registryUrl === undefined || brokerPid === undefined) {
    throw new CodedError('bench_failed', 'could not start the broker and the registry');
  }
  return { brokers, registryUrl, brokerPid };
}
