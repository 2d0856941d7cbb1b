/** Which condition kept a rule from holding: what a marketer asks about whoever did not get in. Pure. */
import type { Condition } from '../../rules/condition.ts';
import { evaluate, type Evidence } from '../../rules/evaluate.ts';

/**
 * The JSON pointer of the condition that would have had to be otherwise; null: it holds. Of `all` the first that does not
 * hold, of `any` and `not` the whole.
 */
export function unmet(condition: Condition, evidence: Evidence): string | null {
  if (condition.type === 'all') {
    for (const one of condition.of) {
      const pointer = unmet(one, evidence);
      if (pointer !== null) return pointer;
    }
    return null;
  }
  return evaluate(condition, evidence).result ? null : condition.pointer;
}
