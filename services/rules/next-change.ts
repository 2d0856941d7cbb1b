/** The next moment at which a rule's answer changes although nothing happens: what a timer is set to. Pure. */
import { leavesOf, type Condition } from './condition.ts';
import { evaluate, type Evidence } from './evaluate.ts';

/**
 * A leaf turns at most twice by time: true when a stall's time is up and false when its window ends; a test of a list of
 * objects once for each of them, so a person's relationships are the bound there.
 */
const TURNS_A_LEAF_MAX = 2;

/**
 * ms, later than the evidence's now; Infinity for never. Between now and then the answer is the same at every moment, and
 * then it is the other. A rule has many moments at which a part of it turns and the whole does not: these are gone through.
 */
export function nextChange(condition: Condition, evidence: Evidence): number {
  const { result, changesAt } = evaluate(condition, evidence);
  let at = changesAt;
  for (let turns = turnsMax(condition, evidence); turns > 0 && Number.isFinite(at); turns -= 1) {
    const then = evaluate(condition, evidence, at);
    if (then.result !== result) return at;
    at = then.changesAt;
  }
  return at;
}

function turnsMax(condition: Condition, evidence: Evidence): number {
  const leaves = leavesOf(condition);
  const asksObjects = leaves.some(({ type }) => type === 'relationship');
  const asksSegments = leaves.some(({ type }) => type === 'segment');
  const objects = asksObjects ? evidence.relationships().length : 0;
  const own = leaves.length * (TURNS_A_LEAF_MAX + objects * TESTS_AN_OBJECT_MAX);
  return own + (asksSegments ? TURNS_OF_SEGMENTS_MAX : 0);
}

/** Of all that is asked for by name: each is a look at up to a thousand conditions. */
const TURNS_OF_SEGMENTS_MAX = 200;

/** More than what is asked of an object. */
const TESTS_AN_OBJECT_MAX = 40;
