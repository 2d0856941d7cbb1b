/**
 * When a task's partitions are copied: a day after their last snapshot, or when somebody asks. A copy starts between
 * two batches and runs beside those that follow; one partition at a time.
 */
import type { Logger } from '../../logger.ts';
import type { PartitionRunner } from '../partition-runner.ts';
import type { StateFolders } from '../task-plan.ts';
import type { TimePort } from '../../time.ts';

const INTERVAL_MS = 86_400_000;
const AFTER_FAILURE_MS = 3_600_000;

export interface SnapshotParts {
  readonly folders: StateFolders;
  readonly runners: readonly PartitionRunner[];
  readonly time: TimePort;
  readonly logger: Logger;
}

export class SnapshotSchedule {
  readonly #parts: SnapshotParts;
  readonly #dueAt = new Map<number, number>();
  #asked: { readonly partitions: Set<number>; readonly done: () => void } | undefined;
  #running: Promise<void> | undefined;
  readonly #cancelled = new AbortController();

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  /** Finds out how old the snapshots are. Before the first batch. */
  async start(): Promise<void> {
    const { folders, runners, time } = this.#parts;
    if (folders.snapshots === undefined) return;
    for (const { partition } of runners) {
      const last = (await folders.snapshots.newestAt(partition)) ?? time.now();
      this.#dueAt.set(partition, last + INTERVAL_MS);
    }
  }

  /** Copies every partition now; resolves when each has been tried. One request at a time: a second joins in. */
  async ask(): Promise<void> {
    const { folders, runners } = this.#parts;
    if (folders.snapshots === undefined) return;
    const partitions = new Set(runners.map(({ partition }) => partition));
    const before = this.#asked?.done;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        before?.();
        resolve();
      };
      this.#asked = { partitions, done };
    });
  }

  /** Called between batches; never waits. */
  tick(): void {
    if (this.#running !== undefined || this.#cancelled.signal.aborted) return;
    const runner = this.#next();
    if (runner === undefined) return;
    this.#running = this.#copy(runner).finally(() => {
      this.#running = undefined;
    });
  }

  /** The copy that is being made is given up; no other begins. */
  cancel(): void {
    this.#cancelled.abort();
  }

  /** Waits for the end of the copy that is being made. */
  async finish(): Promise<void> {
    await this.#running;
    this.#asked?.done();
  }

  #next(): PartitionRunner | undefined {
    const now = this.#parts.time.now();
    return this.#parts.runners.find(
      ({ partition }) =>
        this.#asked?.partitions.has(partition) === true || now >= (this.#dueAt.get(partition) ?? Infinity),
    );
  }

  async #copy({ partition, stores }: PartitionRunner): Promise<void> {
    const { folders, time, logger } = this.#parts;
    try {
      await folders.snapshots?.keep(partition, stores, this.#cancelled.signal);
      this.#dueAt.set(partition, time.now() + INTERVAL_MS);
    } catch (error) {
      if (this.#cancelled.signal.aborted) return;
      logger.warn({ partition, error }, 'could not make a snapshot');
      this.#dueAt.set(partition, time.now() + AFTER_FAILURE_MS);
    }
    const asked = this.#asked;
    if (asked?.partitions.delete(partition) !== true || asked.partitions.size > 0) return;
    this.#asked = undefined;
    asked.done();
  }
}
