/** What a segment or a journey refers to, looked up among the definitions that are stored. */
import type { Fault } from '../../schemas/http/app.ts';
import type { Journey, Segment } from '../rules/condition.ts';
import { StoredPatterns } from '../rules/definition-patterns.ts';
import { parseSegment } from '../rules/parse.ts';
import { journeyReferenceFaults, segmentReferenceFaults, type KnownSegments } from '../rules/references.ts';
import type { DefinitionsStore } from './ports.ts';

type Stored = Pick<DefinitionsStore, 'get'>;

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

/** Remembered by the body, which a change replaces. */
const parsed = new WeakMap<object, Segment>();

function knownIn(stored: Stored, workspace: string): KnownSegments {
  return {
    segment(id) {
      const body = stored.get('segment', workspace, id)?.body;
      if (typeof body !== 'object' || body === null) return undefined;
      const found = parsed.get(body);
      if (found !== undefined) return found;
      const read = parseSegment(body, new StoredPatterns(false)); // nothing is matched here
      // Of an earlier version and not readable: it is there, and refers to nothing that can be followed.
      const segment: Segment = read.ok ? read.value : { type: 'manual', name: id, description: null };
      parsed.set(body, segment);
      return segment;
    },
  };
}
