/** What a segment or a journey refers to, looked up among the definitions that are stored. */
import type { Fault } from '../../schemas/http/app.ts';
import type { Journey, Segment } from '../rules/condition.ts';
import {
  journeyReferenceFaults,
  journeyReferences,
  segmentReferenceFaults,
  segmentReferences,
  type KnownSegments,
  type User,
} from '../rules/references.ts';
import type { DefinitionsStore } from './ports.ts';
import { storedJourney, storedSegment } from './stored-rules.ts';

type Stored = Pick<DefinitionsStore, 'get' | 'list'>;

export function segmentFaults(
  stored: Stored,
  workspace: string,
  id: string,
  segment: Segment,
): readonly Fault[] {
  return segmentReferenceFaults(id, segment, knownIn(stored, workspace));
}

export function journeyFaults(stored: Stored, workspace: string, journey: Journey): readonly Fault[] {
  return journeyReferenceFaults(journey, knownIn(stored, workspace));
}

function knownIn(stored: Stored, workspace: string): KnownSegments {
  return {
    segment(id) {
      const body = stored.get('segment', workspace, id)?.body;
      if (typeof body !== 'object' || body === null) return undefined;
      // Of an earlier version and not readable: it is there, and refers to nothing that can be followed.
      return storedSegment(body) ?? { type: 'manual', name: id, description: null };
    },
    ids: () => stored.list('segment', workspace).map(({ id }) => id),
    users: () => usersIn(stored, workspace),
  };
}

function* usersIn(stored: Stored, workspace: string): Generator<User> {
  for (const { id, body } of stored.list('segment', workspace)) {
    const segment = storedSegment(body);
    const references = segment === undefined ? [] : segmentReferences(segment);
    if (references.length > 0) yield { name: `segment ${id}`, references };
  }
  for (const { id, body } of stored.list('journey', workspace)) {
    const journey = storedJourney(body);
    const references = journey === undefined ? [] : journeyReferences(journey);
    if (references.length > 0) yield { name: `journey ${id}`, references };
  }
}
