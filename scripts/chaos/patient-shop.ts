/** A shop that makes each call again until it is acknowledged, as a client with a spool does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { Shop } from '../sample/send.ts';
import type { Call } from '../sample/storefront.ts';

const pauseMs = 300;
const patienceMs = 180_000;

export class PatientShop extends Shop {
  /** The longest time that any call took to be acknowledged, ms. */
  longestStallMs = 0;
  /** How many attempts failed: nothing was acknowledged, though the call may have arrived. */
  failures = 0;

  override async make(call: Call): Promise<void> {
    const start = performance.now();
    for (;;) {
      try {
        await super.make(call);
        this.longestStallMs = Math.max(this.longestStallMs, performance.now() - start);
        return;
      } catch (cause) {
        this.failures += 1;
        if (performance.now() - start > patienceMs) {
          throw new CodedError(
            'call_lost',
            `could not get a call acknowledged in ${String(patienceMs / 1000)} s`,
            { cause },
          );
        }
        await sleep(pauseMs);
      }
    }
  }
}
