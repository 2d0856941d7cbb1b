/** Records and calls. */
import { BUG, type ErrorEntry } from './entry.ts';

export const callsErrors = {
  record_too_large: {
    means: 'A record is larger than the log takes.',
    follows: 'stands',
    ofRecord: true,
    todo: 'One that a call made becomes a dead letter. If a task stands with this code, it is a fault of ours: report it.',
    status: 413,
  },
  key_too_large: {
    means: 'A key is larger than a store takes.',
    follows: 'stands',
    ofRecord: true,
    todo: 'One that a call made becomes a dead letter. If a task stands with this code, it is a fault of ours: report it.',
  },
  record_failed: {
    means: 'A record could not be handled, for a reason of its own.',
    follows: 'record',
    todo: 'dead.letters and dropped say where and why.',
  },
  undecodable: {
    means: 'A record cannot be read.',
    follows: 'record',
    todo: 'Who else writes to this topic? The bytes are in dead.letters.',
  },
  queue_full: {
    means: 'More events wait to be kept than the bound: the log and the disk are slower than what comes in.',
    follows: 'again',
    todo: 'Clients send again by themselves. If it stays, look at the broker and at the disk of HINDSIGHT_DATA.',
    status: 503,
  },
  log_behind: {
    means:
      'A merge, split, deletion or suppression cannot be taken while earlier events wait on the disk for the log.',
    follows: 'again',
    todo: 'It is taken again once the log has the events.',
    status: 503,
  },
  spool_full: {
    means: 'The log does not answer, and the spool holds as much, or as old events, as it may.',
    follows: 'again',
    todo: 'Look at the broker. HINDSIGHT_SPOOL_BYTES_MAX says how much may wait.',
    status: 503,
  },
  spool_share_full: {
    means: 'The log does not answer, and one workspace holds as much of the spool as it may.',
    follows: 'again',
    todo: 'Look at the broker. HINDSIGHT_SPOOL_WORKSPACE_SHARE says how much one workspace may hold.',
    status: 503,
  },
  spool_failed: {
    means: 'The log does not answer, and the disk did not keep what waits for it.',
    follows: 'again',
    todo: 'The disk of HINDSIGHT_DATA is full or fails: look at both.',
    status: 503,
  },
  workspace_over_quota: {
    means: 'A workspace has brought as many bytes as its quota of the hour or the day allows.',
    follows: 'again',
    todo: 'Retry-After says when the hour or the day ends. GET /v1/usage says how much it was; quotas of the workspace say how much it may be.',
    status: 429,
  },
  definitions_day_full: {
    means:
      'A workspace has written as many bytes of definitions and settings as it may on a day (UTC): 64 MiB.',
    follows: 'again',
    todo: 'Retry-After says when the day ends. What writes the same definitions over and over?',
    status: 429,
  },
  answers_unread: {
    means:
      'Answers that their callers have asked for and not read take as much memory as a workspace may have of it.',
    follows: 'again',
    todo: 'Read what you ask for, or ask for less at once.',
    status: 429,
  },
  disk_low: {
    means: 'The disk of HINDSIGHT_DATA is nearly full, so nothing more is taken.',
    follows: 'again',
    todo: 'Make room, or give it a larger disk. GET /v1/usage says who brings how much; HINDSIGHT_DISK_FREE_BYTES_MIN says when to stop.',
    status: 503,
  },
  body_too_large: {
    means: 'A body is larger than the bound, before or after it is unpacked.',
    follows: 'record',
    todo: 'Send less in one call.',
    status: 413,
  },
  body_malformed: {
    means: 'A body is not in the encoding that its header names.',
    follows: 'record',
    todo: 'Correct content-encoding, or what packs the body.',
    status: 400,
  },
  body_cut_off: {
    means: 'The connection ended within a body.',
    follows: 'record',
    todo: 'Send it again.',
    status: 400,
  },
  body_too_late: {
    means: 'A body did not come whole in time.',
    follows: 'record',
    todo: 'Send it again, over a better connection.',
    status: 408,
  },
  bodies_overloaded: {
    means: 'More bytes of bodies are being read than the bound.',
    follows: 'again',
    todo: 'Clients send again by themselves.',
    status: 503,
  },
  encoding_unsupported: {
    means: 'A body is packed in a way that is not read here.',
    follows: 'record',
    todo: 'Use gzip, deflate or br, at most two of them.',
    status: 415,
  },
  too_many_workspaces: {
    means: 'There are as many workspaces as the bound.',
    follows: 'record',
    todo: 'Use one that exists.',
    status: 400,
  },
  clock_not_taken: {
    means: 'A service has not taken up the test clock in time.',
    follows: 'again',
    todo: 'Is every service running? GET /health/ready says.',
    status: 503,
  },
  definitions_behind: {
    means: 'What was written to definitions did not come back in time.',
    follows: 'again',
    todo: 'Send it again. If it stays, look at the broker.',
    status: 503,
  },
  definitions_contended: {
    means: 'Other gateways keep changing the definition that was to be stored.',
    follows: 'again',
    todo: 'Send it again.',
    status: 503,
  },
  key_lost: { means: 'A key that was made was not read back.', follows: 'restarts', todo: BUG },
  keys_behind: {
    means: 'What was written to keys did not come back in time.',
    follows: 'again',
    todo: 'Send it again. If it stays, look at the broker.',
    status: 503,
  },
  keys_overloaded: {
    means: 'Too many keys are being written at once.',
    follows: 'again',
    todo: 'Send them one after another.',
    status: 503,
  },
  tables_behind: {
    means: 'What was written to tables did not come back in time.',
    follows: 'again',
    todo: 'Send it again. If it stays, look at the broker.',
    status: 503,
  },
  tables_day_full: {
    means: 'A workspace has deleted as many rows of its tables as it may on a day (UTC): 100,000.',
    follows: 'again',
    todo: 'Retry-After says when the day ends. Put new values under the same keys; do not delete and make rows over and over.',
    status: 429,
  },
  tables_overloaded: {
    means: 'Too many rows of tables are being written at once.',
    follows: 'again',
    todo: 'Send them one after another, many in one call.',
    status: 503,
  },
  in_app_unavailable: {
    means:
      'The service of on-site messages did not answer in time: it starts, is stopped, or has too much to do.',
    follows: 'again',
    todo: 'Is in-app running? GET /health/ready says. A page asks again by itself and shows nothing until then.',
    status: 503,
  },
  trigger_unavailable: {
    means:
      'The service of segments and journeys did not answer in time: it starts, is stopped, or runs on another machine.',
    follows: 'again',
    todo: 'Is trigger running on the machine of this gateway? GET /health/ready says.',
    status: 503,
  },
  definitions_overloaded: {
    means: 'Too many definitions are being written at once.',
    follows: 'again',
    todo: 'Send them one after another.',
    status: 503,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
