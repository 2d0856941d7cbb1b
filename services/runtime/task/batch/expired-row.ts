/** What events.dropped says of inputs that were gone from the log before their service had read them. */
import type { DroppedEvent } from '../../../../schemas/records.ts';
import type { Reason } from '../../../../schemas/reasons.ts';
import { topics } from '../../../../schemas/topics.ts';
import type { Stretch } from './log-scan.ts';

const reason: Reason = 'input_expired';

/** One row a stretch: whose records they were nobody can say any more. */
export function expiredRow(
  service: string,
  { topic, partition, from, to }: Stretch,
  at: number,
): DroppedEvent {
  return {
    workspace: '',
    reason,
    stage: service,
    at,
    message_id: null,
    anonymous_id: null,
    person_id: null,
    detail: JSON.stringify({ topic: topics[topic].name, partition, from, to }),
  };
}
