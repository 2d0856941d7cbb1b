/** What is asked of others and may be left out of an answer: waited for within a bound, and no error of its own. */
import { systemTime, type TimePort } from '../runtime/time.ts';

const askMsMax = 1_500;

/** undefined: it could not be had, or not in time. */
export async function inTime<T>(asked: Promise<T>, time: TimePort = systemTime): Promise<T | undefined> {
  const over = new AbortController();
  const late = time.sleep(askMsMax, over.signal).then(() => undefined);
  const found = await Promise.race([late, asked.catch(() => undefined)]);
  over.abort();
  return found;
}
