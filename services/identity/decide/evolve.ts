/** The fold: what a fact changes in the graph. The graph is this and nothing else, from the first fact to the last. */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import type { IdentityFact } from '../../../schemas/records.ts';
import { assert, unreachable } from '../../runtime/errors.ts';
import { copyOf, type GraphRows, type Person } from '../graph/graph-rows.ts';
import { mergeTimesMax } from '../graph/graph.ts';

/** People remembered for an anonymous id; the guard's limit cannot be larger. */
export const namedPeopleMax = 100;

/** Applies the next fact of the workspace. Facts come in order, each once. */
export function evolve(rows: GraphRows, fact: IdentityFact): void {
  const counters = rows.counters();
  assert(fact.number === counters.facts + 1, `fact ${String(fact.number)} follows ${String(counters.facts)}`);
  const merged = fact.kind === 'person_absorbed';
  if (merged) rows.putMergeTime(counters.merges % mergeTimesMax, fact.at);
  rows.putCounters({ facts: fact.number, merges: counters.merges + (merged ? 1 : 0) });
  change(rows, fact);
}

function change(rows: GraphRows, fact: IdentityFact): void {
  switch (fact.kind) {
    case 'person_created':
      create(rows, fact);
      break;
    case 'identifier_added':
      give(rows, personOf(rows, fact), identifierOf(fact), fact.number);
      break;
    case 'anonymous_claimed':
      claim(rows, personOf(rows, fact), fact);
      break;
    case 'person_absorbed':
      absorb(rows, personOf(rows, fact), otherOf(rows, fact), fact.number);
      break;
    case 'person_deleted':
      remove(rows, personOf(rows, fact), fact.number);
      break;
    case 'identifier_suppressed':
      suppress(rows, fact);
      break;
    case 'identifier_unsuppressed':
      rows.deleteSuppression(identifierOf(fact));
      break;
    case 'anonymous_moved':
      moveAnonymous(rows, personOf(rows, fact), fact);
      break;
    case 'identifier_moved':
      take(rows, otherOf(rows, fact), identifierOf(fact).kind, fact.number);
      give(rows, personOf(rows, fact), identifierOf(fact), fact.number);
      break;
    case 'anonymous_named':
      name(rows, fact);
      break;
    case 'person_split': // says who and why; the moves that follow it change the graph
      putChanged(rows, otherOf(rows, fact), fact.number);
      break;
    case 'unknown':
      assert(false, `fact ${String(fact.number)} is of a kind that this version does not know`);
      break;
    default:
      unreachable(fact.kind);
  }
}

function create(rows: GraphRows, fact: IdentityFact): void {
  const personId = personIdIn(fact);
  assert(rows.person(personId) === undefined, 'a person is created once');
  rows.putPerson({
    personId,
    number: fact.number,
    id: null,
    email: null,
    firstSeenAt: fact.at,
    claims: 0,
    state: 'alive',
    absorbedInto: null,
    version: fact.number,
    suppressed: undefined,
  });
}

/** Sets a person's id or email. A former one of the kind becomes free. */
function give(rows: GraphRows, person: Person, identifier: Identifier, version: number): void {
  const { kind } = identifier;
  assert(kind !== 'cio_id', 'a cio_id is never given');
  assert(person.state === 'alive', 'only the living are given identifiers');
  assert(rows.owner(identifier) === undefined, `the ${kind} was free`);
  if (person[kind] !== null) rows.deleteOwner({ kind, value: person[kind] });
  rows.putOwner(identifier, person.personId);
  putNamed(rows, person, { kind, value: identifier.value, version });
}

interface Naming {
  readonly kind: 'id' | 'email';
  readonly value: string | null;
  readonly version: number;
}

function putNamed(rows: GraphRows, person: Person, { kind, value, version }: Naming): void {
  const named = copyOf(person);
  named[kind] = value;
  named.version = version;
  rows.putPerson(named);
}

function putChanged(rows: GraphRows, person: Person, version: number): void {
  const changed = copyOf(person);
  changed.version = version;
  rows.putPerson(changed);
}

function take(rows: GraphRows, person: Person, kind: Identifier['kind'], version: number): void {
  assert(kind !== 'cio_id' && person[kind] !== null, 'only a set id or email is taken away');
  rows.deleteOwner({ kind, value: person[kind] });
  putNamed(rows, person, { kind, value: null, version });
}

