/**
 * Whom a call is about (spec A.1 PUT, C.3). Looks the identifiers up, and says which facts make the graph agree with the
 * call: a person created, identifiers added, two people merged. Pure.
 *
 * - The path identifier decides. Unknown, but a body identifier known whose person lacks one of its kind: that person,
 *   who receives it. Nobody known: a new person, unless the call may only update.
 * - Body identifiers are added where the person has none of the kind. One that is another person's, or would change one
 *   that is set, is a conflict: the call counts all the same (200), the identifier is left out, and an activity says so.
 *   Only a call by cio_id changes what is set; one by id the email, where the workspace says so.
 * - An id and an email of two different people, of whom the one has no email and the other no id, are one person when
 *   the workspace merges automatically: the older profile survives.
 */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier, IdentifierKind } from '../../../schemas/lanes.ts';
import type { Reason } from '../../../schemas/reasons.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import { absorbDraft } from './decide-merge.ts';
import type { GraphView } from '../graph/graph.ts';
import type { Person } from '../graph/graph-rows.ts';
import { hasTooManyMerges, isIllegal } from './guards.ts';
import { failedAttributeChange, type Call, type Conflict, type FactDraft, type Note } from './outcome.ts';

export type Resolution =
  | {
      readonly type: 'person';
      readonly personId: PersonId;
      readonly created: boolean;
      readonly conflicts: readonly Conflict[];
      readonly facts: readonly FactDraft[];
      readonly notes: readonly Note[];
    }
  | { readonly type: 'refused'; readonly reason: Reason; readonly notes: readonly Note[] };

/** A person in the making of a decision: as the graph has them, with what the decision gives them. */
interface Target {
  readonly personId: PersonId;
  readonly created: boolean;
  id: string | null;
  email: string | null;
}

export function resolvePerson(view: GraphView, call: Call, settings: WorkspaceSettings): Resolution {
  const refusal = refusalOf(view, call, settings);
  if (refusal !== null) return refused(call, refusal);
  const conflicts: Conflict[] = [];
  const body = call.body.filter((identifier) => {
    const illegal = isIllegal(identifier, settings.guards);
    if (illegal) conflicts.push({ ...identifier, reason: 'identifier_illegal' });
    return !illegal;
  });
  const facts: FactDraft[] = [];
  const twins = findTwins(view, [call.path, ...body]);
  if (twins !== null && settings.auto_merge && call.path.kind !== 'cio_id') {
    if (hasTooManyMerges(view, call.receivedAt, settings.guards)) {
      const spare = body.find((identifier) => identifier.kind !== call.path.kind);
      if (spare !== undefined) conflicts.push({ ...spare, reason: 'too_many_merges' });
    } else {
      facts.push(absorbDraft(twins.older, twins.newer, 'auto_merge'));
      const { personId } = twins.older;
      const target = { personId, created: false, id: twins.id, email: twins.email };
      addIdentifiers(view, call, { target, body, facts, conflicts, settings });
      return resolved(target, facts, conflicts);
    }
  }
  const target = locateOrCreate(view, call, body, facts);
  if (target === null) return refused(call, 'update_only_nobody');
  addIdentifiers(view, call, { target, body, facts, conflicts, settings });
  return resolved(target, facts, conflicts);
}

/** Whom the call is about as things stand, without creating or merging anybody. */
export function locate(view: GraphView, path: Identifier, body: readonly Identifier[]): Person | undefined {
  const known = view.find(path);
  if (known !== undefined || path.kind === 'cio_id') return known;
  for (const kind of ['cio_id', 'id', 'email'] as const) {
    for (const identifier of body) {
      const person = identifier.kind === kind ? view.find(identifier) : undefined;
      if (person !== undefined && person[path.kind] === null) return person;
    }
  }
  return undefined;
}

function refusalOf(view: GraphView, call: Call, settings: WorkspaceSettings): Reason | null {
  if (isIllegal(call.path, settings.guards)) return 'identifier_illegal';
  if ([call.path, ...call.body].some((identifier) => view.isSuppressed(identifier))) {
    return 'identifier_suppressed';
  }
  if (call.path.kind === 'cio_id' && view.find(call.path) === undefined) return 'unknown_cio_id';
  return null;
}

