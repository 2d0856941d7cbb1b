/**
 * What becomes of an anonymous id when an identify carries it (spec C.1 rows 4, 8 to 10, 13). The first claim wins for
 * ever; a later one, by whomever, is an identify and nothing more. Pure.
 */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Reason } from '../../../schemas/reasons.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import type { GraphView } from '../graph/graph.ts';
import { hasTooManyAnonymousIds, hasTooManyPeople, isIllegalAnonymousId, namesItself } from './guards.ts';
import type { Call, FactDraft, Note } from './outcome.ts';
import { locate } from './resolve-person.ts';

export interface ClaimDecision {
  readonly granted: boolean;
  /** Why the anonymous id was not bound; null when granted, and when it is this person's already. */
  readonly reason: Reason | null;
  readonly facts: readonly FactDraft[];
  readonly notes: readonly Note[];
}

type Claim = Call & { readonly anonymousId: string };

/** Asked before anybody is created: would the call make one person too many of this visitor? */
export function namesTooMany(view: GraphView, call: Claim, settings: WorkspaceSettings): Note | null {
  const person = locate(view, call.path, call.body)?.personId ?? null;
  if (!hasTooManyPeople(view, call.anonymousId, { person, at: call.receivedAt }, settings.guards))
    return null;
  return guardNote(person, call, 'too_many_people');
}

/** Asked once the call's person exists. */
export function decideClaim(
  view: GraphView,
  personId: PersonId,
  call: Claim,
  settings: WorkspaceSettings,
): ClaimDecision {
  const { anonymousId } = call;
  const identifier = { kind: 'anonymous_id', value: anonymousId } as const;
  const facts: FactDraft[] = [];
  if (settings.guards.people_per_anonymous_id !== null) {
    facts.push({ kind: 'anonymous_named', personId, identifier });
  }
  const owner = view.ownerOf(anonymousId);
  if (owner !== undefined) {
    // A browser identifies the same person on every page: that is no news (spec C.1 row 10).
    if (owner === personId) return { granted: false, reason: null, facts, notes: [] };
    const reason = 'anonymous_id_taken';
    return { granted: false, reason, facts, notes: [guardNote(personId, call, reason)] };
  }
  const reason = whyNot(view, personId, call, settings);
  if (reason === null) {
    facts.push({ kind: 'anonymous_claimed', personId, identifier });
    return { granted: true, reason, facts, notes: [] };
  }
  const notes = reason === 'merge_switched_off' ? [] : [guardNote(personId, call, reason)];
  return { granted: false, reason, facts, notes };
}

/** None of these burns the anonymous id: the next claim may have it. */
function whyNot(
  view: GraphView,
  personId: PersonId,
  call: Claim,
  settings: WorkspaceSettings,
): Reason | null {
  if (!settings.anonymous_event_merge) return 'merge_switched_off';
  if (isIllegalAnonymousId(call.anonymousId, settings.guards)) return 'identifier_illegal';
  if (namesItself(call.anonymousId, [call.path, ...call.body], settings.guards)) return 'identifier_illegal';
  const person = view.person(personId);
  if (person !== undefined && hasTooManyAnonymousIds(view, person, call.receivedAt, settings.guards)) {
    return 'too_many_anonymous_ids';
  }
  return null;
}

function guardNote(personId: PersonId | null, { anonymousId }: Claim, reason: Reason): Note {
  return {
    kind: 'Failed Attribute Change',
    personId,
    detail: { attribute: 'anonymous_id', value: anonymousId, reason },
  };
}
