/**
 * Who is meant by a call about a manual segment (spec A.1). A control call, so whoever was named by an acknowledged call
 * before it is found. Nobody is made by it: who is not there is left out, with a row. Pure.
 */
import { collectedEvent } from '../../../schemas/collected-event.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { membershipIn, membershipProperties } from '../../../schemas/membership.ts';
import { mergedEvent } from '../../../schemas/merged-event.ts';
import type { CollectedEvent, IdentityRequest, MergedEvent } from '../../../schemas/records.ts';
import type { GraphView } from '../graph/graph.ts';
import type { Person } from '../graph/graph-rows.ts';
import type { Drop } from './outcome.ts';
import { knownOf } from './projections.ts';

export interface MembershipOutcome {
  /** One for each person, in the order in which they were named. */
  readonly records: readonly MergedEvent[];
  readonly drops: readonly Drop[];
}

/** Of those who were not found; more are counted and not told. */
const namesToldMax = 100;

export function decideMembership(view: GraphView, request: IdentityRequest): MembershipOutcome {
  const { segment_id: segmentId, action, kind, values } = membershipIn(request.detail);
  const people = new Map<string, { readonly person: Person; readonly by: Identifier }>();
  const unknown: string[] = [];
  for (const value of values) {
    const by = { kind, value };
    const person = view.find(by);
    if (person === undefined) unknown.push(value);
    else if (!people.has(person.personId)) people.set(person.personId, { person, by });
  }
  const records = [...people.values()].map(({ person, by }) =>
    mergedEvent({
      kind: 'event',
      workspace: request.workspace,
      person_id: person.personId,
      merged_at: request.received_at,
      ...knownOf(person),
      event: eventOf(request, by, { segmentId, properties: membershipProperties(action) }),
    }),
  );
  if (unknown.length === 0) return { records, drops: [] };
  const told = { call: 'membership', segment_id: segmentId, action, kind };
  const detail = { ...told, values: unknown.slice(0, namesToldMax), count: unknown.length };
  return { records, drops: [{ reason: 'person_unknown', personId: null, detail }] };
}

function eventOf(
  { received_at, workspace, message_id }: IdentityRequest,
  { kind, value }: Identifier,
  { segmentId, properties }: { readonly segmentId: string; readonly properties: string },
): CollectedEvent {
  return collectedEvent({
    received_at,
    type: 'membership',
    identifier_kind: kind,
    identifier: value,
    message_id,
    timestamp: received_at,
    workspace,
    source: 'track.v1.segment',
    name: segmentId,
    properties,
  });
}
