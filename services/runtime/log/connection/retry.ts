/** Waiting between attempts, bounded in total. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../errors.ts';
import { asLogError } from './kafka-error.ts';

export interface RetryLimits {
  readonly firstPauseMs: number;
  readonly pauseMsMax: number;
  readonly totalMsMax: number;
}

/**
 * Repeats an attempt while it fails with a retryable error and time is left, pausing twice as long each time.
 * Rejects with the last error.
 */
export async function retrying<Result>(
  what: string,
  limits: RetryLimits,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + limits.totalMsMax;
  for (let pauseMs = limits.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, limits.pauseMsMax)) {
    try {
      return await attempt();
    } catch (cause) {
      const error = asLogError(what, cause);
      const again = error instanceof CodedError && error.retryable && performance.now() + pauseMs < deadline;
      if (!again) throw error;
    }
    await sleep(pauseMs);
  }
}
