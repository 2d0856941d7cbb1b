/** How the broker keeps each topic, from its declaration in schemas/topics.ts. */
import type { TopicDeclaration } from '../../../schemas/topics.ts';
import { CodedError } from '../errors.ts';
import type { CopiesWanted } from './ports.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Kafka's own default, said aloud since record batches are cut by it (output-buffer.ts). */
const MESSAGE_BYTES_MAX = 1_048_588;

export type TopicSettings = Readonly<Record<string, string>>;

/** How many copies there are of each partition, the leader's included, and how many must have a record that counts. */
interface Copies {
  readonly replicas: number;
  readonly minInSync: number;
}

const REPLICAS_USUAL = 3;

/** @throws CodedError `too_few_brokers`, or `settings_invalid` where more must have a record than there are copies. */
export function copiesFor({ replicas, minInSync }: CopiesWanted, brokers: number): Copies {
  if (replicas !== undefined && replicas > brokers) {
    const message = `could not create topics of ${String(replicas)} copies: the cluster has ${String(brokers)} ${brokers === 1 ? 'broker' : 'brokers'} now`;
    throw new CodedError('too_few_brokers', message);
  }
  const copies = replicas ?? Math.min(REPLICAS_USUAL, brokers);
  const inSync = minInSync ?? (copies > 2 ? 2 : 1);
  if (inSync > copies) {
    const message = `could not create topics: HINDSIGHT_MIN_INSYNC_REPLICAS is ${String(inSync)}, and there are ${String(copies)} copies`;
    throw new CodedError('settings_invalid', message);
  }
  return { replicas: copies, minInSync: inSync };
}

export function topicSettings({ kept }: TopicDeclaration, { minInSync }: Copies): TopicSettings {
  return {
    // Retention runs on the broker's clock, so that an old event time never deletes what has just arrived.
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(MESSAGE_BYTES_MAX),
    'min.insync.replicas': String(minInSync),
    'unclean.leader.election.enable': 'false',
    ...retention(kept),
  };
}

/** The broker deletes whole segments, so a segment must not span much of the time that is kept. */
function retention(kept: TopicDeclaration['kept']): TopicSettings {
  if (kept === 'compacted')
    return {
      'cleanup.policy': 'compact',
      'segment.ms': String(DAY_MS),
      'min.cleanable.dirty.ratio': '0.3',
      // A reader that begins at the start and is slower than this could miss that something was deleted.
      'delete.retention.ms': String(7 * DAY_MS),
    };
  if (kept === 'forever')
    return {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'segment.ms': String(30 * DAY_MS),
    };
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(kept.retentionMs),
    'retention.bytes': '-1',
    'segment.ms': String(Math.min(DAY_MS, Math.max(HOUR_MS, Math.floor(kept.retentionMs / 30)))),
  };
}
