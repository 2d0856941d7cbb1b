/** Stalls that have begun and of whose run nothing can be kept: two people who became one had more values of the key. Pure. */
import { firings } from './armed-stall.ts';
import type { JourneyLook } from './journey-look.ts';
import { runOf, runsOf, type JourneyState } from './runs.ts';
import type { JourneyRule } from './workspace-rules.ts';

/** Each has its row. @param theirs what was joined to `joined`. */
export function skipStallsBeyond(
  look: JourneyLook,
  rule: JourneyRule,
  joined: JourneyState | undefined,
  theirs: JourneyState,
): void {
  const { stall, triggerKey } = rule;
  if (stall === undefined) return;
  for (const [key, { stall: armed }] of runsOf(theirs)) {
    if (armed?.trigger !== triggerKey || runOf(joined, key) !== undefined) continue;
    for (const { begun } of firings(stall, armed)) {
      look.skip(rule, { messageId: begun[0] ?? null, key }, 'key_limit', null);
    }
  }
}
