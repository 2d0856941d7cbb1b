/** Why a key's call is not taken now, though nothing is wrong with it: the rate of its key, or the quota of its workspace. */
import type { Workspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import type { RateLimits } from './rate-limits.ts';

/** Answered 429. */
export interface Limited {
  readonly code: 'rate_limited' | 'workspace_over_quota';
  readonly message: string;
  readonly waitS: number;
}

/** @returns undefined: it may bring more; else after how many seconds it may again. */
export type QuotaWait = (workspace: Workspace) => number | undefined;

export class CallLimits {
  readonly #rates: RateLimits;
  readonly #quotaWaitS: QuotaWait;

  constructor(rates: RateLimits, quotaWaitS: QuotaWait) {
    this.#rates = rates;
    this.#quotaWaitS = quotaWaitS;
  }

  /** undefined: it goes, and one call is charged to its rate. */
  limited(key: KnownKey): Limited | undefined {
    // The quota first: what it refuses is not charged.
    const quotaS = key.workspace === null ? undefined : this.#quotaWaitS(key.workspace);
    if (quotaS !== undefined) {
      const message = `could not take the call: workspace ${String(key.workspace)} has brought as much as its quota allows`;
      return { code: 'workspace_over_quota', message, waitS: quotaS };
    }
    const rateS = this.#rates.waitS(key);
    if (rateS === undefined) return undefined;
    const message = `could not take the call: key ${key.id} or its workspace calls faster than it may`;
    return { code: 'rate_limited', message, waitS: rateS };
  }

  charge(...charged: Parameters<RateLimits['charge']>): void {
    this.#rates.charge(...charged);
  }
}
