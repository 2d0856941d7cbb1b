/** A part that runs on this machine: where it keeps what it keeps, and how it is started on a given port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import type { ProcessSpec } from './child-process.ts';
import { choosePort, isPortFree } from './network-ports.ts';
import type { Supervisor } from './supervisor.ts';

/** `usual` is taken if it is free, else any is; `fixed` is taken, or nothing starts. Neither: any. */
export type WantedPort = { readonly usual: number | undefined } | { readonly fixed: number };

export interface EmbeddedPart {
  readonly name: string;
  readonly port: WantedPort;
  /** Writes its settings and says how it is started. */
  readonly prepare: (port: number) => Promise<ProcessSpec>;
}

const ATTEMPTS_MAX = 3;
const PAUSE_MS = 200;

/** @returns the port on which it answers. @throws CodedError `process_failed`. */
export async function startPart(supervisor: Supervisor, part: EmbeddedPart): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = 'fixed' in part.port ? await freePort(part.port.fixed) : await choosePort(part.port.usual);
    const spec = await part.prepare(port);
    try {
      await supervisor.start(spec);
      return port;
    } catch (error) {
      // Somebody else may have taken the port between the look and the start; only that is worth another attempt.
      const portTaken = !(await isPortFree(port, '127.0.0.1'));
      if (!(error instanceof CodedError) || !portTaken || attempt === ATTEMPTS_MAX) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** @throws CodedError `port_taken`. */
async function freePort(port: number): Promise<number> {
  if (await isPortFree(port, '127.0.0.1')) return port;
  throw new CodedError('port_taken', `could not start: port ${String(port)} is taken by another program`, {
    hint: 'Stop that program, or set HINDSIGHT_KAFKA_PORT, HINDSIGHT_REGISTRY_PORT or HINDSIGHT_CLICKHOUSE_PORT to a free one.',
  });
}
