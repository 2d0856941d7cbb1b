/** A collected event with everything that a test does not care about filled in. */
import type { CollectedEvent } from '../../schemas/records.ts';

export function collectedEvent(fields: Partial<CollectedEvent> = {}): CollectedEvent {
  const receivedAt = fields.received_at ?? 1_700_000_000_000;
  return {
    received_at: receivedAt,
    type: 'event',
    identifier_kind: 'none',
    identifier: null,
    anonymous_id: 'visitor-1',
    message_id: 'message-1',
    timestamp: receivedAt,
    workspace: 'default',
    source: 'track.v1.event',
    name: 'Product Viewed',
    id: null,
    email: null,
    cio_id: null,
    update_only: false,
    attributes_at: null,
    properties: null,
    context: null,
    bot: false,
    waits: true,
    ...fields,
  };
}
