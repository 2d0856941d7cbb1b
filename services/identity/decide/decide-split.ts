/**
 * Taking a mistaken merge apart: named anonymous ids and identifiers of a person go to a new or another person. Nobody's
 * name is guessed: what is not the person's stays where it is, and the activity says so. Pure.
 */
import type { PersonId } from '../../../schemas/ids.ts';
import { canonicalIdentifier, identifierByShape, type Identifier } from '../../../schemas/lanes.ts';
import type { Reason } from '../../../schemas/reasons.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import type { GraphView } from '../graph/graph.ts';
import type { Person } from '../graph/graph-rows.ts';
import { isIllegal } from './guards.ts';
import type { FactDraft, Outcome } from './outcome.ts';

/** Anonymous ids and identifiers that one call may move. */
export const splitNamesMax = 10_000;

export interface SplitCall {
  readonly from: Identifier;
  readonly anonymousIds: readonly string[];
  readonly identifiers: readonly Identifier[];
  /** Null: a new person. */
  readonly into: Identifier | null;
  readonly by: string | null;
  readonly why: string | null;
}

/** Reads the detail of a split request: {anonymous_ids, identifiers, into, by, why}; identifiers as text or {kind, value}. */
export function splitCallOf(from: Identifier, detail: string | null): SplitCall {
  const fields = object(detail === null ? {} : parsed(detail));
  const list = (value: unknown): readonly unknown[] =>
    Array.isArray(value) ? (value as readonly unknown[]).slice(0, splitNamesMax) : [];
  return {
    from,
    anonymousIds: [...new Set(list(fields['anonymous_ids']).filter((each) => typeof each === 'string'))],
    identifiers: list(fields['identifiers'])
      .map(identifierFrom)
      .filter((each) => each !== null),
    into: identifierFrom(fields['into']),
    by: text(fields['by']),
    why: text(fields['why']),
  };
}

export function decideSplit(view: GraphView, call: SplitCall, settings: WorkspaceSettings): Outcome {
  const from = view.find(call.from);
  if (from === undefined) return nothing(call, 'person_unknown', null);
  const { identifiers, anonymousIds } = theirs(view, call, from);
  if (identifiers.length + anonymousIds.length === 0) return nothing(call, 'person_unknown', from.personId);
  const target = targetOf(view, call, from, settings);
  if (target === null || target.personId === from.personId) {
    return nothing(call, target === null ? 'identifier_illegal' : 'merge_same_person', from.personId);
  }
  const movable = identifiers.filter(({ kind }) => kind !== 'cio_id' && target.has[kind] === null);
  if (movable.length + anonymousIds.length === 0) return nothing(call, 'identifier_conflict', from.personId);
  const detail = { anonymous_ids: anonymousIds, identifiers: movable, by: call.by, why: call.why };
  const people = { personId: target.personId, otherPersonId: from.personId };
  const facts: FactDraft[] = [
    ...target.facts,
    { kind: 'person_split', ...people, detail },
    ...movable.map((identifier): FactDraft => ({ kind: 'identifier_moved', ...people, identifier })),
    ...anonymousIds.map((value): FactDraft => ({
      kind: 'anonymous_moved',
      ...people,
      identifier: { kind: 'anonymous_id', value },
    })),
  ];
  const left = leftOut(call, movable, anonymousIds);
  const note = { from: from.personId, into: target.personId, ...detail, not_moved: left, rules: 'cleared' };
  const notes = [from.personId, target.personId].map((personId) => ({
    kind: 'Person Split',
    personId,
    detail: note,
  }));
  return { facts, notes, drops: [] };
}

/** What the call names and the person has; one identifier a kind. */
function theirs(
  view: GraphView,
  call: SplitCall,
  from: Person,
): { identifiers: Identifier[]; anonymousIds: string[] } {
  const identifiers = (['id', 'email'] as const)
    .map((kind) => ({ kind, value: from[kind] }))
    .filter((own): own is { kind: 'id' | 'email'; value: string } =>
      call.identifiers.some(({ kind, value }) => kind === own.kind && value === own.value),
    );
  const anonymousIds = call.anonymousIds.filter((each) => view.ownerOf(each) === from.personId);
  return { identifiers, anonymousIds };
}

interface SplitTarget {
  readonly personId: PersonId;
  readonly facts: readonly FactDraft[];
  readonly has: Record<'id' | 'email', string | null>;
}

/** Null when the call names somebody who cannot be. */
function targetOf(
  view: GraphView,
  { into, identifiers }: SplitCall,
  from: Person,
  settings: WorkspaceSettings,
): SplitTarget | null {
  const known = into === null ? undefined : view.find(into);
  // Into an identifier that is itself split off: its person is yet to be made.
  const own =
    known?.personId === from.personId &&
    identifiers.some(({ kind, value }) => kind === into?.kind && value === into.value);
  if (known !== undefined && !own) {
    return { personId: known.personId, facts: [], has: { id: known.id, email: known.email } };
  }
  const personId = view.personIdAfter(0);
  const created: FactDraft = { kind: 'person_created', personId };
  const has: SplitTarget['has'] = { id: null, email: null };
  if (into === null || own) return { personId, facts: [created], has };
  if (into.kind === 'cio_id' || view.isSuppressed(into) || isIllegal(into, settings.guards)) return null;
  has[into.kind] = into.value;
  return { personId, facts: [created, { kind: 'identifier_added', personId, identifier: into }], has };
}

function leftOut(call: SplitCall, moved: readonly Identifier[], anonymousIds: readonly string[]): object {
  const went = new Set(anonymousIds);
  return {
    anonymous_ids: call.anonymousIds.filter((each) => !went.has(each)),
    identifiers: call.identifiers.filter(
      ({ kind, value }) => !moved.some((each) => each.kind === kind && each.value === value),
    ),
  };
}

function nothing(call: SplitCall, reason: Reason, personId: PersonId | null): Outcome {
  const detail = { call: 'split', from: call.from, into: call.into, by: call.by, why: call.why };
  return {
    facts: [],
    notes: [{ kind: 'Failed Split', personId, detail: { ...detail, reason } }],
    drops: [{ reason, personId, detail }],
  };
}

function identifierFrom(value: unknown): Identifier | null {
  if (typeof value === 'string' && value !== '') return canonicalIdentifier(identifierByShape(value));
  const { kind, value: name } = object(value);
  if (typeof name !== 'string' || name === '') return null;
  return kind === 'id' || kind === 'email' || kind === 'cio_id'
    ? canonicalIdentifier({ kind, value: name })
    : null;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return {};
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
