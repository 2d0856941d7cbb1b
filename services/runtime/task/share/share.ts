/**
 * What one workspace may take of a partition's batch, so that nobody's flood makes others wait: the rest of its records
 * waits in the partition's store and has its turn in the batches that follow, in its order.
 *
 * It is counted and never timed, so that a replay comes to the same: in units that are about a microsecond each on the
 * machine that they were measured on, of what is read, what is written, and what a service says of its own.
 */
import type { TopicId } from '../../../../schemas/topics.ts';
import { usualLetters, type LettersMax } from './letter-pace.ts';

export interface Share {
  /** Units of one workspace in a batch of one partition. One record more may begin than there is room for. */
  readonly unitsMax: number;
  /** Of one workspace in a partition, on its disk. At either bound the oldest have their turn at once, whatever it takes. */
  readonly waitingRecordsMax: number;
  readonly waitingBytesMax: number;
  /** How many of its records may fail before the rest of them wait; absent: as usual. */
  readonly letters?: LettersMax;
  /** Inputs whose records wait; absent: all. What others bring is counted and never waits. */
  readonly topics?: readonly TopicId[];
}

/** Work that a record brought. */
export interface Work {
  readonly recordsRead: number;
  readonly recordsWritten: number;
  readonly bytesWritten: number;
  /** Units that the service counts itself. */
  readonly own: number;
}

const UNITS_A_RECORD_READ = 5;
const UNITS_A_RECORD_WRITTEN = 20;
const BYTES_WRITTEN_A_UNIT = 100;

export function unitsOf({ recordsRead, recordsWritten, bytesWritten, own }: Work): number {
  return (
    recordsRead * UNITS_A_RECORD_READ +
    recordsWritten * UNITS_A_RECORD_WRITTEN +
    Math.ceil(bytesWritten / BYTES_WRITTEN_A_UNIT) +
    own
  );
}

const WAITING_RECORDS_MAX = 1_000_000;
const WAITING_BYTES_MAX = 1_024 ** 3;

/** @param unitsMax of a batch; the rest is the same for every service, unless it says otherwise. */
export function shareOf(unitsMax: number, other: Pick<Share, 'letters' | 'topics'> = {}): Share {
  const bounds = { waitingRecordsMax: WAITING_RECORDS_MAX, waitingBytesMax: WAITING_BYTES_MAX };
  return { unitsMax, ...bounds, letters: usualLetters, ...other };
}
