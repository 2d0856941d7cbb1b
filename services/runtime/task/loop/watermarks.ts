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

/** A workspace is behind when what it has in hand was received so much before what has been read. */
const behindMsMin = 2_000;
/** Told of by name; while more are behind than that, everybody goes by the first of the others. */
export const workspacesBehindMax = 100;

/** Neither part ever goes back. */
export function watermarkOf(progress: PartitionProgress, previous: Watermark): Watermark {
  const time = Math.min(readTo(progress, previous.time), progress.pending?.receivedAt ?? Infinity);
  const offset = Math.min(progress.next, progress.pending?.offset ?? Infinity);
  return { time: Math.max(time, previous.time), offset: Math.max(offset, previous.offset) };
}

/**
 * How far everybody's records are, but for those of workspaces that have very much in hand: for these it says by name how
 * far they are, so that who waits for times waits for their own workspace and for no other.
 */
export interface Times {
  /** ms */
  readonly time: number;
  /** ms by workspace, all of them below `time`. */
  readonly behind: ReadonlyMap<string, number>;
}
export const noTimes: Times = { time: 0, behind: new Map() };

/** @param receivedFrom of each workspace that has something in hand: the lowest receive time of it, ms. */
export function timesOf(
  progress: Pick<PartitionProgress, 'clock' | 'lastReceivedAt'>,
  receivedFrom: ReadonlyMap<string, number>,
  previous: Times,
): Times {
  const read = readTo(progress, previous.time);
  const lowestFirst = [...receivedFrom].sort(([a, from], [b, to]) => from - to || (a < b ? -1 : 1));
  const slow = lowestFirst.slice(0, workspacesBehindMax).filter(([, from]) => from < read - behindMsMin);
  const others = lowestFirst[slow.length]?.[1] ?? Infinity;
  const time = Math.max(previous.time, Math.min(read, others));
  const told = (workspace: string): number => previous.behind.get(workspace) ?? previous.time;
  const behind = slow
    .map(([workspace, from]) => [workspace, Math.max(from, told(workspace))] as const)
    .filter(([, from]) => from < time);
  return { time, behind: new Map(behind) };
}

function readTo(
  { clock, lastReceivedAt }: Pick<PartitionProgress, 'clock' | 'lastReceivedAt'>,
  before: number,
) {
  return clock ?? (lastReceivedAt === undefined ? before : lastReceivedAt - disorderMs);
}

export function hasGrown(now: Watermark, published: Watermark): boolean {
  return now.time > published.time || now.offset > published.offset;
}
