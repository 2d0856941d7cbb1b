/** The one maker of records for activities.logged: what a line does not say is as the schema says. */
import type { Activity } from './records.ts';

type Named = Pick<Activity, 'workspace' | 'kind' | 'timestamp'>;

/** Field by field, as in identity-request.ts. */
export function activity(fields: Named & Partial<Activity>): Activity {
  return {
    workspace: fields.workspace,
    kind: fields.kind,
    person_id: fields.person_id ?? null,
    anonymous_id: fields.anonymous_id ?? null,
    timestamp: fields.timestamp,
    processed_at: fields.processed_at ?? null,
    message_id: fields.message_id ?? null,
    detail: fields.detail ?? null,
  };
}
