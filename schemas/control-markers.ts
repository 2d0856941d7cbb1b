/**
 * The place of a control call among events. Before a merge, deletion, suppression, unsuppression or split is sent to
 * identity, its marker is written to every partition of events.collected; the call's positions are one past them.
 * ARCHITECTURE.md, *Control calls*, has the whole argument.
 */
import type { Workspace } from './ids.ts';
import type { CollectedEvent } from './records.ts';

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
export function controlMarker(workspace: Workspace, number: number, receivedAt: number): CollectedEvent {
  return {
    received_at: receivedAt,
    type: 'marker',
    identifier_kind: 'none',
    identifier: null,
    anonymous_id: null,
    message_id: String(number),
    timestamp: receivedAt,
    workspace,
    source: 'ingest.marker',
    name: null,
    id: null,
    email: null,
    cio_id: null,
    update_only: false,
    attributes_at: null,
    properties: null,
    context: null,
  };
}
