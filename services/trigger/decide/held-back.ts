/**
 * What is over when it is merged, and may be answered by what is merged with it: nobody turns by it before all of that has
 * been read. Pure.
 */
import type { CountedCondition } from '../../rules/condition.ts';
import type { Verdict } from '../../rules/evaluate.ts';

export interface HeldBack {
  readonly isMember: boolean;
  /** ms: until then everybody stays where they are. */
  readonly notBefore: number;
  /** ms */
  readonly now: number;
}

export function heldBack(verdict: Verdict, { isMember, notBefore, now }: HeldBack): Verdict {
  if (verdict.result === isMember || now >= notBefore) return verdict;
  return { result: isMember, changesAt: Math.min(verdict.changesAt, notBefore) };
}

/** For how long after an event another may answer it, ms; Infinity where none can. */
export function answerableMs(condition: CountedCondition): number {
  if (condition.type === 'stall') return condition.forMs;
  return condition.type === 'sequence' && condition.without !== null ? condition.without.forMs : Infinity;
}
