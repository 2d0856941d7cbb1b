/** Whether a condition holds for a person at a time, from the evidence that the caller keeps. Pure. */
import type { Condition } from './condition.ts';
import { verdictOf } from './memory.ts';
import { changesAt, passes } from './operators.ts';
import type { PatternTests } from './pattern-steps.ts';
import { relationshipVerdict, type Related } from './relationships.ts';
import type { Marks } from './windows.ts';
import { unreachable } from '../runtime/errors.ts';

export interface Evidence {
  /** ms. */
  readonly now: number;
  /** Marks of the condition at this pointer. */
  marks(pointer: string): Marks;
  /** undefined: not set. */
  attribute(path: string): unknown;
  /** As it stands; where segments turn by time it is asked for the moment. */
  inSegment(segmentId: string, now: number): boolean;
  /** When a segment turns by time alone, ms; absent: whoever keeps segments looks again when one does. */
  segmentChangesAt?(segmentId: string, now: number): number;
  /** Objects that the person belongs to. */
  relationships(): readonly Related[];
  /** When the person was first seen, ms; Infinity: not yet. */
  readonly firstSeenAt: number;
  /** What makes the tests of patterns; absent: they are not counted. */
  readonly patterns?: PatternTests;
}

export interface Verdict {
  readonly result: boolean;
  /** Earliest time at which the result may change if nothing more happens, ms; Infinity for never. */
  readonly changesAt: number;
}

/** @param now another moment than the evidence's: what the answer is then if nothing more happens. */
export function evaluate(condition: Condition, evidence: Evidence, now = evidence.now): Verdict {
  switch (condition.type) {
    case 'all':
    case 'any': {
      // Every branch is asked: the time at which the whole may change needs them all.
      const verdicts = condition.of.map((branch) => evaluate(branch, evidence, now));
      const result =
        condition.type === 'all'
          ? verdicts.every((verdict) => verdict.result)
          : verdicts.some((verdict) => verdict.result);
      return { result, changesAt: Math.min(...verdicts.map((verdict) => verdict.changesAt)) };
    }
    case 'not': {
      const { result, changesAt: at } = evaluate(condition.of, evidence, now);
      return { result: !result, changesAt: at };
    }
    case 'event':
    case 'stall':
    case 'sequence':
    case 'device':
      return verdictOf(condition, evidence.marks(condition.pointer), now);
    case 'attribute': {
      const value = evidence.attribute(condition.path);
      return {
        result: passes(condition.check, value, now, evidence.patterns),
        changesAt: changesAt(condition.check, value, now),
      };
    }
    case 'relationship':
      return relationshipVerdict(condition, evidence.relationships(), now, evidence.patterns);
    case 'segment':
      return {
        result: evidence.inSegment(condition.segmentId, now),
        changesAt: evidence.segmentChangesAt?.(condition.segmentId, now) ?? Infinity,
      };
    case 'age': {
      const at = evidence.firstSeenAt + condition.atLeastMs;
      return { result: now >= at, changesAt: now < at ? at : Infinity };
    }
    default:
      return unreachable(condition);
  }
}
