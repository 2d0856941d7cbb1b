/** Says once that a workspace takes more than its share for long, and once that it is over. */
import type { Logger } from '../../logger.ts';
import type { PartitionRunner } from '../partition-runner.ts';

const lookEveryMs = 10_000;
/** Waiting at two looks in a row: what is done before the next look is nobody's concern. */
export const waitingRecordsMin = 1_000;
/** Told by name; more than that are too many to be looked at one by one. */
const workspacesToldMax = 100;

type Waits = Pick<PartitionRunner, 'waiting'>;

export class WaitingAlarm {
  readonly #runners: readonly Waits[];
  readonly #logger: Logger;
  #lookedAt = -Infinity;
  #before: ReadonlyMap<string, number> = new Map();
  readonly #told = new Set<string>();

  constructor(runners: readonly Waits[], logger: Logger) {
    this.#runners = runners;
    this.#logger = logger;
  }

  /** To be called between batches, with a monotonic time. */
  tell(now: number): void {
    if (now - this.#lookedAt < lookEveryMs) return;
    this.#lookedAt = now;
    const waiting = waitingBy(this.#runners);
    for (const [workspace, records] of waiting) {
      const isLong = records >= waitingRecordsMin && (this.#before.get(workspace) ?? 0) >= waitingRecordsMin;
      if (!isLong || this.#told.has(workspace) || this.#told.size >= workspacesToldMax) continue;
      this.#told.add(workspace);
      this.#logger.error({ workspace, records }, 'a workspace sends more than its share: its records wait');
    }
    for (const workspace of this.#told) {
      if (waiting.has(workspace)) continue;
      this.#told.delete(workspace);
      this.#logger.info({ workspace }, 'nothing of the workspace waits any more');
    }
    this.#before = waiting;
  }
}

/** Records that wait for their workspace's share, over these partitions. */
export function waitingBy(runners: readonly Waits[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { waiting } of runners) {
    for (const [workspace, records] of waiting?.workspaces ?? []) {
      sums.set(workspace, (sums.get(workspace) ?? 0) + records);
    }
  }
  return sums;
}
