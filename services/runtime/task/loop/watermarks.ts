/**
 * How far a lane partition has come: every record below `offset` has had its whole effect, and nothing received before
 * `time` is still on its way. Pure (contract, *Words*).
 */
export interface Watermark {
  readonly time: number;
  readonly offset: number;
}

export interface PartitionProgress {
  /** What the processor has read but not wholly handled. */
  readonly pending: { readonly offset: number; readonly receivedAt: number } | undefined;
  /** Next offset to be fed. */
  readonly next: number;
  /** The task's clock, once the input has been read to its end; else undefined. */
  readonly clock: number | undefined;
  /** Receive time of the record that was fed last, if any. */
  readonly lastReceivedAt: number | undefined;
}

/**
 * Receive times are not quite in order within a partition: several ingest processes write it, and a send that is tried
 * again comes later. So the next record may have been received this much before the last.
 */
export const disorderMs = 2_000;

/** Neither part ever goes back. */
export function watermarkOf(progress: PartitionProgress, previous: Watermark): Watermark {
  const unread =
    progress.clock ??
    (progress.lastReceivedAt === undefined ? previous.time : progress.lastReceivedAt - disorderMs);
  const time = Math.min(unread, progress.pending?.receivedAt ?? Infinity);
  const offset = Math.min(progress.next, progress.pending?.offset ?? Infinity);
  return { time: Math.max(time, previous.time), offset: Math.max(offset, previous.offset) };
}

export function hasGrown(now: Watermark, published: Watermark): boolean {
  return now.time > published.time || now.offset > published.offset;
}
