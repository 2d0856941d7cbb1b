/**
 * When committed batches are written to the stores: often enough that a replay is short, beside the batches that follow.
 * The partitions take turns: a flush waits for the disk, and those of all of them one after the other would hold up what
 * comes for as long as they take together.
 */
import type { PartitionRunner } from '../partition-runner.ts';

/** Of each partition. */
const INTERVAL_MS = 2_000;
const INPUT_BYTES_MAX = 64 << 20;
/** Keyed changes of a partition, beyond which it is written at once: they are written in one go, in which no event is decided. */
const CHANGES_MAX = 20_000;

export class FlushSchedule {
  readonly #runners: readonly Pick<PartitionRunner, 'stores'>[];
  #lastAt: number;
  #bytes = 0;
  /** Turns that have come and were not taken; what is less than one is kept. */
  #turns = 0;
  /** Whose turn it is. */
  #next = 0;
  /** Partitions that have had none since the last commit; asked of stores that write at once, whether there is anything or not. */
  #due = 0;
  /** Since the last tick. */
  #hasCommitted = false;

  constructor(runners: readonly Pick<PartitionRunner, 'stores'>[], now: number) {
    this.#runners = runners;
    this.#lastAt = now;
  }

  /** A batch with so many bytes of input was committed. */
  committed(bytes: number): void {
    this.#due = this.#runners.length;
    this.#bytes += bytes;
    this.#hasCommitted = true;
  }

  /** Between two batches. @throws what an earlier flush could not do. */
  tick(now: number): void {
    const { length } = this.#runners;
    const part = Math.max((now - this.#lastAt) / INTERVAL_MS, this.#bytes / INPUT_BYTES_MAX);
    this.#lastAt = now;
    this.#bytes = 0;
    this.#turns = Math.min(length, this.#turns + part * length);
    for (; this.#turns >= 1; this.#turns -= 1) this.#flushNext();
    if (this.#hasCommitted) this.#flushFull();
    this.#hasCommitted = false;
  }

  #flushNext(): void {
    const { stores } = this.#runners[this.#next] ?? {};
    this.#next = (this.#next + 1) % this.#runners.length;
    if (stores === undefined) return;
    if (stores.startFlush !== undefined) {
      stores.startFlush(); // false while its last one is still under way: at its next turn
      return;
    }
    if (this.#due === 0) return;
    this.#due -= 1;
    stores.flush();
  }

  #flushFull(): void {
    for (const { stores } of this.#runners) {
      if ((stores.pendingChanges ?? 0) >= CHANGES_MAX) stores.startFlush?.();
    }
  }

  /** Everything, and waits for the disk. */
  finish(): void {
    for (const { stores } of this.#runners) stores.flush();
  }
}
