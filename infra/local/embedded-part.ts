/** A part that runs on this machine: where it keeps what it keeps, and how it is started on a given port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import type { ProcessSpec } from './child-process.ts';
import { choosePort, isPortFree } from './network-ports.ts';
import type { Supervisor } from './supervisor.ts';

export interface EmbeddedPart {
  readonly name: string;
  /** Taken if it is free; undefined for any. */
  readonly usualPort: number | undefined;
  /** Writes its settings and says how it is started. */
  readonly prepare: (port: number) => Promise<ProcessSpec>;
}

const ATTEMPTS_MAX = 3;
const PAUSE_MS = 200;

/** @returns the port on which it answers. @throws CodedError `process_failed`. */
export async function startPart(supervisor: Supervisor, part: EmbeddedPart): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(part.usualPort);
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
