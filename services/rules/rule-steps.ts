/**
 * What asking a rule takes, in steps of pattern-steps.ts: known from its text, so that it is counted once for a rule and
 * not for each question. What depends on what is asked (patterns, objects, long texts and lists) counts itself. Pure.
 */
import { unreachable } from '../runtime/errors.ts';
import type { Check, Condition, EventMatcher, LeafCondition, Test } from './condition.ts';
import { devicesMax } from './limits.ts';

/** Of one thing asked of an event that is at hand, or of another rule's answer. */
const stepsAQuestion = 6;
/** Values that are compared, and marks that are looked at, in that time. */
const valuesAQuestion = 16;
/** An attribute is looked up by its path first. */
const stepsALookup = 48;
/** A sequence tries its marks on its steps. */
const stepsASequenceStep = 192;
const stepsAStall = 96;

export function stepsOfTests(tests: readonly Test[]): number {
  return tests.reduce((sum, { check }) => sum + stepsOfCheck(check), 0);
}

export function stepsOfMatcher({ nameCheck, where }: EventMatcher): number {
  return stepsAQuestion + (nameCheck === null ? 0 : stepsOfCheck(nameCheck)) + stepsOfTests(where);
}

/** Of one question whether it holds. */
export function stepsOfCondition(condition: Condition): number {
  switch (condition.type) {
    case 'all':
    case 'any':
      return condition.of.reduce((sum, one) => sum + stepsOfCondition(one), stepsAQuestion);
    case 'not':
      return stepsAQuestion + stepsOfCondition(condition.of);
    default:
      return stepsOfLeaf(condition);
  }
}

function stepsOfLeaf(leaf: LeafCondition): number {
  switch (leaf.type) {
    case 'event':
      return stepsOfValues(leaf.count.n);
    case 'stall':
      return stepsAStall;
    case 'sequence':
      return stepsASequenceStep * leaf.steps.length;
    case 'device':
      return stepsOfValues(devicesMax);
    case 'attribute':
      return stepsALookup + stepsOfCheck(leaf.check);
    case 'relationship':
    case 'segment':
    case 'age':
      return stepsAQuestion;
    default:
      return unreachable(leaf);
  }
}

function stepsOfCheck(check: Check): number {
  return stepsOfValues('values' in check ? check.values.length : 0);
}

function stepsOfValues(count: number): number {
  return stepsAQuestion * (1 + Math.ceil(count / valuesAQuestion));
}
