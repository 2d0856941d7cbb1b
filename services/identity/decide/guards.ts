/**
 * What a workspace may refuse so that strangers do not become one person (spec C.1 row 20, E rows 99, 103). The limits
 * are off unless set; placeholders that client code sends by mistake are refused unless allowed.
 */
import type { PersonId } from '../../../schemas/ids.ts';
import { canonicalEmail, isEmailShaped } from '../../../schemas/identifiers.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { isPlaceholder } from '../../../schemas/placeholders.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import { namedPeopleMax } from './evolve.ts';
import { mergeTimesMax, type GraphView } from '../graph/graph.ts';
import type { Person } from '../graph/graph-rows.ts';
import { identifierPatterns } from './identifier-patterns.ts';

type Guards = WorkspaceSettings['guards'];

const MINUTE_MS = 60_000;

const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/u;

/** The identifier cannot name a person. */
export function isIllegal({ kind, value }: Identifier, guards: Guards): boolean {
  if (value.trim() === '') return true;
  if (kind === 'cio_id') return false; // ours: it names somebody, or is refused as unknown
  if (kind === 'email' && !isEmailShaped(value)) return true; // a shared `n/a` must not merge strangers
  if (guards.illegal_identifiers && (isPlaceholder(value) || CONTROL_CHARACTER.test(value))) return true;
  return identifierPatterns(guards.illegal_patterns).some((pattern) => pattern.test(value));
}

/** A placeholder for an anonymous id would make strangers' pasts one person's. */
export function isIllegalAnonymousId(anonymousId: string, guards: Guards): boolean {
  return anonymousId.trim() === '' || (guards.illegal_identifiers && isPlaceholder(anonymousId));
}

/**
 * A client that gives the person's name for the visitor's, or the visitor's for the person's: nobody can tell which of
 * the two it is, so the person counts and nothing is claimed.
 */
export function namesItself(
  anonymousId: string,
  identifiers: readonly Identifier[],
  guards: Guards,
): boolean {
  if (!guards.illegal_identifiers) return false;
  return identifiers.some(({ kind, value }) =>
    kind === 'email' ? value === canonicalEmail(anonymousId) : value === anonymousId,
  );
}

/** The person has claimed as many anonymous ids in the window as the workspace allows. */
export function hasTooManyAnonymousIds(view: GraphView, person: Person, at: number, guards: Guards): boolean {
  const limit = guards.anonymous_ids_per_person;
  if (limit === null) return false;
  if (limit.at_most <= 0) return true;
  const time = view.claimTimeBack(person, limit.at_most);
  return time !== undefined && time > at - limit.within_ms;
}

/** Identify calls of the anonymous id have named as many other people in the window as the workspace allows. */
export function hasTooManyPeople(
  view: GraphView,
  anonymousId: string,
  call: { readonly person: PersonId | null; readonly at: number },
  guards: Guards,
): boolean {
  const limit = guards.people_per_anonymous_id;
  if (limit === null) return false;
  const recent = view.namedPeople(anonymousId).filter((named) => named.at > call.at - limit.within_ms);
  // Two who were merged since are one: neither is the other's stranger.
  const people = new Set(recent.map((named) => view.survivor(named.personId)));
  if (call.person !== null && people.has(call.person)) return false;
  return people.size >= Math.min(limit.at_most, namedPeopleMax);
}

/** The workspace has merged as many people in the last minute as it allows. */
export function hasTooManyMerges(view: GraphView, at: number, guards: Guards): boolean {
  if (guards.merges_per_minute === null) return false;
  const limit = Math.min(guards.merges_per_minute, mergeTimesMax);
  if (limit <= 0) return true;
  const time = view.mergeTimeBack(limit);
  return time !== undefined && time > at - MINUTE_MS;
}
