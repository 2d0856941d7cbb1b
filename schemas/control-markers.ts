/**
 * The place of a control call among events. Before a merge, deletion, suppression, unsuppression or split is sent to
 * identity, its marker is written to every partition of events.collected; the call's positions are one past them.
 * docs/control-calls.md, has the whole argument.
 */
import { collectedEvent } from './collected-event.ts';
import { toWorkspace } from './ids.ts';
import type { CollectedEvent, IdentityRequest } from './records.ts';

/**
 * From the first marker to the broker's acknowledgement of the call, ms. Ingest does not acknowledge a call that took
 * longer, since lanes may have stopped to wait for it.
 */
export const controlMsMax = 5_000;
/**
 * A call that is not there so long after identity first heard of a marker of it will never come: its gateway has died,
 * or did not acknowledge it. By the append times of identity.requests, ms; the slack is for clocks of brokers.
 */
export const abandonMs = 2 * controlMsMax;

/** @param number given to the call by ingest, anew for each attempt; both sides of the comparison are a workspace's. */
export function controlMarker(
  { workspace, kind, received_at }: Pick<IdentityRequest, 'workspace' | 'kind' | 'received_at'>,
  number: number,
): CollectedEvent {
  return collectedEvent({
    received_at,
    type: 'marker',
    identifier_kind: 'none',
    message_id: String(number),
    timestamp: received_at,
    workspace: toWorkspace(workspace),
    source: 'ingest.marker',
    name: kind,
  });
}

/**
 * Calls that find whom they name gone, or make them so: all that they need of what stands before them is that identity
 * has been asked. A merge or a split moves what people did, so it comes after all of that.
 */
const calm: ReadonlySet<string | null> = new Set(['delete', 'suppress', 'unsuppress']);

/** Must everything before the marker of such a call have had its whole effect, and not only have been asked? */
export function isStrict(call: string | null): boolean {
  return !calm.has(call);
}
