/** Says when records of a workspace fail so often that the rest of them wait, again every minute, and once that it is over. */
import type { Logger } from '../../logger.ts';
import type { PartitionRunner } from '../partition-runner.ts';

const againMs = 60_000;
/** Told by name; more than that are too many to be looked at one by one. */
const workspacesToldMax = 100;
/** It rests again as soon as it has failed again: only after two minutes without is it over. */
const overMs = 2 * againMs;

type Rests = Pick<PartitionRunner, 'resting'>;

interface Told {
  saidAt: number;
  seenAt: number;
}

export class RestingAlarm {
  readonly #runners: readonly Rests[];
  readonly #logger: Logger;
  readonly #told = new Map<string, Told>();

  constructor(runners: readonly Rests[], logger: Logger) {
    this.#runners = runners;
    this.#logger = logger;
  }

  /** To be called between batches, with a monotonic time. */
  tell(now: number): void {
    for (const { resting } of this.#runners) for (const workspace of resting) this.#saw(workspace, now);
    for (const [workspace, { seenAt }] of this.#told) {
      if (now - seenAt < overMs) continue;
      this.#told.delete(workspace);
      this.#logger.info({ workspace }, 'records of the workspace do not fail any more');
    }
  }

  #saw(workspace: string, now: number): void {
    const told = this.#told.get(workspace);
    if (told === undefined && this.#told.size >= workspacesToldMax) return;
    if (told !== undefined) told.seenAt = now;
    if (told !== undefined && now - told.saidAt < againMs) return;
    this.#told.set(workspace, { saidAt: now, seenAt: now });
    this.#logger.error({ workspace }, 'too many records of a workspace fail: the rest of them wait');
  }
}
