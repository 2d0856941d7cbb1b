/** Delete, suppress and unsuppress (spec A.1, C.1 rows 24 and 25). Pure. */
import type { Identifier } from '../../../schemas/lanes.ts';
import type { GraphView } from '../graph/graph.ts';
import type { Person } from '../graph/graph-rows.ts';
import type { FactDraft, Outcome } from './outcome.ts';

/** The profile goes and its identifiers become free; its anonymous ids stay burned. */
export function decideDelete(view: GraphView, identifier: Identifier): Outcome {
  const person = view.find(identifier);
  if (person === undefined) return nobody('delete', identifier);
  return { facts: [deletion(person, 'delete')], notes: [], drops: [] };
}

/** The profile goes, and its id and email, or the identifier of nobody, name nobody until unsuppressed. */
export function decideSuppress(view: GraphView, identifier: Identifier): Outcome {
  const person = view.find(identifier);
  if (person === undefined && identifier.kind === 'cio_id') return nobody('suppress', identifier);
  if (view.isSuppressed(identifier)) return { facts: [], notes: [], drops: [] };
  const blocked = person === undefined ? [identifier] : identifiersOf(person);
  const personId = person?.personId ?? null;
  const facts: FactDraft[] = blocked.map((each) => ({
    kind: 'identifier_suppressed',
    personId,
    identifier: each,
  }));
  if (person !== undefined) facts.unshift(deletion(person, 'suppress'));
  return { facts, notes: [], drops: [] };
}

/** Frees what was blocked together. Nothing that was deleted comes back. */
export function decideUnsuppress(view: GraphView, identifier: Identifier): Outcome {
  const facts = view.suppressedWith(identifier).map((each): FactDraft => ({
    kind: 'identifier_unsuppressed',
    personId: null,
    identifier: each,
  }));
  return { facts, notes: [], drops: [] };
}

function deletion(person: Person, cause: 'delete' | 'suppress'): FactDraft {
  const detail = { cause, freed: cause === 'delete' ? identifiersOf(person) : [] };
  return { kind: 'person_deleted', personId: person.personId, detail };
}

function identifiersOf(person: Person): Identifier[] {
  const found: Identifier[] = [];
  if (person.id !== null) found.push({ kind: 'id', value: person.id });
  if (person.email !== null) found.push({ kind: 'email', value: person.email });
  return found;
}

function nobody(call: string, identifier: Identifier): Outcome {
  const reason = identifier.kind === 'cio_id' ? 'unknown_cio_id' : 'person_unknown';
  return { facts: [], notes: [], drops: [{ reason, personId: null, detail: { call, identifier } }] };
}
