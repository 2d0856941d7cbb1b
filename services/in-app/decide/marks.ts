/** What conditions remember of a visitor's events: which leaves do, which events they ask about, and what they keep. */
import {
  isCounted,
  leavesOf,
  matchersOf,
  type Condition,
  type CountedCondition,
} from '../../rules/condition.ts';
import type { RuleEvent } from '../../rules/matching.ts';
import { marksOf, remember } from '../../rules/memory.ts';
import type { PatternTests } from '../../rules/pattern-steps.ts';
import type { Marks } from '../../rules/windows.ts';

export function countedIn(condition: Condition | null): readonly CountedCondition[] {
  return condition === null ? [] : leavesOf(condition).filter(isCounted);
}

/** Names that an event must have one of to count; null: any. */
export function namesOf(counted: CountedCondition): readonly (string | null)[] {
  return matchersOf(counted).map(({ name }) => name);
}

/** The marks with this event; the same list when it does not count. */
export function withEvent(
  counted: CountedCondition,
  marks: Marks,
  event: RuleEvent,
  patterns: PatternTests,
): Marks {
  return marksOf(counted, event, patterns).reduce<Marks>(
    (kept, mark) => remember(counted, kept, mark),
    marks,
  );
}
