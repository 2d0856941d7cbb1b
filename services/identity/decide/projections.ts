/** What others are told of a fact: news for the lanes, records of people's streams, people, activities. Pure. */
import { identityDecision } from '../../../schemas/identity-decision.ts';
import { mergedEvent } from '../../../schemas/merged-event.ts';
import type { IdentityDecision, IdentityFact, MergedEvent, PersonChange } from '../../../schemas/records.ts';
import type { Person } from '../graph/graph-rows.ts';

/** News that goes to every partition of identity.decisions, so that no lane keeps a dead link. */
export function newsOf(fact: IdentityFact): IdentityDecision | null {
  switch (fact.kind) {
    case 'person_absorbed':
      return news(fact, { kind: 'absorbed', other_person_id: fact.other_person_id });
    case 'person_deleted':
      return news(fact, { kind: 'deleted' });
    case 'person_split': // the fact is about the person who gets, the news about the one who loses
      return news(fact, {
        kind: 'split',
        person_id: fact.other_person_id,
        other_person_id: fact.person_id,
      });
    case 'identifier_added': // one that was replaced names nobody now: lanes that remember it ask again
      return fact.detail === null ? null : news(fact, { kind: 'split', detail: splitOff(fact.detail) });
    case 'identifier_suppressed':
      return news(fact, { ...identifierOf(fact), kind: 'suppressed' });
    case 'identifier_unsuppressed':
      return news(fact, { ...identifierOf(fact), kind: 'unsuppressed' });
    default:
      return null;
  }
}

/** Made only for the few facts that are news: most are claims, and this was the dearest part of deciding one. */
function news(
  { workspace, person_id, number: fact_number, detail }: IdentityFact,
  told: Partial<IdentityDecision> & Pick<IdentityDecision, 'kind'>,
): IdentityDecision {
  return identityDecision({ workspace, person_id, fact_number, detail, ...told });
}

/** News that a control call is decided or will never come: what lanes know of people counts again. */
export function controlEnded(workspace: string, number: number): IdentityDecision {
  return identityDecision({ kind: 'control_ended', workspace, request_number: number });
}

/** What a record says of the identifiers that a person has. */
export type Known = Pick<MergedEvent, 'known_as_of' | 'known_id' | 'known_email'>;
export const nothingKnown: Known = { known_as_of: null, known_id: null, known_email: null };
export function knownOf(person: Person | undefined): Known {
  if (person === undefined) return nothingKnown;
  return { known_as_of: person.version, known_id: person.id, known_email: person.email };
}

/**
 * Records of people's streams, each for the person that it names. Of a split they are written once the moves that
 * follow the fact have been made, so that they say what each of the two has now.
 */
export function mergedOf(
  fact: IdentityFact,
  personOf: (personId: string) => Person | undefined,
): readonly MergedEvent[] {
  const { person_id: person, other_person_id: other } = fact;
  const record = (
    kind: MergedEvent['kind'],
    personId: string | null,
    otherPersonId: string | null,
  ): MergedEvent =>
    mergedEvent({
      kind,
      workspace: fact.workspace,
      person_id: personId ?? '',
      merged_at: fact.at,
      other_person_id: otherPersonId,
      fact_number: fact.number,
      ...(kind === 'absorb' || kind === 'split' ? knownOf(personOf(personId ?? '')) : nothingKnown),
    });
  if (fact.kind === 'person_absorbed')
    return [record('absorb', other, person), record('absorbed', person, other)];
  if (fact.kind === 'person_split') return [record('split', other, person), record('split', person, other)];
  if (fact.kind === 'person_deleted') return [record('deleted', person, null)];
  return [];
}

/** A person as they are after the facts of a call. */
export function changeOf(workspace: string, person: Person, at: number): PersonChange {
  return {
    aspect: 'graph',
    workspace,
    person_id: person.personId,
    at,
    version: person.version,
    state: person.state,
    absorbed_into: person.absorbedInto,
    id: person.id,
    email: person.email,
    created_at: null,
    first_seen_at: person.firstSeenAt,
    attributes: null,
    relationships: null,
  };
}

/** Lines of the activity log that facts write by themselves; absorbing and deleting have no other witness. */
export function activityOf(
  fact: IdentityFact,
): { kind: string; personId: string | null; detail: object } | null {
  const cause = { ...(fact.detail === null ? {} : (JSON.parse(fact.detail) as object)), fact: fact.number };
  if (fact.kind === 'person_absorbed') {
    const detail = { ...cause, absorbed: fact.person_id };
    return { kind: 'Person Merged', personId: fact.other_person_id, detail };
  }
  if (fact.kind === 'person_deleted')
    return { kind: 'Person Deleted', personId: fact.person_id, detail: cause };
  if (fact.kind === 'identifier_suppressed' || fact.kind === 'identifier_unsuppressed') {
    const kind = fact.kind === 'identifier_suppressed' ? 'Person Suppressed' : 'Person Unsuppressed';
    return {
      kind,
      personId: fact.person_id,
      detail: { attribute: fact.identifier_kind, value: fact.identifier },
    };
  }
  return null;
}

/** Whose record a fact changes. */
export function peopleOf(fact: IdentityFact): readonly string[] {
  if (fact.kind === 'identifier_suppressed' || fact.kind === 'anonymous_named') return [];
  return [fact.other_person_id, fact.person_id].filter((each) => each !== null);
}

/** The identifiers that a fact freed, as a split tells of them. */
function splitOff(detail: string): string {
  const { freed } = JSON.parse(detail) as { freed: unknown }; // written by resolve-person.ts
  return JSON.stringify({ anonymous_ids: [], identifiers: freed, by: null, why: null });
}

function identifierOf(fact: IdentityFact): Pick<IdentityDecision, 'identifier_kind' | 'identifier'> {
  const kind = fact.identifier_kind === 'anonymous_id' ? 'none' : fact.identifier_kind;
  return { identifier_kind: kind, identifier: fact.identifier };
}
