/** Times and bounds of the lanes. Times run on receive times (spec C.1 row 6). */
import { holdMsMax } from '../../../schemas/hold.ts';
import type { CountBounds } from '../../runtime/workspace-counts.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** An event waits so long for a claim; exactly so old still merges (spec C.1 row 3; contract, *Words*). */
export const waitingMs = 30 * 24 * HOUR_MS;
/** After a claim events without identifier still merge for so long, to the millisecond (spec C.1 row 5). */
export const graceMs = 5 * MINUTE_MS;
/** A lane takes up the survivor of a person merge once it has been quiet for longer than this. */
export const quietMs = 10 * MINUTE_MS;
/** A repeat of a message id is recognised for a day, counted from when a held event at last arrives. */
export const duplicatesMs = 24 * HOUR_MS + holdMsMax;
/** Hashes of message ids a partition, 10 to 13 bytes each; above it the oldest hours go first. */
export const duplicateEntriesMax = 16_000_000;

/** Waiting events of one lane, and queued ones. What is above is dropped with a row. */
export const laneEventsMax = 1_000_000;
/** What onBatchEnd releases at most, over all lanes of the partition. */
export const releaseEventsMax = 5_000;
export const releaseBytesMax = 4_000_000;
/** One lane's share of that before it counts as long and lets short ones go first. */
export const shortReleaseEventsMax = 500;
/** What long lanes can count on in every batch. */
export const longReleaseEventsMin = 1_000;
export const longReleaseBytesMin = 1_000_000;

/**
 * Lanes of visitors in a partition, about, of which the index holds 43 million at least (lane-index.ts): those with an event
 * within so many days, and all that were claimed or whose visitor withdrew their consent. Above it events of visitors whom nobody has claimed are dropped with a
 * row, each workspace at its own part first.
 */
export const lanesBounds: CountBounds = { max: 36_000_000, ofWorkspaceMax: 16_000_000, reservedMin: 100_000 };
/** Days that an event waits, may be held before, and lies in a segment with later ones. */
export const keptDaysMax = Math.ceil((waitingMs + graceMs + holdMsMax) / (24 * HOUR_MS)) + 1;

/** How much of a workspace may go out of the lanes of a partition. */
export interface ReleasePaceBounds {
  /** Events at once. */
  readonly eventsAtHandMax: number;
  /** How fast there are as many again. */
  readonly eventsPerSecond: number;
  /** A batch without records is made for so many. */
  readonly eventsGrain: number;
  /** In any batch, on a clock that stands too. */
  readonly eventsABatchMin: number;
  /** What long lanes leave of that to the short ones of their workspace. */
  readonly shortEventsABatchMin: number;
}
/** ClickHouse and the trigger take several times as many a second, from all partitions together. */
export const releasePaceBounds: ReleasePaceBounds = {
  eventsAtHandMax: 10_000,
  eventsPerSecond: 5_000,
  eventsGrain: 500,
  eventsABatchMin: 200,
  shortEventsABatchMin: 100,
};

/** Queued events of one lane that ask ahead of their turn at once; more are asked for when these have had theirs. */
export const askAheadMax = 1_000;
/** Identifiers whose person a lane remembers, the newest. */
export const knownIdentifiersMax = 16;
/** Absorbed people by whose way a lane still sends. */
export const detoursMax = 4;
/**
 * Lanes of a partition that may ask or release at once. Above it, and above the parts of one workspace, the workspace's
 * records wait for their share; only when as much waits as may does the task stop and start again.
 */
export const busyLanesMax = 1_000_000;
export const busyLanesBounds: CountBounds = { max: 800_000, ofWorkspaceMax: 200_000, reservedMin: 1_000 };
/** Control calls of a partition whose markers are read and that identity has not decided; as for lanes. */
export const openMarkersMax = 100_000;
export const openMarkersBounds: CountBounds = { max: 80_000, ofWorkspaceMax: 20_000, reservedMin: 100 };
/** Lane states kept decoded in memory, about a kilobyte each: those of some hundred thousand visitors a day. */
export const cachedLanesMax = 6_000;
/**
 * Events that waited, of all lanes, that a batch reads before it releases the first of them; and what of it is for long
 * lanes alone. A lane of more is read in several batches.
 */
export const readEventsMax = 50_000;
export const longReadEventsMin = 25_000;
/** Positions of stored events kept between batches, for lanes whose release goes on; 24 bytes each. */
export const openEventsMax = 2_000_000;
