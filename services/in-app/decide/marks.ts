/** What conditions remember of a visitor's events: which leaves do, which events they ask about, and what they keep. */
import { leavesOf, type Condition, type EventCondition } from '../../rules/condition.ts';
import { markOf, matches, type RuleEvent } from '../../rules/matching.ts';
import type { PatternTests } from '../../rules/pattern-steps.ts';
import { addMark, type Marks } from '../../rules/windows.ts';

export type Counted = EventCondition;

export function countedIn(condition: Condition | null): readonly Counted[] {
  return condition === null ? [] : leavesOf(condition).filter((leaf) => leaf.type === 'event');
}

/** Names that an event must have one of to count; null: any. */
export function namesOf(counted: Counted): readonly (string | null)[] {
  return [counted.name];
}

/** The marks with this event; the same list when it does not count. */
export function withEvent(counted: Counted, marks: Marks, event: RuleEvent, patterns: PatternTests): Marks {
  const mark = matches(counted, event, patterns) ? markOf(counted, event) : undefined;
  return mark === undefined ? marks : addMark(marks, mark, counted.count);
}
