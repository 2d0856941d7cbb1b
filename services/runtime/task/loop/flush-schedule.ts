/**
 * When committed batches are written to the stores: often enough that a replay is short, beside the batches that follow.
 * The partitions take turns: a flush waits for the disk, and those of all of them one after the other would hold up what
 * comes for as long as they take together.
 */
import type { PartitionRunner } from '../partition-runner.ts';

/** Of each partition. */
const INTERVAL_MS = 2_000;
const INPUT_BYTES_MAX = 64 << 20;
/** Keyed changes of all partitions, beyond which the next has its turn at once: one's are written in one go, in which no event is decided. */
const CHANGES_MAX = 20_000;

export class FlushSchedule {
  readonly #runners: readonly Pick<PartitionRunner, 'stores'>[];
  #lastAt: number;
  #bytes = 0;
  /** Turns that have come and were not taken; what is less than one is kept. */
  #turns = 0;
  /** Whose turn it is. */
  #next = 0;
  /** Partitions that have had none since the last commit. */
  #due = 0;

  constructor(runners: readonly Pick<PartitionRunner, 'stores'>[], now: number) {
    this.#runners = runners;
    this.#lastAt = now;
  }

  /** A batch with so many bytes of input was committed. */
  committed(bytes: number): void {
    this.#due = this.#runners.length;
    this.#bytes += bytes;
  }

  /** Between two batches. @throws what an earlier flush could not do. */
  tick(now: number): void {
    const { length } = this.#runners;
    const part = Math.max((now - this.#lastAt) / INTERVAL_MS, this.#bytes / INPUT_BYTES_MAX);
    this.#lastAt = now;
    this.#bytes = 0;
    this.#turns = Math.min(length, this.#turns + part * length);
    if (this.#due > 0 && this.#changes >= CHANGES_MAX) this.#turns = Math.max(1, this.#turns);
    for (; this.#turns >= 1; this.#turns -= 1) this.#flushNext();
  }

  #flushNext(): void {
    const { stores } = this.#runners[this.#next] ?? {};
    this.#next = (this.#next + 1) % this.#runners.length;
    if (stores === undefined) return;
    if (stores.startFlush !== undefined) {
      const hasBegun = stores.startFlush(); // not while its last one is still under way: at its next turn
      if (hasBegun) this.#due = Math.max(0, this.#due - 1);
      return;
    }
    if (this.#due === 0) return;
    this.#due -= 1;
    stores.flush();
  }

  get #changes(): number {
    return this.#runners.reduce((sum, { stores }) => sum + (stores.pendingChanges ?? 0), 0);
  }

  /** Everything, and waits for the disk. */
  finish(): void {
    for (const { stores } of this.#runners) stores.flush();
  }
}
