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
const URGENT_INTERVAL_MS = 20;
const INTERVAL_MIN_MS = 50;
const INTERVAL_MAX_MS = 100;
/** The interval rises between these rates. */
const RATE_LOW = 1_000;
const RATE_HIGH = 5_000;

export function commitDueAt(batch: OpenBatchAge): number {
  if (batch.full) return batch.openedAt;
  if (batch.urgent) return Math.max(batch.openedAt, batch.lastCommitAt + URGENT_INTERVAL_MS);
  return batch.openedAt + intervalMs(batch.eventsPerSecond);
}

export function intervalMs(eventsPerSecond: number): number {
  const rise = Math.min(1, Math.max(0, (eventsPerSecond - RATE_LOW) / (RATE_HIGH - RATE_LOW)));
  return INTERVAL_MIN_MS + rise * (INTERVAL_MAX_MS - INTERVAL_MIN_MS);
}
