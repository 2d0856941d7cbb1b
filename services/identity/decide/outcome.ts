/** What a decision brings: facts that change the graph, and lines that say what happened. Plain data. */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import type { Reason } from '../../../schemas/reasons.ts';
import type { IdentityFact } from '../../../schemas/records.ts';

export type FactKind = Exclude<IdentityFact['kind'], 'unknown'>;

/** A fact without its number, its time and the call behind it: the recorder adds those. */
export interface FactDraft {
  readonly kind: FactKind;
  readonly personId: PersonId | null;
  readonly otherPersonId?: PersonId;
  readonly identifier?: { readonly kind: IdentityFact['identifier_kind']; readonly value: string };
  readonly detail?: object;
}

/** A line of the activity log. */
export interface Note {
  readonly kind: string;
  readonly personId: PersonId | null;
  readonly detail: object;
}

/** A row of `dropped`: a control call that did nothing. (Calls behind a lane's request are dropped by the lane.) */
export interface Drop {
  readonly reason: Reason;
  readonly personId: PersonId | null;
  readonly detail: object;
}

export interface Outcome {
  readonly facts: readonly FactDraft[];
  readonly notes: readonly Note[];
  readonly drops: readonly Drop[];
}

/** An identifier that a call carries and that its person could not be given. */
export interface Conflict extends Identifier {
  readonly reason: Reason;
}

/** What identity is asked about a visitor or a person by a lane. Identifiers are canonical. */
export interface Call {
  /** The identifier that decides whom the call is about. */
  readonly path: Identifier;
  /** Further identifiers that it carries; none equals the path. */
  readonly body: readonly Identifier[];
  readonly updateOnly: boolean;
  /** The visitor behind it, whether or not the call claims it. */
  readonly anonymousId: string | null;
  readonly receivedAt: number;
}

export function failedAttributeChange(personId: PersonId | null, conflict: Conflict): Note {
  const { kind, value, reason } = conflict;
  return { kind: 'Failed Attribute Change', personId, detail: { attribute: kind, value, reason } };
}
