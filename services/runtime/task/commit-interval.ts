/** When an open batch is committed. Pure. Times are monotonic milliseconds. */
export interface OpenBatchAge {
  /** When its first record was taken. */
  readonly openedAt: number;
  readonly lastCommitAt: number;
  /** It took or wrote something that somebody waits for. */
  readonly urgent: boolean;
  /** It has reached a size. */
  readonly full: boolean;
  readonly eventsPerSecond: number;
}

/** A transaction costs the broker about 5 ms of CPU, whatever is in it. */
const URGENT_INTERVAL_MIN_MS = 20;
const INTERVAL_MIN_MS = 50;
/** Also of urgent batches: at a high rate every batch has somebody who waits, and catching up would go by small steps. */
const INTERVAL_MAX_MS = 100;
/** The intervals rise between these rates. */
const RATE_LOW = 1_000;
const RATE_HIGH = 5_000;

export function commitDueAt(batch: OpenBatchAge): number {
  if (batch.full) return batch.openedAt;
  const { eventsPerSecond } = batch;
  if (batch.urgent) {
    return Math.max(batch.openedAt, batch.lastCommitAt + intervalMs(eventsPerSecond, URGENT_INTERVAL_MIN_MS));
  }
  return batch.openedAt + intervalMs(eventsPerSecond);
}

export function intervalMs(eventsPerSecond: number, leastMs = INTERVAL_MIN_MS): number {
  const rise = Math.min(1, Math.max(0, (eventsPerSecond - RATE_LOW) / (RATE_HIGH - RATE_LOW)));
  return leastMs + rise * (INTERVAL_MAX_MS - leastMs);
}
