/** Stalls that have begun and of whose run nothing can be kept: two people who became one had more values of the key. Pure. */
import { firings } from './armed-stall.ts';
import type { Triggered } from './journey-look.ts';
import { runOf, runsOf, type JourneyState } from './runs.ts';
import type { JourneyRule } from './workspace-rules.ts';

/** @param theirs what was joined to `joined`. */
export function stallsBeyond(
  { stall, triggerKey }: JourneyRule,
  joined: JourneyState | undefined,
  theirs: JourneyState,
): readonly Triggered[] {
  if (stall === undefined) return [];
  return runsOf(theirs).flatMap(([key, { stall: armed }]) => {
    if (armed?.trigger !== triggerKey || runOf(joined, key) !== undefined) return [];
    return firings(stall, armed).map(({ begun: [messageId = null] }) => ({ messageId, key }));
  });
}