function claim(rows: GraphRows, person: Person, fact: IdentityFact): void {
  const anonymousId = anonymousIdOf(fact);
  assert(rows.claimant(anonymousId) === undefined, 'an anonymous id is claimed once');
  rows.putClaimant(anonymousId, person.personId);
  rows.putClaimTime(person.personId, person.claims, fact.at);
  const claimed = copyOf(person);
  claimed.claims += 1;
  claimed.version = fact.number;
  rows.putPerson(claimed);
}

function moveAnonymous(rows: GraphRows, person: Person, fact: IdentityFact): void {
  const anonymousId = anonymousIdOf(fact);
  assert(rows.claimant(anonymousId) !== undefined, 'only a claimed anonymous id moves');
  rows.putClaimant(anonymousId, person.personId);
  putChanged(rows, person, fact.number);
}

/** The survivor's own identifiers win; those it lacks it gets from the absorbed person; what is left over is free. */
function absorb(rows: GraphRows, absorbed: Person, survivor: Person, version: number): void {
  assert(absorbed.state === 'alive' && survivor.state === 'alive', 'only living people merge');
  assert(absorbed.personId !== survivor.personId, 'nobody absorbs themselves');
  for (const kind of ['id', 'email'] as const) {
    const value = absorbed[kind];
    if (value === null) continue;
    if (survivor[kind] === null) rows.putOwner({ kind, value }, survivor.personId);
    else rows.deleteOwner({ kind, value });
  }
  rows.putPerson({
    ...survivor,
    id: survivor.id ?? absorbed.id,
    email: survivor.email ?? absorbed.email,
    firstSeenAt: Math.min(survivor.firstSeenAt, absorbed.firstSeenAt),
    version,
  });
  const absorbedInto = survivor.personId;
  rows.putPerson({ ...absorbed, id: null, email: null, state: 'absorbed', absorbedInto, version });
}

/** Frees the identifiers. Anonymous ids stay claimed by the deleted person: burned for ever. */
function remove(rows: GraphRows, person: Person, version: number): void {
  assert(person.state === 'alive', 'only the living are deleted');
  for (const kind of ['id', 'email'] as const) {
    const value = person[kind];
    if (value !== null) rows.deleteOwner({ kind, value });
  }
  rows.putPerson({ ...person, id: null, email: null, state: 'deleted', version });
}

function suppress(rows: GraphRows, fact: IdentityFact): void {
  const identifier = identifierOf(fact);
  assert(rows.owner(identifier) === undefined, 'a suppressed identifier is nobody’s');
  const person = fact.person_id === null ? undefined : rows.person(fact.person_id);
  rows.putSuppression(identifier, person?.personId ?? null);
  if (person !== undefined) {
    rows.putPerson({ ...person, suppressed: [...(person.suppressed ?? []), identifier] });
  }
}

function name(rows: GraphRows, fact: IdentityFact): void {
  const anonymousId = anonymousIdOf(fact);
  const personId = personIdIn(fact);
  const others = rows.namedPeople(anonymousId).filter((named) => named.personId !== personId);
  rows.putNamedPeople(anonymousId, [...others, { personId, at: fact.at }].slice(-namedPeopleMax));
}

function personIdIn(fact: IdentityFact): PersonId {
  assert(fact.person_id !== null, `a fact ${fact.kind} names a person`);
  return fact.person_id as PersonId; // written by personIdOf
}

function personOf(rows: GraphRows, fact: IdentityFact): Person {
  return existing(rows, personIdIn(fact));
}

function otherOf(rows: GraphRows, fact: IdentityFact): Person {
  assert(fact.other_person_id !== null, `a fact ${fact.kind} names two people`);
  return existing(rows, fact.other_person_id);
}

function existing(rows: GraphRows, personId: string): Person {
  const person = rows.person(personId);
  assert(person !== undefined, `a fact is about somebody who exists: ${personId}`);
  return person;
}

function identifierOf(fact: IdentityFact): Identifier {
  const { identifier_kind: kind, identifier: value } = fact;
  assert(
    value !== null && (kind === 'id' || kind === 'email'),
    `a fact ${fact.kind} names an id or an email`,
  );
  return { kind, value };
}

function anonymousIdOf(fact: IdentityFact): string {
  assert(
    fact.identifier !== null && fact.identifier_kind === 'anonymous_id',
    `a fact ${fact.kind} names an anonymous id`,
  );
  return fact.identifier;
}
