/**
 * What a stateful service gives to the shell: a processor for each partition, synchronous and deterministic.
 * State and outputs are a pure function of (the partition's stores, the records, the batch), so a replay of the same
 * batches gives the same bytes. The shell fetches, opens transactions, keeps the journal and recovers.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import type { TopicId } from '../../../schemas/topics.ts';
import type { DefinitionsView } from '../definitions.ts';
import type { InputRecord } from '../log/ports.ts';
import type { PartitionStores, StoreNeeds } from '../store/ports.ts';
import type { Share } from './share/share.ts';

/** Something of an earlier record that a processor has kept, and handles now. */
export interface Kept {
  /** Tells it from all else that this partition has kept, the same in a replay. Asked for only when something fails. */
  readonly name: string;
  /** Of whose values it is one. */
  readonly topic: TopicId;
  /** Where on that topic it lay, as far as it is known. */
  readonly offset?: number;
  readonly key: string;
  /** Asked for only when it is put aside. */
  readonly value: () => Buffer;
}

export interface BatchContext {
  readonly sequence: number;
  /**
   * The batch's clock as of its start, ms; records may have been received up to a commit interval later. Never goes
   * back from batch to batch of a task.
   */
  readonly time: number;
  /** Workspace settings, segments, journeys in force for this batch. */
  readonly definitions: DefinitionsView;
  /**
   * Handles what was kept of an earlier record, so that a failure is that record's and not of the one in hand. False when
   * it is put aside, and nothing was done. Absent in tests of a processor alone; call `attempt` below.
   */
  readonly attempt?: (kept: Kept, work: () => void) => boolean;
  /**
   * Records of this workspace fail too often (share/letter-pace.ts): what is kept of it waits too, for a batch in which it
   * does not rest. Absent in tests of a processor alone.
   */
  readonly rests?: (workspace: string) => boolean;
  /**
   * The mark (Processor.mark) of the oldest record of this workspace that waits for its share, or of the one in hand if
   * that has waited; undefined: none waits. Absent in tests of a processor alone.
   */
  readonly standsAt?: (workspace: string) => number | undefined;
}

export function attempt(batch: BatchContext, kept: Kept, work: () => void): boolean {
  if (batch.attempt !== undefined) return batch.attempt(kept, work);
  work();
  return true;
}

/** Takes outputs in order. Key and value are copied before emit returns. */
export interface Emitter {
  emit(topic: TopicId, key: Uint8Array | string, value: Uint8Array): void;
  emitTo(topic: TopicId, partition: number, key: Uint8Array | string, value: Uint8Array): void;
  /** How much that was, since the task began. Absent in tests of a processor alone. */
  readonly written?: { readonly records: number; readonly bytes: number };
}

export interface Processor {
  /**
   * One input record of this partition, in offset order within its topic. Decodes before it does anything else: a value
   * that cannot be decoded goes to dead.letters by the shell when this throws.
   */
  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void;
  /**
   * A record that this processor failed at lies in dead.letters, and nothing of what it had begun is there any more. Says
   * so to whoever waits for an answer. Must not fail.
   */
  onPutAside?(record: InputRecord, batch: BatchContext, out: Emitter): void;
  /** Once for each batch after its records: releases, timers, expiry, at most a bounded amount of work. */
  onBatchEnd(batch: BatchContext, out: Emitter): void;
  /** Would onBatchEnd emit or change state at this time, without further input? Pure; asked when idle. */
  wantsBatch(time: number, definitions: DefinitionsView): boolean;
  /**
   * What has been read but has not had its whole effect (a lane that asks or releases): the lowest offset on
   * events.collected and the lowest receive time; undefined for nothing. The shell publishes as watermark the minimum
   * of this and of what it has not yet fed: the clock and the next offset once an input is read to its end.
   */
  pendingSince(): { readonly offset: number; readonly receivedAt: number } | undefined;
  /** By workspace, of what pendingSince speaks of: the lowest receive time, ms. Absent: all of it is everybody's. */
  receivedFrom?(): ReadonlyMap<string, number>;
  /** Receive time of a record of an input that has receive times, read in place; undefined for others. */
  receivedAt(record: InputRecord): number | undefined;
  /**
   * Units of work (share/share.ts) that the record in hand took beside what was read and written, since this was last
   * asked. Counted, so that a replay counts the same.
   */
  takeUnits?(): number;
  /** A number to remember of a record that is about to wait for its workspace's share; see BatchContext.standsAt. */
  mark?(record: InputRecord): number;
  /**
   * There is no room for more of this workspace now: its records are to wait, until room is made by records that never
   * wait (Share.topics) or by the ends of batches. A function of the stores.
   */
  mustWait?(workspace: string): boolean;
  /**
   * Gauges for /status and metrics, summed over partitions (`watermark`: the lowest). `unsettled` counts what keeps the partition from being settled (asking, releasing, held). */
  status(): { readonly unsettled: number } & Readonly<Record<string, number>>;
}

/** How far a lane partition has come. */
export interface Handled {
  /** Every record below it has had its whole effect. */
  readonly offset: number;
  /** Nothing that was received before is still on its way, ms; but of the workspaces that are behind it is. */
  readonly time: number;
  /** By workspace: before when nothing of it is on its way, ms. */
  readonly behind: ReadonlyMap<string, number>;
}

export interface ServiceSpec {
  /** Names the consumer group, the transactional ids, the folder and the journal's records. */
  readonly name: 'merger' | 'identity' | 'trigger' | 'in-app';
  /** Co-partitioned inputs: partition p of each goes to the processor of p. */
  readonly inputs: readonly TopicId[];
  readonly journal: TopicId;
  /** Raised when the same inputs would give other outputs. */
  readonly deciderVersion: number;
  readonly stores: StoreNeeds;
  /**
   * Topics whose records somebody waits for. A batch that took or wrote one is committed at once (20 ms after the last
   * at the earliest) instead of after 50 to 100 ms.
   */
  readonly urgent?: readonly TopicId[];
  /** What one workspace may take of a batch; absent: all of it. Keys of the inputs begin with the workspace. */
  readonly share?: Share;
  /** Topics to every partition of which the shell writes watermarks of its lane partitions (merger only). */
  readonly watermarks?: {
    /** Called about once a second for each lane partition whose watermark grew; sent to every partition of each topic. */
    readonly encode: (
      partition: number,
      handled: Handled,
      codecs: Codecs,
    ) => readonly { readonly topic: TopicId; readonly value: Uint8Array }[];
  };
  open(partition: number, partitions: number, stores: PartitionStores, codecs: Codecs): Processor;
}
