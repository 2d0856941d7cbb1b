/**
 * When an open batch is committed, and how often the inputs are asked for more. Pure. Times are monotonic milliseconds.
 *
 * At a low rate a batch waits a little for company, unless somebody waits for it. At a high rate there is always company:
 * then it is the reader that waits (`paceMs`), one fetch brings all that has come since the last, and the batch is
 * committed at once. Events wait as long as before, and a fetch for every few of them is saved.
 */
export interface OpenBatchAge {
  /** When its first record was taken. */
  readonly openedAt: number;
  /** When the last commit began. */
  readonly lastCommitAt: number;
  /** It took or wrote something that somebody waits for. */
  readonly urgent: boolean;
  /** It has reached a size. */
  readonly full: boolean;
  readonly eventsPerSecond: number;
}

/** Between the beginnings of two commits: a transaction costs the broker about 5 ms of CPU, whatever is in it. */
const INTERVAL_MIN_MS = 20;
/** Also of urgent batches: at a high rate every batch has somebody who waits, and catching up would go by small steps. */
const INTERVAL_MAX_MS = 100;
/** For company. */
const WAIT_MAX_MS = 50;
/** The interval rises between these rates, and the wait falls. */
const RATE_LOW = 1_000;
const RATE_HIGH = 5_000;

export function commitDueAt(batch: OpenBatchAge): number {
  if (batch.full) return batch.openedAt;
  const rise = riseAt(batch.eventsPerSecond);
  const waitMs = batch.urgent ? 0 : WAIT_MAX_MS * (1 - rise);
  const intervalMs = INTERVAL_MIN_MS + rise * (INTERVAL_MAX_MS - INTERVAL_MIN_MS);
  return Math.max(batch.openedAt + waitMs, batch.lastCommitAt + intervalMs);
}

/** A reader that has read everything lets so much time pass after an answer before it asks again. */
export function paceMs(eventsPerSecond: number): number {
  return riseAt(eventsPerSecond) * INTERVAL_MAX_MS;
}

function riseAt(eventsPerSecond: number): number {
  return Math.min(1, Math.max(0, (eventsPerSecond - RATE_LOW) / (RATE_HIGH - RATE_LOW)));
}
