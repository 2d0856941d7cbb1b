/** A visitor's word on their consent as a record of their lane, between the events that it stands between. Pure. */
import { collectedEvent } from '../../schemas/collected-event.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import type { ConsentSaid } from './ports.ts';

export function consentRecord({
  workspace,
  anonymousId,
  isGiven,
  at,
  messageId,
}: ConsentSaid): CollectedEvent {
  return collectedEvent({
    workspace,
    type: isGiven ? 'consent' : 'withdrawal',
    anonymous_id: anonymousId,
    identifier_kind: 'none',
    message_id: messageId,
    received_at: at,
    timestamp: at,
    source: 'on-site.consent',
  });
}
