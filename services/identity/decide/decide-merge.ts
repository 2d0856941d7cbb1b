/** Merging one person into another on request (spec C.3): the primary stays, the secondary is absorbed. Pure. */
import type { Identifier } from '../../../schemas/lanes.ts';
import type { Reason } from '../../../schemas/reasons.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import type { GraphView } from '../graph/graph.ts';
import type { Person } from '../graph/graph-rows.ts';
import { hasTooManyMerges } from './guards.ts';
import type { FactDraft, Outcome } from './outcome.ts';

export interface MergeCall {
  readonly primary: Identifier;
  readonly secondary: Identifier;
  readonly receivedAt: number;
  /** Sent beside the claim of an alias, whose previous id may be a person's or only a visitor's (spec C.1 row 21). */
  readonly alias?: boolean;
}

export function decideMerge(view: GraphView, call: MergeCall, settings: WorkspaceSettings): Outcome {
  const primary = view.find(call.primary);
  const secondary = view.find(call.secondary);
  if (primary === undefined) return nothing(call, 'merge_unknown_person', secondary);
  if (secondary === undefined) return nothing(call, 'merge_unknown_person', primary);
  if (primary.personId === secondary.personId) return nothing(call, 'merge_same_person', primary);
  if (hasTooManyMerges(view, call.receivedAt, settings.guards)) {
    return nothing(call, 'too_many_merges', primary);
  }
  return { facts: [absorbDraft(primary, secondary, 'merge')], notes: [], drops: [] };
}

/** The secondary's identifiers fill the primary's gaps; the others become free, as the secondary is no more. */
export function absorbDraft(primary: Person, secondary: Person, cause: 'merge' | 'auto_merge'): FactDraft {
  const moved: Identifier[] = [];
  const freed: Identifier[] = [];
  for (const kind of ['id', 'email'] as const) {
    const value = secondary[kind];
    if (value !== null) (primary[kind] === null ? moved : freed).push({ kind, value });
  }
  return {
    kind: 'person_absorbed',
    personId: secondary.personId,
    otherPersonId: primary.personId,
    detail: { cause, moved, freed },
  };
}

function nothing(
  { primary, secondary, alias }: MergeCall,
  reason: Reason,
  person: Person | undefined,
): Outcome {
  // The previous id was a visitor's, or its claim made both sides one: the alias did what it was for.
  if (alias === true && reason !== 'too_many_merges') return { facts: [], notes: [], drops: [] };
  const detail = { call: 'merge', primary, secondary };
  const personId = person?.personId ?? null;
  return {
    facts: [],
    notes: [{ kind: 'Failed Merge', personId, detail: { ...detail, reason } }],
    drops: [{ reason, personId, detail }],
  };
}
