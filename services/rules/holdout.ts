/** The people of a journey who are eligible and never enter, so that the others can be compared with them. */
import { createHash } from 'node:crypto';

/**
 * The same answer for a person and a journey for ever, and independent between journeys and between the runs of one.
 * @param share 0 to 1. @param key of the run; null for a journey without one.
 */
export function isHeldOut(
  journeyId: string,
  personId: string,
  share: number,
  key: string | null = null,
): boolean {
  if (share <= 0) return false;
  const run = key === null ? '' : `\0${key}`;
  const hash = createHash('sha256').update(`holdout\0${journeyId}\0${personId}${run}`).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48 < share;
}
