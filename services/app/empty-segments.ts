/** Segments that a journey needs somebody to be in, and nobody is: what a `PUT` of the journey warns of. */
import type { Fault } from '../../schemas/http/app.ts';
import type { Condition, Journey } from '../rules/condition.ts';
import { pointerTo } from '../rules/faults.ts';
import { inTime } from './in-time.ts';
import { membersNow } from './members-now.ts';
import type { DefinitionsStore, Query, RulesView } from './ports.ts';
import { storedSegment } from './stored-rules.ts';

export interface EmptySegmentsParts {
  readonly query: Query;
  readonly definitions: Pick<DefinitionsStore, 'get'>;
  readonly rules: Pick<RulesView, 'past'>;
}

interface Needed {
  readonly pointer: string;
  readonly segmentId: string;
}

/** Nothing of a segment whose past is still being read, nor where it cannot be told in time. */
export async function emptySegments(
  parts: EmptySegmentsParts,
  workspace: string,
  journey: Journey,
): Promise<readonly Fault[]> {
  const needed = neededBy(journey);
  const members = await membersNow(parts.query, workspace, [
    ...new Set(needed.map(({ segmentId }) => segmentId)),
  ]);
  const faults: Fault[] = [];
  for (const { pointer, segmentId } of needed) {
    if (members?.get(segmentId) !== 0) continue;
    const stored = parts.definitions.get('segment', workspace, segmentId);
    const segment = storedSegment(stored?.body);
    if (stored === undefined || segment === undefined) continue;
    if (segment.type === 'data_driven') {
      const asked = { workspace, ruleKey: `s:${segmentId}`, version: stored.ruleVersion };
      const past = await inTime(parts.rules.past(asked));
      if (past === undefined || (past !== null && 'state' in past && past.state !== 'ready')) continue;
    }
    faults.push({
      pointer,
      code: 'segment_empty',
      message: messageOf(segmentId, segment.type, pointer, journey),
    });
  }
  return faults;
}

/** What the trigger and the filters cannot do without. */
function neededBy({ trigger, filters }: Journey): readonly Needed[] {
  const first =
    trigger.type === 'segment' ? [{ pointer: '/trigger/segment', segmentId: trigger.segmentId }] : [];
  return [...first, ...(filters === null ? [] : needed(filters))];
}

function needed(condition: Condition): readonly Needed[] {
  if (condition.type === 'all') return condition.of.flatMap(needed);
  if (condition.type !== 'segment') return [];
  return [{ pointer: pointerTo(condition.pointer, 'segment'), segmentId: condition.segmentId }];
}

function messageOf(id: string, type: string, pointer: string, { trigger }: Journey): string {
  const why =
    type === 'manual'
      ? `nobody has been put into the segment ${id} so far`
      : `nobody is in the segment ${id} now`;
  if (pointer !== '/trigger/segment') return `${why}, so this filter holds for nobody`;
  const isLeft = trigger.type === 'segment' && trigger.on === 'left';
  return isLeft
    ? `${why}, so nobody can leave it`
    : `${why}: the journey begins with the first who enters it`;
}
