/** Why a rule holds or does not: a line for each leaf of the condition, in the order it is written. */
import { isCounted, type Condition, type LeafCondition } from './condition.ts';
import { evaluate, type Evidence } from './evaluate.ts';
import { foundIn } from './memory.ts';
import { nextChange } from './next-change.ts';
import { objectsThatPass } from './relationships.ts';
import { restsOn, saysOf, type RestsOn } from './says.ts';
import { unreachable } from '../runtime/errors.ts';

export interface ExplainedCondition {
  /** Where in the definition the condition stands. */
  readonly pointer: string;
  readonly result: boolean;
  /**
   * The number counted (no more than is asked for), how a stall stands, the steps of a sequence gone, the attribute's value,
   * the number of objects or devices, whether the person is in the segment, or since when the person is known of.
   */
  readonly value: unknown;
  /** Message ids of the events that count, latest first; no more than decide it. */
  readonly events: readonly string[];
  /** The same events by name and time, as far as they are kept. */
  readonly rests_on: readonly RestsOn[];
  /** What was found, in a sentence, which also says where a `not` asks that it does not hold. */
  readonly says: string;
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
    conditions: askedOf(condition).map((asked) => explainLeaf(asked, evidence)),
  };
}

interface AskedLeaf {
  readonly leaf: LeafCondition;
  /** Whether it is to hold; false under one `not`, true under two. */
  readonly isWanted: boolean;
}

/** The leaves in the order in which they are written. */
function askedOf(condition: Condition, isWanted = true): readonly AskedLeaf[] {
  switch (condition.type) {
    case 'all':
    case 'any':
      return condition.of.flatMap((of) => askedOf(of, isWanted));
    case 'not':
      return askedOf(condition.of, !isWanted);
    default:
      return [{ leaf: condition, isWanted }];
  }
}

function explainLeaf({ leaf, isWanted }: AskedLeaf, evidence: Evidence): ExplainedCondition {
  const { pointer } = leaf;
  const { result } = evaluate(leaf, evidence);
  const changesAt = nextChange(leaf, evidence);
  const when = Number.isFinite(changesAt) ? { changes_at: new Date(changesAt).toISOString() } : {};
  const found = foundBy(leaf, evidence);
  const events = restsOn(leaf, found, isCounted(leaf) ? evidence.marks(pointer) : []);
  const says = `${saysOf(leaf, { ...found, result }, events)}${isWanted ? '' : '; it stands under not, so it must not hold'}`;
  return { pointer, result, ...found, rests_on: events, says, ...when };
}

function foundBy(leaf: LeafCondition, evidence: Evidence): Pick<ExplainedCondition, 'value' | 'events'> {
  const { now } = evidence;
  switch (leaf.type) {
    case 'event':
    case 'stall':
    case 'sequence':
    case 'device':
      return foundIn(leaf, evidence.marks(leaf.pointer), now);
    case 'attribute':
      return { value: evidence.attribute(leaf.path) ?? null, events: [] };
    case 'relationship':
      return { value: objectsThatPass(leaf, evidence.relationships(), now).length, events: [] };
    case 'segment':
      return { value: evidence.inSegment(leaf.segmentId, now), events: [] };
    case 'age': {
      const { firstSeenAt } = evidence;
      return { value: Number.isFinite(firstSeenAt) ? new Date(firstSeenAt).toISOString() : null, events: [] };
    }
    default:
      return unreachable(leaf);
  }
}
