/**
 * The names by which a request and a control call can be about the same person: their identifiers, and for a lane's
 * request also the other identifiers of the people whom it names today, or that were blocked together. Pure.
 */
import type { Identifier } from '../../../schemas/lanes.ts';
import { membershipIn } from '../../../schemas/membership.ts';
import type { IdentityRequest } from '../../../schemas/records.ts';
import { callOf, identifierIn } from '../decide/call.ts';
import { splitCallOf } from '../decide/decide-split.ts';
import type { GraphView } from '../graph/graph.ts';

/** Names of a control call: what it says, whoever that is when its turn comes. */
export function namesOfControl(request: IdentityRequest): readonly string[] {
  if (request.kind === 'membership') {
    const { kind, values } = membershipIn(request.detail);
    return values.map((value) => nameOf(request, { kind, value }));
  }
  const path = identifierIn(request.identifier_kind, request.identifier);
  const other = identifierIn(request.other_kind, request.other);
  const names = [path, other].filter((each) => each !== null).map((each) => nameOf(request, each));
  if (request.kind !== 'split' || path === null) return names;
  const { anonymousIds, identifiers, into } = splitCallOf(path, request.detail);
  for (const identifier of into === null ? identifiers : [...identifiers, into]) {
    names.push(nameOf(request, identifier));
  }
  return [...names, ...anonymousIds.map((each) => anonymousName(request, each))];
}

/**
 * Names of a claim or resolve. A delete by email must hold back an identify by the id of the same person, so the people
 * named are looked up, and all that they are called counts.
 */
export function namesOfCall(view: GraphView, request: IdentityRequest): readonly string[] {
  const call = callOf(request);
  const identifiers = call === null ? [] : [call.path, ...call.body];
  const { anonymous_id: anonymousId } = request;
  const owner = anonymousId === null ? undefined : view.ownerOf(anonymousId);
  if (owner !== undefined) identifiers.push({ kind: 'cio_id', value: owner }); // a linked lane's event may name nobody
  const names = new Set<string>();
  for (const identifier of identifiers) {
    names.add(nameOf(request, identifier));
    // An unsuppress of one identifier frees what was blocked with it.
    for (const blocked of view.suppressedWith(identifier)) names.add(nameOf(request, blocked));
    const person = view.find(identifier);
    if (person === undefined) continue;
    names.add(nameOf(request, { kind: 'cio_id', value: person.personId }));
    if (person.id !== null) names.add(nameOf(request, { kind: 'id', value: person.id }));
    if (person.email !== null) names.add(nameOf(request, { kind: 'email', value: person.email }));
  }
  if (anonymousId !== null) names.add(anonymousName(request, anonymousId));
  return [...names];
}

function nameOf({ workspace }: IdentityRequest, { kind, value }: Identifier): string {
  return `${workspace}/${kind}/${value}`;
}

function anonymousName({ workspace }: IdentityRequest, anonymousId: string): string {
  return `${workspace}/anonymous_id/${anonymousId}`;
}