/** An id and an email of two people who lack just what the other has. */
function findTwins(
  view: GraphView,
  identifiers: readonly Identifier[],
): { older: Person; newer: Person; id: string; email: string } | null {
  const owner = (kind: IdentifierKind): Person | undefined => {
    const identifier = identifiers.find((each) => each.kind === kind);
    return identifier === undefined ? undefined : view.find(identifier);
  };
  const byId = owner('id');
  const byEmail = owner('email');
  if (byId === undefined || byEmail === undefined || byId.personId === byEmail.personId) return null;
  const { id } = byId;
  const { email } = byEmail;
  if (id === null || email === null || byId.email !== null || byEmail.id !== null) return null;
  const [older, newer] = byId.number < byEmail.number ? [byId, byEmail] : [byEmail, byId];
  return { older, newer, id, email };
}

function locateOrCreate(
  view: GraphView,
  { path, updateOnly }: Call,
  body: readonly Identifier[],
  facts: FactDraft[],
): Target | null {
  const found = locate(view, path, body);
  if (found !== undefined) {
    const target = { personId: found.personId, created: false, id: found.id, email: found.email };
    if (path.kind !== 'cio_id' && found[path.kind] === null) giveTo(target, path, facts);
    return target;
  }
  if (updateOnly) return null;
  const personId = view.personIdAfter(facts.length);
  facts.push({ kind: 'person_created', personId });
  const target = { personId, created: true, id: null, email: null };
  giveTo(target, path, facts);
  return target;
}

function addIdentifiers(
  view: GraphView,
  call: Call,
  decision: {
    readonly target: Target;
    readonly body: readonly Identifier[];
    readonly facts: FactDraft[];
    readonly conflicts: Conflict[];
    readonly settings: WorkspaceSettings;
  },
): void {
  const { target, body, facts, conflicts, settings } = decision;
  for (const identifier of body) {
    const { kind, value } = identifier;
    if (conflicts.some((conflict) => conflict.kind === kind && conflict.value === value)) continue;
    if (kind === 'cio_id') {
      if (value === target.personId) continue;
      const reason = view.find(identifier) === undefined ? 'unknown_cio_id' : 'identifier_conflict';
      conflicts.push({ ...identifier, reason });
    } else if (target[kind] !== value) {
      const isFree = view.find(identifier) === undefined;
      const maySet = target[kind] === null || mayChange(kind, call.path.kind, settings);
      if (isFree && maySet) giveTo(target, identifier, facts);
      else conflicts.push({ ...identifier, reason: 'identifier_conflict' });
    }
  }
}

/** An identifier that is set (spec C.3, *identifiers*). */
function mayChange(kind: 'id' | 'email', by: IdentifierKind, settings: WorkspaceSettings): boolean {
  return by === 'cio_id' || (kind === 'email' && by === 'id' && settings.update_email_by_id);
}

/** What it replaces names nobody from then on. */
function giveTo(target: Target, identifier: Identifier, facts: FactDraft[]): void {
  const { kind, value } = identifier;
  if (kind === 'cio_id') return;
  const former = target[kind];
  target[kind] = value;
  const detail = former === null ? {} : { detail: { freed: [{ kind, value: former }] } };
  facts.push({ kind: 'identifier_added', personId: target.personId, identifier, ...detail });
}

function resolved(target: Target, facts: readonly FactDraft[], conflicts: readonly Conflict[]): Resolution {
  const { personId, created } = target;
  const notes = conflicts.map((conflict) => failedAttributeChange(personId, conflict));
  return { type: 'person', personId, created, conflicts, facts, notes };
}

/** A call by an unknown cio_id or for somebody suppressed is ignored, as documented; the lane's row says why. */
function refused({ path }: Call, reason: Reason): Resolution {
  const silent = reason === 'identifier_suppressed' || reason === 'unknown_cio_id';
  return { type: 'refused', reason, notes: silent ? [] : [failedAttributeChange(null, { ...path, reason })] };
}
