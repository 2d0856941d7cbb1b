/** The one maker of records for events.dropped: what a row does not say is as the schema says. */
import type { DroppedEvent } from './records.ts';

type Named = Pick<DroppedEvent, 'workspace' | 'reason' | 'stage' | 'at'>;

/** Field by field, as in identity-request.ts. */
export function droppedEvent(fields: Named & Partial<DroppedEvent>): DroppedEvent {
  return {
    workspace: fields.workspace,
    reason: fields.reason,
    stage: fields.stage,
    at: fields.at,
    message_id: fields.message_id ?? null,
    anonymous_id: fields.anonymous_id ?? null,
    person_id: fields.person_id ?? null,
    detail: fields.detail ?? null,
  };
}
