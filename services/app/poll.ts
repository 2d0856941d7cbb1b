/** Asks again and again, at a growing pause, until the answer is yes, the time is up or the signal aborts. */
import { systemTime, type TimePort } from '../runtime/time.ts';

const pauseMsMin = 10;
const pauseMsMax = 100;

export interface PollOptions {
  readonly time?: TimePort;
  readonly signal?: AbortSignal;
}

export async function pollUntil(
  timeoutMs: number,
  ask: () => Promise<boolean>,
  { time = systemTime, signal }: PollOptions = {},
): Promise<boolean> {
  const deadline = time.monotonicMs() + timeoutMs;
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    if (await ask()) return true;
    if (signal?.aborted === true || time.monotonicMs() + pauseMs > deadline) return false;
    await time.sleep(pauseMs, signal);
  }
}
