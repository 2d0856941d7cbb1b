/** What ingest is given by the gateway. */
import type { TakenRecords } from '../runtime/taken-records.ts';

/** Keeps records until the log has them. */
export interface Intake {
  /**
   * Takes them at once, in their order, and resolves when each is kept: by the log, or by the disk while the log does not
   * answer. Rejects with a CodedError when one is not, and none is under way any more.
   */
  take(records: TakenRecords): Promise<void>;
  /** Resolves when the log has all that was taken before and records go straight to it. Rejects with `log_behind`. */
  untilOnLog(): Promise<void>;
}
