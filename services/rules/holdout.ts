/** The people of a journey who are eligible and never enter, so that the others can be compared with them. */
import { createHash } from 'node:crypto';

/** The same answer for a person and a journey for ever, and independent between journeys. @param share 0 to 1. */
export function isHeldOut(journeyId: string, personId: string, share: number): boolean {
  if (share <= 0) return false;
  const hash = createHash('sha256').update(`holdout\0${journeyId}\0${personId}`).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48 < share;
}
