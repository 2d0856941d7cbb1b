/** Why a rule holds or does not: a line for each leaf of the condition, in the order it is written. */
import { leavesOf, type Condition, type LeafCondition } from './condition.ts';
import { evaluate, type Evidence } from './evaluate.ts';
import { countWithin } from './windows.ts';
import { unreachable } from '../runtime/errors.ts';

export interface ExplainedCondition {
  /** Where in the definition the condition stands. */
  readonly pointer: string;
  readonly result: boolean;
  /** The number counted, the attribute's value, or whether the person is in the segment. */
  readonly value: unknown;
  /** Message ids of the events that count, latest first; no more than decide it. */
  readonly events: readonly string[];
  /** When the result changes if nothing more happens, ISO 8601. */
  readonly changes_at?: string;
}
export interface Explanation {
  readonly result: boolean;
  readonly conditions: readonly ExplainedCondition[];
}

export function explain(condition: Condition, evidence: Evidence): Explanation {
  return {
    result: evaluate(condition, evidence).result,
    conditions: leavesOf(condition).map((leaf) => explainLeaf(leaf, evidence)),
  };
}

function explainLeaf(leaf: LeafCondition, evidence: Evidence): ExplainedCondition {
  const { pointer } = leaf;
  const { result, changesAt } = evaluate(leaf, evidence);
  const when = Number.isFinite(changesAt) ? { changes_at: new Date(changesAt).toISOString() } : {};
  switch (leaf.type) {
    case 'event': {
      const marks = evidence.marks(pointer);
      const { value } = countWithin(marks, leaf.count, leaf.withinMs, evidence.now);
      return { pointer, result, value, events: marks.slice(0, value).map(([, id]) => id), ...when };
    }
    case 'attribute':
      return { pointer, result, value: evidence.attribute(leaf.path) ?? null, events: [], ...when };
    case 'segment':
      return { pointer, result, value: evidence.inSegment(leaf.segmentId), events: [] };
    default:
      return unreachable(leaf);
  }
}
