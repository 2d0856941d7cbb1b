/** The one maker of records for events.collected that are no client's event: what it does not say is as the schema says. */
import type { CollectedEvent } from './records.ts';

type Named = Pick<
  CollectedEvent,
  'received_at' | 'type' | 'identifier_kind' | 'message_id' | 'timestamp' | 'workspace' | 'source'
>;

/** Field by field, as in identity-request.ts. */
export function collectedEvent(fields: Named & Partial<CollectedEvent>): CollectedEvent {
  return {
    received_at: fields.received_at,
    type: fields.type,
    identifier_kind: fields.identifier_kind,
    identifier: fields.identifier ?? null,
    anonymous_id: fields.anonymous_id ?? null,
    message_id: fields.message_id,
    timestamp: fields.timestamp,
    workspace: fields.workspace,
    source: fields.source,
    name: fields.name ?? null,
    id: fields.id ?? null,
    email: fields.email ?? null,
    cio_id: fields.cio_id ?? null,
    update_only: fields.update_only ?? false,
    attributes_at: fields.attributes_at ?? null,
    properties: fields.properties ?? null,
    context: fields.context ?? null,
    bot: fields.bot ?? false,
    waits: fields.waits ?? true,
  };
}
