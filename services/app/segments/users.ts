/** Which journeys and segments ask for a segment. Pure. */
import { leavesOf, type Condition } from '../../rules/condition.ts';
import { parseJourney, parseSegment } from '../../rules/parse.ts';
import type { DefinitionsView } from '../../runtime/definitions.ts';

export interface SegmentUsers {
  /** Ids. */
  readonly journeys: readonly string[];
  readonly segments: readonly string[];
}

export function usersOf(
  definitions: Pick<DefinitionsView, 'list'>,
  workspace: string,
  segmentId: string,
): SegmentUsers {
  const asks = (condition: Condition | null): boolean =>
    condition !== null &&
    leavesOf(condition).some((leaf) => leaf.type === 'segment' && leaf.segmentId === segmentId);
  const journeys = definitions.list('journey', workspace).filter(({ body }) => {
    const parsed = parseJourney(body);
    if (!parsed.ok) return false;
    const { trigger, filters } = parsed.value;
    return (trigger.type === 'segment' && trigger.segmentId === segmentId) || asks(filters);
  });
  const segments = definitions.list('segment', workspace).filter(({ body }) => {
    const parsed = parseSegment(body);
    return parsed.ok && parsed.value.type === 'data_driven' && asks(parsed.value.when);
  });
  return { journeys: journeys.map(({ id }) => id), segments: segments.map(({ id }) => id) };
}
