/** What events.dropped says of inputs that were gone from the log before their service had read them. */
import { droppedEvent } from '../../../../schemas/dropped-event.ts';
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
  const detail = JSON.stringify({ topic: topics[topic].name, partition, from, to });
  return droppedEvent({ workspace: '', reason, stage: service, at, detail });
}
