/** When committed batches are written to the stores: often enough that a replay is short, beside the batches that follow. */
import type { PartitionRunner } from '../partition-runner.ts';

const INTERVAL_MS = 2_000;
const INPUT_BYTES_MAX = 64 << 20;
/** Keyed changes of all partitions; those of one are written in one go, and nobody has a turn meanwhile. */
const CHANGES_MAX = 20_000;

export class FlushSchedule {
  readonly #runners: readonly Pick<PartitionRunner, 'stores'>[];
  #lastAt: number;
  #bytes = 0;
  #isDue = false;

  constructor(runners: readonly Pick<PartitionRunner, 'stores'>[], now: number) {
    this.#runners = runners;
    this.#lastAt = now;
  }

  /** A batch with so many bytes of input was committed. */
  committed(bytes: number): void {
    this.#isDue = true;
    this.#bytes += bytes;
  }

  /** Between two batches. @throws what an earlier flush could not do. */
  tick(now: number): void {
    const isFull = this.#bytes >= INPUT_BYTES_MAX || (this.#isDue && this.#changes >= CHANGES_MAX);
    if (now - this.#lastAt < INTERVAL_MS && !isFull) return;
    this.#lastAt = now;
    for (const { stores } of this.#runners) {
      if (stores.startFlush === undefined) {
        if (this.#isDue) stores.flush();
      } else if (!stores.startFlush()) return; // its last one is still under way: later
    }
    this.#isDue = false;
    this.#bytes = 0;
  }

  get #changes(): number {
    return this.#runners.reduce((sum, { stores }) => sum + (stores.pendingChanges ?? 0), 0);
  }

  /** Everything, and waits for the disk. */
  finish(): void {
    for (const { stores } of this.#runners) stores.flush();
  }
}
