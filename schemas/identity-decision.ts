/** The one maker of records for identity.decisions: fields that a kind of decision does not use are as the schema says. */
import type { IdentityDecision } from './records.ts';

type Named = Pick<IdentityDecision, 'kind' | 'workspace'>;
/** Absent and undefined are the same. */
type Told = { readonly [Field in keyof IdentityDecision]?: IdentityDecision[Field] | undefined };

/** Field by field, as in identity-request.ts: every answer to a lane is made here. */
export function identityDecision(fields: Named & Told): IdentityDecision {
  return {
    kind: fields.kind,
    workspace: fields.workspace,
    lane: fields.lane ?? null,
    request_number: fields.request_number ?? 0,
    person_id: fields.person_id ?? null,
    other_person_id: fields.other_person_id ?? null,
    claimed_at: fields.claimed_at ?? null,
    person_created: fields.person_created ?? false,
    identifier_kind: fields.identifier_kind ?? 'none',
    identifier: fields.identifier ?? null,
    reason: fields.reason ?? null,
    fact_number: fields.fact_number ?? null,
    detail: fields.detail ?? null,
    known_as_of: fields.known_as_of ?? null,
    known_id: fields.known_id ?? null,
    known_email: fields.known_email ?? null,
  };
}
