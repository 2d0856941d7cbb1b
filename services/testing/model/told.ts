/** What a story is read from: the records of a workspace, and the graph that identity has of it. For the model test, and for the simulator. */
import type { Workspace } from '../../../schemas/ids.ts';
import type { Activity, IdentityFact, MergedEvent } from '../../../schemas/records.ts';
import type { WorkspaceGraph } from '../../identity/graph/graph.ts';

export interface WorldEvent {
  readonly merged: MergedEvent;
  readonly event: NonNullable<MergedEvent['event']>;
}

export interface Told {
  readonly workspace: Workspace;
  readonly merged: readonly WorldEvent[];
  readonly graph: WorkspaceGraph;
  activities(): readonly Activity[];
  /** `key reason message` of each. */
  dropped(): readonly string[];
  personToday(event: WorldEvent): string | null;
}

/**
 * Whose a merged event is in the end; null when deleted. People who absorbed take everything with them, whenever it
 * was sent: a lane may still send by way of the absorbed one. A split takes what goes by an earlier word on the name.
 * @param facts of the workspace, in their order.
 */
export function personAtEnd(facts: readonly IdentityFact[], { merged, event }: WorldEvent): string | null {
  const named = event.identifier_kind !== 'none';
  const kind = named ? event.identifier_kind : 'anonymous_id';
  const name = named ? event.identifier : event.anonymous_id;
  const subject = kind === 'email' ? name?.toLowerCase() : name;
  let current: string | null = merged.person_id;
  let split = 0;
  for (const fact of facts) {
    if (fact.kind === 'person_split') split = fact.number;
    if (fact.kind === 'person_deleted' && fact.person_id === current) return null;
    if (fact.kind === 'person_absorbed' && fact.person_id === current) current = fact.other_person_id;
    const moves = fact.kind === 'anonymous_moved' || fact.kind === 'identifier_moved';
    if (!moves || fact.other_person_id !== current || split <= merged.decided_as_of) continue;
    if (fact.identifier_kind === kind && fact.identifier === subject) current = fact.person_id;
  }
  return current;
}
