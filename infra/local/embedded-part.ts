/** A part that runs on this machine: where it keeps what it keeps, and how it is started on a given port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { EndedEarly, type ProcessSpec } from './child-process.ts';
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
const PAUSE_MS = 1_000;

/**
 * A part that ends before it is ready is tried again: on a machine that is busy a JVM meets time limits of its own, and
 * somebody else may have taken its port between the look and the start. One that only takes too long is not.
 *
 * @returns the port on which it answers. @throws CodedError `process_failed`.
 */
export async function startPart(
  supervisor: Supervisor,
  part: EmbeddedPart,
  report: (line: string) => void,
): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = 'fixed' in part.port ? await freePort(part.port.fixed) : await choosePort(part.port.usual);
    const spec = await part.prepare(port);
    try {
      await supervisor.start(spec);
      return port;
    } catch (error) {
      if (!(error instanceof EndedEarly)) throw error;
      if (attempt === ATTEMPTS_MAX) throw givenUp(part, error);
      report(
        `  ${part.name}: ${error.how} before it was ready; it is started again (attempt ${String(attempt + 1)} of ${String(ATTEMPTS_MAX)}; log: ${spec.logFile})`,
      );
      await sleep(PAUSE_MS);
    }
  }
}

function givenUp({ name }: EmbeddedPart, error: EndedEarly): CodedError {
  const message = `could not start ${name} in ${String(ATTEMPTS_MAX)} attempts: it ${error.how}`;
  const hint = `What is kept is as it was: run npm start again, best when the machine has less to do. ${error.hint ?? ''}`;
  return new CodedError('process_failed', message, { cause: error, hint });
}

/** @throws CodedError `port_taken`. */
async function freePort(port: number): Promise<number> {
  if (await isPortFree(port, '127.0.0.1')) return port;
  throw new CodedError('port_taken', `could not start: port ${String(port)} is taken by another program`, {
    hint: 'Stop that program, or set HINDSIGHT_KAFKA_PORT, HINDSIGHT_REGISTRY_PORT or HINDSIGHT_CLICKHOUSE_PORT to a free one.',
  });
}
