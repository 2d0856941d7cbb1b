/** The log: brokers, topics, schemas. */
import { BUG, type ErrorEntry } from './entry.ts';

export const logErrors = {
  log_unavailable: {
    means: 'A broker does not answer, or has no leader for a partition.',
    follows: 'again',
    todo: 'Is a broker reachable at KAFKA_BROKERS? What runs goes on by itself when one is; a command, or an npm start, that ended with this is run again.',
    status: 503,
  },
  log_overloaded: {
    means: 'More is waiting to be sent than the bound: the broker is slow or away.',
    follows: 'again',
    todo: 'Senders slow down by themselves. If it stays, look at the broker’s disk and load.',
    status: 503,
  },
  log_stalled: {
    means: 'A read of the log gave nothing although its end was not reached.',
    follows: 'again',
    todo: 'If it stays, look at the broker: an open transaction of another program may hold its readers back.',
  },
  log_refused: {
    means: 'The broker refused a request for good.',
    follows: 'restarts',
    todo: 'The message names the broker’s own code. Compare versions and the settings of its topics.',
  },
  log_not_authorized: {
    means: 'The broker does not allow the request to this user.',
    follows: 'restarts',
    todo: 'Give the user the rights that the message names, then start again.',
  },
  log_closed: { means: 'A client was used after it was closed.', follows: 'restarts', todo: BUG },
  log_truncated: {
    means: 'Records that were read are gone from the log.',
    follows: 'stands',
    todo: 'A leader was elected that lacked them, or the topic or its disk was replaced. Bring the topic back as it was, or replay into new topics.',
  },
  offset_out_of_range: {
    means: 'The log does not reach back to an offset, or never reached it.',
    follows: 'restarts',
    todo: 'Start from a snapshot or from the first offset kept.',
  },
  producer_dead: {
    means: 'Another process has taken over the task’s transactional id.',
    follows: 'ends',
    todo: 'Nothing, if it comes once: the process is started again by whoever supervises it (npm start does). If it stays, two processes run the same instance number: stop one.',
  },
  transaction_expired: {
    means:
      'A transaction was open for longer than the broker allows: the machine or the broker stood still. Its work is taken back, and done again.',
    follows: 'restarts',
    todo: 'Nothing, if it comes once. If it stays, the broker is too slow: look at its disk and load.',
  },
  corrupt_batch: {
    means: 'The checksum of what the broker sent differs.',
    follows: 'again',
    todo: 'If it stays, the broker has lost data on its disk: look at the broker.',
  },
  unsupported_compression: {
    means: 'Somebody wrote to our topics with a compression that is not read here.',
    follows: 'stands',
    todo: 'Producers to the topics of this product send plain batches or gzip.',
  },
  unsupported_format: {
    means: 'A record has a format from before Kafka 0.11.',
    follows: 'stands',
    todo: 'Replay the topic with a producer of today.',
  },
  topic_unknown: {
    means: 'A topic is named that was never looked up.',
    follows: 'restarts',
    todo: 'Were the topics made for this version? npm start makes them.',
  },
  topic_partitions_differ: {
    means: 'A topic exists with another number of partitions.',
    follows: 'ends',
    todo: 'Set HINDSIGHT_PARTITIONS to what the installation was made with; it changes only by a replay.',
  },
  too_few_brokers: {
    means: 'Topics are to be made with more copies than the cluster has brokers now.',
    follows: 'ends',
    todo: 'Start the brokers that are missing, or set HINDSIGHT_REPLICAS to how many there are.',
  },
  partitions_differ: {
    means: 'Topics that belong together have different numbers of partitions.',
    follows: 'ends',
    todo: 'Set HINDSIGHT_PARTITIONS to what the installation was made with; it changes only by a replay.',
  },
  schema_not_ours: {
    means: 'A value was written with a schema that the registry does not know, or that is not one of ours.',
    follows: 'record',
    todo: 'Who else writes to this topic? The bytes are in dead.letters.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
