/** Which journeys and segments ask for a segment. Pure. */
import { journeyReferences, segmentReferences } from '../../rules/references.ts';
import type { DefinitionsView } from '../../runtime/definitions.ts';
import { storedJourney, storedSegment } from '../stored-rules.ts';

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
  const journeys = definitions.list('journey', workspace).filter(({ body }) => {
    const journey = storedJourney(body);
    return journey !== undefined && journeyReferences(journey).includes(segmentId);
  });
  const segments = definitions.list('segment', workspace).filter(({ body }) => {
    const segment = storedSegment(body);
    return segment !== undefined && segmentReferences(segment).includes(segmentId);
  });
  return { journeys: journeys.map(({ id }) => id), segments: segments.map(({ id }) => id) };
}
