/** Calls as ingest writes them. For the model test, and for the simulator. */
import { identityRequest } from '../../../schemas/identity-request.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import type { CollectedEvent, IdentityRequest } from '../../../schemas/records.ts';
import { collectedEvent } from '../collected-event.ts';
import type { ControlCall, LaneCall } from './calls.ts';

export function eventOf(call: LaneCall, workspace: Workspace): CollectedEvent {
  // A further identifier stands in its field even where the path names another of its kind.
  const identifiers = [...call.also, call.named];
  const of = (kind: Identifier['kind']): string | null =>
    identifiers.find((identifier) => identifier?.kind === kind)?.value ?? null;
  return collectedEvent({
    workspace,
    type: call.type,
    anonymous_id: call.visitor,
    message_id: call.messageId,
    received_at: call.receivedAt,
    timestamp: call.timestamp,
    identifier_kind: call.named?.kind ?? 'none',
    identifier: call.named?.value ?? null,
    ...(call.type === 'identify' && {
      id: of('id'),
      email: of('email'),
      cio_id: of('cio_id'),
      update_only: call.updateOnly,
      name: null,
    }),
  });
}

/** Without its place among the events. */
export function requestOf(call: ControlCall, workspace: Workspace): IdentityRequest {
  const [named, other] = sidesOf(call);
  return identityRequest({
    kind: call.type,
    workspace,
    received_at: call.receivedAt,
    anonymous_id: call.type === 'merge' && call.alias ? call.secondary.value : null,
    identifier_kind: named.kind,
    identifier: named.value,
    message_id: call.type,
    other_kind: other?.kind ?? 'none',
    other: other?.value ?? null,
    detail: call.type === 'split' ? splitDetail(call) : null,
  });
}

function sidesOf(call: ControlCall): readonly [Identifier, Identifier | null] {
  if (call.type === 'merge') return [call.primary, call.secondary];
  return [call.type === 'split' ? call.from : call.named, null];
}

/** As the route writes it. */
function splitDetail({ anonymousIds, identifiers, into }: ControlCall & { type: 'split' }): string {
  return JSON.stringify({ anonymous_ids: anonymousIds, identifiers, into, by: 'support', why: 'a mistake' });
}
