/**
 * Evidence from a person's whole history, as ClickHouse has it: what explain asks where no state is at hand, and the
 * naive oracle that the incremental evaluation is tested against.
 */
import { leavesOf, type Condition, type EventCondition } from './condition.ts';
import type { Evidence } from './evaluate.ts';
import { markOf, matches, type RuleEvent } from './matching.ts';
import { valueAt, type JsonObject } from './paths.ts';
import type { Mark, Marks } from './windows.ts';

export interface History {
  readonly events: readonly RuleEvent[];
  readonly attributes: JsonObject;
  readonly segments: ReadonlySet<string>;
}

export function evidenceOf(condition: Condition, history: History, now: number): Evidence {
  const marks = new Map(
    leavesOf(condition)
      .filter((leaf) => leaf.type === 'event')
      .map((leaf) => [leaf.pointer, allMarks(leaf, history.events)]),
  );
  return {
    now,
    marks: (pointer) => marks.get(pointer) ?? [],
    attribute: (path) => valueAt(history.attributes, path),
    inSegment: (id) => history.segments.has(id),
  };
}

/** Every matching event, latest first; of a distinct count the latest of each value. */
function allMarks(condition: EventCondition, events: readonly RuleEvent[]): Marks {
  const marks = events
    .filter((event) => matches(condition, event))
    .map((event) => markOf(condition, event))
    .filter((mark) => mark !== undefined)
    .sort(([a, idA], [b, idB]) => (a === b ? (idA < idB ? 1 : -1) : b - a));
  if (condition.count.type !== 'distinct') return marks;
  const latest = new Map<string, Mark>();
  for (const mark of marks) if (!latest.has(mark[2] ?? '')) latest.set(mark[2] ?? '', mark);
  return [...latest.values()];
}
