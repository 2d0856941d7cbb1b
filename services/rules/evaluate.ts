/** Whether a condition holds for a person at a time, from the evidence that the caller keeps. Pure. */
import type { Condition } from './condition.ts';
import { changesAt, passes } from './operators.ts';
import type { PatternTests } from './pattern-steps.ts';
import { countWithin, type Marks } from './windows.ts';
import { unreachable } from '../runtime/errors.ts';

export interface Evidence {
  /** ms. */
  readonly now: number;
  /** Marks of the event condition at this pointer. */
  marks(pointer: string): Marks;
  /** undefined: not set. */
  attribute(path: string): unknown;
  inSegment(segmentId: string): boolean;
  /** What makes the tests of patterns; absent: they are not counted. */
  readonly patterns?: PatternTests;
}

export interface Verdict {
  readonly result: boolean;
  /** Earliest time at which the result may change if nothing more happens, ms; Infinity for never. */
  readonly changesAt: number;
}

export function evaluate(condition: Condition, evidence: Evidence): Verdict {
  switch (condition.type) {
    case 'all':
    case 'any': {
      // Every branch is asked: the time at which the whole may change needs them all.
      const verdicts = condition.of.map((branch) => evaluate(branch, evidence));
      const result =
        condition.type === 'all'
          ? verdicts.every((verdict) => verdict.result)
          : verdicts.some((verdict) => verdict.result);
      return { result, changesAt: Math.min(...verdicts.map((verdict) => verdict.changesAt)) };
    }
    case 'not': {
      const { result, changesAt: at } = evaluate(condition.of, evidence);
      return { result: !result, changesAt: at };
    }
    case 'event':
      return countWithin(
        evidence.marks(condition.pointer),
        condition.count,
        condition.withinMs,
        evidence.now,
      );
    case 'attribute': {
      const value = evidence.attribute(condition.path);
      return {
        result: passes(condition.check, value, evidence.now, evidence.patterns),
        changesAt: changesAt(condition.check, value, evidence.now),
      };
    }
    case 'segment':
      return { result: evidence.inSegment(condition.segmentId), changesAt: Infinity };
    default:
      return unreachable(condition);
  }
}
