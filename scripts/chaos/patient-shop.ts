/** A shop that makes each call again until it is acknowledged, as a client with a spool does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { Shop } from '../sample/send.ts';
import type { Call } from '../sample/calls.ts';

const pauseMs = 300;
const patienceMs = 180_000;

export class PatientShop extends Shop {
  /** The longest time that any call took to be acknowledged, ms. */
  longestWaitMs = 0;
  /** How many attempts failed: nothing was acknowledged, though the call may have arrived. */
  failures = 0;
  /** performance.now of each call's first acknowledgement. */
  readonly acknowledgedAt = new Map<Call, number>();
  #closed = false;

  override async make(call: Call): Promise<void> {
    const start = performance.now();
    for (;;) {
      try {
        await super.make(call);
        const now = performance.now();
        this.longestWaitMs = Math.max(this.longestWaitMs, now - start);
        if (!this.acknowledgedAt.has(call)) this.acknowledgedAt.set(call, now);
        return;
      } catch (cause) {
        this.failures += 1;
        if (this.#closed || performance.now() - start > patienceMs) {
          throw new CodedError(
            'call_lost',
            `could not get a call acknowledged in ${((performance.now() - start) / 1000).toFixed(0)} s`,
            { cause },
          );
        }
        await sleep(pauseMs);
      }
    }
  }

  /** Calls that still wait to be acknowledged give up. */
  override async close(): Promise<void> {
    this.#closed = true;
    await super.close();
  }
}
