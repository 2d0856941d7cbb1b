/**
 * State of one partition, in a folder of its own. Every read is synchronous and sees the batch that is being decided;
 * nothing reaches the disk as applied before its transaction has committed (ARCHITECTURE.md).
 */

import type { CodedError } from '../errors.ts';

/** Ordered bytes by key. Keys compare as UTF-8 bytes, at most keyBytesMax. */
export interface KeyedStore {
  get(key: string): Buffer | undefined;
  put(key: string, value: Uint8Array): void;
  /**
   * Puts what `encode` gives, asked when the bytes are needed: at the next flush, as a rule, so that a value which changes
   * often is encoded once. What it is made of must not change.
   */
  putLate(key: string, encode: () => Buffer): void;
  delete(key: string): void;
  /** Pairs with from <= key < to in key order, the open batch's changes included; at most limit. */
  scan(from: string, to: string, limit: number): [key: string, value: Buffer][];
}
export const keyBytesMax = 1_900;

/** Handle of a lane in the event store's index. Valid until the next call of `lane`. */
export type LaneSlot = number;
/** The chains a lane has: events that wait for a claim, and events that queue while the lane asks or releases. */
export type Chain = 'waiting' | 'queued';

/** Places in the event store, with what is needed to order a release. */
export interface StoredEvents {
  readonly length: number;
  /**
   * Reads on until it has so many; true when there are fewer, and only then is the rest of use. What was received too
   * early does not count, so the answer does not depend on how much of that is still there.
   */
  readTo(events: number): boolean;
  /** Sorts by (timestamp, arrival), in place. */
  sortByTimestamp(): void;
  receivedAt(index: number): number;
  timestamp(index: number): number;
  /** The bytes as appended; a view that the next call may overwrite. */
  read(index: number): Buffer;
}

/**
 * Events of visitors that nobody has claimed: append-only segments, an off-heap index, back-pointer chains.
 * Appends may reach the disk ahead of the commit; what lies past the mark is cut at open.
 */
export interface EventStore {
  /** The lane of this key (bytes of the Kafka key), made if absent. */
  lane(bytes: Uint8Array, start: number, end: number): LaneSlot;
  /** The lane of this key, where there is one; one without flags may or may not be there once its events have expired. */
  knownLane(bytes: Uint8Array, start: number, end: number): LaneSlot | undefined;
  /** Bits that the merger keeps for a lane, durable for ever; 0 for a lane that is only waiting. At most 8 bits. */
  flags(lane: LaneSlot): number;
  setFlags(lane: LaneSlot, flags: number): void;
  /** 96 bits of the lane's hash, as 24 hex digits: its key in the keyed store. */
  laneKeyHex(lane: LaneSlot): string;
  /** The first two 32-bit words of that hash, unsigned: where a hash of something in the lane goes on from. */
  laneWord(lane: LaneSlot, word: 0 | 1): number;
  append(
    lane: LaneSlot,
    chain: Chain,
    receivedAt: number,
    timestamp: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  /** Number of events in the chain, expired ones possibly included. */
  count(lane: LaneSlot, chain: Chain): number;
  /** The chain's events received at or after receivedFrom, in arrival order; at first so many of the chain are read. */
  events(lane: LaneSlot, chain: Chain, receivedFrom: number, eventsMax?: number): StoredEvents;
  /** Forgets the chain: after a release, or when the lane closed. */
  clear(lane: LaneSlot, chain: Chain): void;
  /** Drops whole segments whose every event was received before this time. */
  expire(receivedBefore: number): void;
  readonly bytesOnDisk: number;
  readonly lanes: number;
}

/** Remembers 64-bit hashes for a window of time: the duplicates check. No store is read for a look-up. */
export interface HashWindow {
  /** True when the hash was added with a time in the same window before; else remembers it. */
  seen(hashHigh: number, hashLow: number, receivedAt: number): boolean;
  readonly entries: number;
  /** Hashes that made room for newer ones before the window was over, since the start: their repeats are not seen. */
  readonly forgottenEarly: number;
}

/** What makes stores follow the task's transactions. Sequences are the task's batch numbers; 0 = nothing yet. */
export interface Durable {
  /** The last batch that is applied for certain. Everything later was rolled back at open. */
  readonly mark: number;
  /** The open batch has committed as this sequence. */
  committed(sequence: number): void;
  /**
   * The open batch did not happen: reads see what is committed. Absent where that cannot be done in place; then the stores
   * are given up, and opened again at their mark.
   */
  takeBack?(): void;
  /** Writes all committed batches and their mark, and waits for the disk. Never with a batch open. */
  flush(): void;
  /**
   * The same beside the batches that follow: the mark moves some time later. False when an earlier one is still under way,
   * and then does nothing. Throws what an earlier one could not do. Called at least every two seconds; absent where a
   * flush takes no time.
   */
  startFlush?(): boolean;
  /**
   * Keyed changes of the open batch, and of those that wait for a flush: none while one is under way, which the next waits
   * for. Absent where their number does not matter.
   */
  readonly openChanges?: number;
  readonly pendingChanges?: number;
  /** What was found to be wrong on the disk since these stores were opened: they are of no use any more. */
  readonly damage?: CodedError | undefined;
  /** A consistent copy of what is flushed, into an empty folder. The signal ends it between two files. */
  snapshot(folder: string, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** A partition's stores follow the task's transactions as one: they share one mark, so they are Durable together. */
export interface PartitionStores extends Durable {
  readonly keyed: KeyedStore;
  /** Of the pages that hold keyed state. Its file has free ones besides, which the next flushes take; absent without a file. */
  readonly keyedBytes?: number;
  /** Present when the service asks for them. */
  readonly events?: EventStore;
  readonly duplicates?: HashWindow;
}

/** What a service wants its partitions to have. */
export interface StoreNeeds {
  readonly events?: { readonly retentionMs: number };
  readonly duplicates?: {
    /** How long a repeat is one. */
    readonly windowMs: number;
    /** By how much an event may be late: hashes are remembered for so much longer. */
    readonly lateMs: number;
    /** Above it the oldest hours are forgotten early. */
    readonly entriesMax: number;
  };
}
