/** What a task is, and the ports that it works through. */
import type { Codecs } from '../../../schemas/codec.ts';
import type { CodedError } from '../errors.ts';
import type { Log } from '../log/ports.ts';
import type { Logger } from '../logger.ts';
import type { PartitionStores } from '../store/ports.ts';
import type { DeadLettersMax } from './batch/failed-records.ts';
import type { ServiceSpec } from './ports.ts';
import type { TimePort } from '../time.ts';

export interface TaskPlan {
  readonly spec: ServiceSpec;
  readonly task: number;
  /** Raised by the command that changes the number of tasks; part of every transactional id. */
  readonly layout: number;
  readonly tasks: number;
  /** Partitions of every co-partitioned topic. */
  readonly partitions: number;
  /** The partitions of this task, ascending. */
  readonly own: readonly number[];
  /**
   * While the number of tasks is changed, when a task may have been closed: marks that stand here have been moved already
   * and count as up to date. 0: none has.
   */
  readonly movedTo?: number;
  /** Dead letters above which it stands still, if not the usual ones. */
  readonly deadLetters?: DeadLettersMax;
  /** HINDSIGHT_TEST_CLOCK. */
  readonly standingClock: boolean;
}

export interface TaskPorts {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly time: TimePort;
  readonly logger: Logger;
  readonly stores: StateFolders;
  /** Makes values of a schema readable; false when nobody knows it. Throws when the registry cannot be asked. */
  readonly learn: (schemaId: number) => Promise<boolean>;
  /** A random id for each batch. */
  readonly newBatchId: () => string;
}

/** Where the state of partitions lies. */
export interface StateFolders {
  /**
   * Opens the partition's stores, out of its newest good snapshot when its folder is missing or damaged and one is kept;
   * else empty, and recovery finds out whether the logs reach back.
   */
  open(partition: number): Promise<PartitionStores>;
  /** Puts away the folder of a partition whose stores were found damaged, and are closed. Absent: none ever are. */
  setAside?(partition: number, damage: CodedError): Promise<void>;
  /** Absent: none are kept. */
  readonly snapshots?: {
    /**
     * Flushes and copies; must be called between two batches, and has flushed when it first waits. Rejects soon after
     * the signal aborts; until then the stores must stay open.
     */
    readonly keep: (partition: number, stores: PartitionStores, signal?: AbortSignal) => Promise<void>;
    /** When the newest was made, ms. */
    readonly newestAt: (partition: number) => Promise<number | undefined>;
  };
}

export function partitionsOfTask(task: number, tasks: number, partitions: number): number[] {
  const own: number[] = [];
  for (let partition = task; partition < partitions; partition += tasks) own.push(partition);
  return own;
}
