/** Tasks, their journal and their state. */
import { BUG, SNAPSHOT, type ErrorEntry } from './entry.ts';

export const tasksErrors = {
  assertion_failed: {
    means: 'Something that must hold does not.',
    follows: 'stands',
    todo: BUG,
    ofRecord: true,
  },
  state_broken: {
    means: 'Something that must hold of a task’s state does not.',
    follows: 'stands',
    todo: BUG,
  },
  unreachable: { means: 'A value that cannot be was met.', follows: 'stands', todo: BUG, ofRecord: true },
  task_stopped: { means: 'The task was told to stop.', follows: 'ends', todo: '' },
  stopping: {
    means: 'This process is stopping and takes nothing more.',
    follows: 'again',
    todo: '',
    status: 503,
  },
  dead_letters_burst: {
    means:
      'Too many records in a minute that are of no workspace could not be handled: the partition stops rather than empty the topic into the bin.',
    follows: 'stands',
    todo: 'dead.letters and dropped say why. Start again when it is mended, or with a higher HINDSIGHT_DEAD_LETTERS_PER_MINUTE_MAX or HINDSIGHT_DEAD_LETTERS_SHARE_MAX.',
  },
  workspace_rests: {
    means:
      'So many records of the workspace failed, and so many wait behind them, that this one was put aside untried.',
    follows: 'record',
    todo: 'dead.letters and dropped say which failed first, and why. Mend that, then send again what lies in dead.letters.',
    ofRecord: true,
  },
  replay_differs: {
    means: 'A batch that is replayed gives other outputs than it once gave.',
    follows: 'stands',
    todo: 'Its state may be wrong. Keep its folder for study, then start from a snapshot or replay into new topics.',
  },
  decider_changed: {
    means: 'Batches that are still to be replayed were decided by another version.',
    follows: 'stands',
    todo: 'Start the old version once and stop it cleanly: then nothing is left to replay.',
  },
  definitions_lost: {
    means: 'The topic definitions is not the one that the journal was written with.',
    follows: 'stands',
    todo: 'Bring the topic back as it was.',
  },
  definitions_too_many: {
    means: 'There are more definitions than a task holds.',
    follows: 'restarts',
    todo: 'Delete definitions that nobody needs.',
  },
  state_ahead: {
    means: 'The state is ahead of its journal.',
    follows: 'stands',
    todo: 'The state folder belongs to another broker, or the journal was truncated. Bring together what belongs together.',
  },
  state_lost: {
    means: 'A partition has no state, and the logs no longer reach back to its start.',
    follows: 'stands',
    todo: `${SNAPSHOT} A folder that was found damaged lies beside it.`,
  },
  journal_gap: { means: 'Records of the journal are gone.', follows: 'stands', todo: SNAPSHOT },
  input_expired: {
    means: 'Records expired on the log before they were read.',
    follows: 'stands',
    todo: SNAPSHOT,
  },
  layout_differs: {
    means: 'The journal was written with another number of tasks.',
    follows: 'stands',
    todo: 'Change the number of tasks with `npm run tasks` only.',
  },
  tasks_differ: {
    means: 'The service is started with another number of tasks than it has.',
    follows: 'ends',
    todo: 'Stop it everywhere, then run `npm run tasks` as the message says.',
  },
  outputs_too_large: {
    means: 'The outputs of a batch are more than a transaction may hold.',
    follows: 'stands',
    ofRecord: true,
    todo: BUG,
  },
  parked_record_missing: {
    means: 'A record that waits behind a merge of people is not where it was kept.',
    follows: 'stands',
    todo: BUG,
  },
  held_record_missing: {
    means: 'A record that waits for a timer is not where it was kept.',
    follows: 'stands',
    todo: BUG,
  },
  lanes_overloaded: {
    means: 'Too many lanes or control calls wait for identity.',
    follows: 'again',
    todo: 'Identity does not answer. Start it; the merger goes on by itself.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
