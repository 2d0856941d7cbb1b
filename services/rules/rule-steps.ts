/**
 * What asking a rule takes, in steps of pattern-steps.ts: known from its text, so that it is counted once for a rule and
 * not for each question. What depends on what is asked (patterns, objects, long texts and lists) counts itself. Pure.
 */
import { unreachable } from '../runtime/errors.ts';
import type { Check, Condition, EventMatcher, LeafCondition, Test } from './condition.ts';

/** Values that are compared, and marks that are looked at, in a step. */
const valuesAStep = 16;
/** A sequence tries its marks on its steps. */
const stepsASequenceStep = 32;
const stepsAStall = 16;

export function stepsOfTests(tests: readonly Test[]): number {
  return tests.reduce((sum, { check }) => sum + stepsOfCheck(check), 0);
}

export function stepsOfMatcher({ nameCheck, where }: EventMatcher): number {
  return 1 + (nameCheck === null ? 0 : stepsOfCheck(nameCheck)) + stepsOfTests(where);
}

/** Of one question whether it holds. */
export function stepsOfCondition(condition: Condition): number {
  switch (condition.type) {
    case 'all':
    case 'any':
      return condition.of.reduce((sum, one) => sum + stepsOfCondition(one), 1);
    case 'not':
      return 1 + stepsOfCondition(condition.of);
    default:
      return stepsOfLeaf(condition);
  }
}

function stepsOfLeaf(leaf: LeafCondition): number {
  switch (leaf.type) {
    case 'event':
      return 1 + Math.ceil(leaf.count.n / valuesAStep);
    case 'stall':
      return stepsAStall;
    case 'sequence':
      return stepsASequenceStep * leaf.steps.length;
    case 'attribute':
      return stepsOfCheck(leaf.check);
    case 'relationship':
    case 'segment':
    case 'age':
      return 1;
    default:
      return unreachable(leaf);
  }
}

function stepsOfCheck(check: Check): number {
  return 'values' in check ? 1 + Math.ceil(check.values.length / valuesAStep) : 1;
}
