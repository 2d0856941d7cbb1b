/** How often a person may enter a journey (spec D.1, *Frequency*). */
import type { Frequency } from './condition.ts';
import { unreachable } from '../runtime/errors.ts';

/**
 * A time that is exactly up has passed.
 * @param lastEnteredAt ms, or null when the person has never entered.
 * @param earlier times of entries, latest first, as many as entriesNeeded says.
 */
export function mayEnter(
  frequency: Frequency,
  lastEnteredAt: number | null,
  now: number,
  earlier: readonly number[] = [],
): boolean {
  if (lastEnteredAt === null) return true;
  switch (frequency.mode) {
    case 'once':
      return false;
    case 'every_rematch':
      return now - lastEnteredAt >= frequency.gapMs;
    case 'interval':
      return now - lastEnteredAt >= frequency.everyMs;
    case 'at_most':
      return earlier.filter((at) => now - at < frequency.perMs).length < frequency.times;
    default:
      return unreachable(frequency);
  }
}

/** How many of the latest entries a frequency goes by; the last one is kept anyway. */
export function entriesNeeded(frequency: Frequency): number {
  return frequency.mode === 'at_most' ? frequency.times : 1;
}
