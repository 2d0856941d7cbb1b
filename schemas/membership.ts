/**
 * People put into a manual segment or taken out of it, by one call: what the gateway tells identity, which knows who
 * they are, and what identity writes to each one's stream for trigger.
 */
import type { IdentifierKind } from './lanes.ts';

export type MembershipAction = 'add' | 'remove';

/** The detail of a request of kind `membership`. */
export interface MembershipCall {
  readonly segment_id: string;
  readonly action: MembershipAction;
  /** Of all values. */
  readonly kind: IdentifierKind;
  /** In their canonical form, each once; at most membershipIdsMax (http/limits.ts). */
  readonly values: readonly string[];
}

export function membershipText({ segment_id, action, kind, values }: MembershipCall): string {
  return JSON.stringify({ segment_id, action, kind, values });
}

export function membershipIn(text: string | null): MembershipCall {
  if (text === null) throw new RangeError('a membership request says who is meant');
  return JSON.parse(text) as MembershipCall; // written by membershipText
}

/** The properties of an event of type `membership`; the segment is its name. */
export function membershipProperties(action: MembershipAction): string {
  return JSON.stringify({ action });
}
