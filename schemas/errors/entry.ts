/** What the table of errors says of each code, and sentences that several entries share. */

/**
 * What follows an error without anybody's doing.
 * - `again`: what failed is tried again; a caller is answered 503 with `Retry-After`.
 * - `rebuilt`: the partition's folder is set aside, and the partition starts from its newest snapshot or from the logs.
 * - `restarts`: the task starts again, twelve times; then its process ends with 1, for whoever supervises it.
 * - `stands`: the task stands still until a person acts, since trying again gives the same, or does harm.
 * - `record`: one record becomes a dead letter, or one call is refused; everything else goes on.
 * - `ends`: what was started ends, and says why.
 */
export const aftermaths = ['again', 'rebuilt', 'restarts', 'stands', 'record', 'ends'] as const;
export type Aftermath = (typeof aftermaths)[number];

export interface ErrorEntry {
  readonly means: string;
  readonly follows: Aftermath;
  /** What a person can do about it, as sentences. Empty: nothing is needed. */
  readonly todo: string;
  /** Of the answer, when a caller meets it. */
  readonly status?: number;
  /** Met in the handling of a record it is that record's, which becomes a dead letter. */
  readonly ofRecord?: true;
}

export const SNAPSHOT =
  'Put a later snapshot of the partition in place of its folder under state/, or replay into new topics.';
/** Of what is rebuilt. */
export const DISK =
  'The folder is set aside, and the partition starts from its newest snapshot, or from the logs. Look at the disk of HINDSIGHT_DATA.';
export const BUG = 'This is a fault of ours. Keep the log and the folder of the partition, and report it.';
