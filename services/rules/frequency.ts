/** How often a person may enter a journey (spec D.1, *Frequency*). */
import type { Frequency } from './condition.ts';
import { unreachable } from '../runtime/errors.ts';

/** @param lastEnteredAt ms, or null when the person has never entered. A time that is exactly up has passed. */
export function mayEnter(frequency: Frequency, lastEnteredAt: number | null, now: number): boolean {
  if (lastEnteredAt === null) return true;
  switch (frequency.mode) {
    case 'once':
      return false;
    case 'every_rematch':
      return now - lastEnteredAt >= frequency.gapMs;
    case 'interval':
      return now - lastEnteredAt >= frequency.everyMs;
    default:
      return unreachable(frequency);
  }
}
