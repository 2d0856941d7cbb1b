/** What ingest is given by the gateway. */
import type { Workspace } from '../../schemas/ids.ts';
import type { TopicId } from '../../schemas/topics.ts';

/** A record that a call has become. */
export interface TakenRecord {
  readonly topic: Extract<TopicId, 'eventsCollected' | 'eventsDropped'>;
  readonly workspace: Workspace;
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Keeps records until the log has them. */
export interface Intake {
  /**
   * All of them are of one workspace. Takes them at once, in their order, and resolves when each is kept: by the log, or by
   * the disk while the log does not answer. Rejects with a CodedError when one is not, and none is under way any more.
   */
  take(records: readonly TakenRecord[]): Promise<void>;
  /** Resolves when the log has all that was taken before and records go straight to it. Rejects with `log_behind`. */
  untilOnLog(): Promise<void>;
}
