/** Stores on the disk. */
import { BUG, DISK, type ErrorEntry } from './entry.ts';

export const storesErrors = {
  store_write_failed: {
    means: 'A store could not be written: most often the disk is full.',
    follows: 'again',
    todo: 'Free space on the disk of HINDSIGHT_DATA. The task stops cleanly and starts again; nothing is lost.',
  },
  store_disk_failed: {
    means: 'The disk did not keep what it was told to keep.',
    follows: 'rebuilt',
    todo: `${DISK} What it has of this partition cannot be trusted.`,
  },
  store_damaged: { means: 'A store is not what was written.', follows: 'rebuilt', todo: DISK },
  store_behind: {
    means: 'A store has less than its mark says, as after a power failure of a disk that lies.',
    follows: 'rebuilt',
    todo: DISK,
  },
  store_closed: { means: 'A store was used after it was closed.', follows: 'restarts', todo: BUG },
  store_format: {
    means: 'Another version of Hindsight wrote the state.',
    follows: 'stands',
    todo: 'Start that version, or begin with an empty HINDSIGHT_DATA and new topics.',
  },
  index_full: {
    means: 'A partition has as many waiting lanes as its index can hold.',
    follows: 'stands',
    todo: 'Raise HINDSIGHT_PARTITIONS by a replay into new topics, or shorten the retention of waiting events.',
  },
  window_too_long: {
    means: 'Repeats are to be remembered for longer than the store can.',
    follows: 'stands',
    todo: 'Shorten the window of repeats.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
