/**
 * Histories go through the code that decides in slices, so that whatever rules cost the process, whose business is what
 * comes, has three quarters of its time for that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { threadCpuMs } from '../../runtime/thread-cpu.ts';
import type { Replayed } from '../decide/replay.ts';

/** Of the processor's time without a pause; the pause is three times as long, of all who ask together. */
const sliceMs = 5;
const pauseMsMax = 2_000;
/** Of the processor's time, of one person: rules can make twenty thousand events as dear as anybody likes. */
export const personMsMax = 3_000;

export class PacedReplays {
  /** That go on now. */
  #active = 0;
  /** Of the processor's time, since there was a pause: people of few events have one between several of them. */
  #sinceMs = 0;

  /** undefined: it takes more than one person may. */
  async run(steps: Generator<undefined, Replayed>): Promise<Replayed | undefined> {
    let left = personMsMax;
    this.#active += 1;
    try {
      for (;;) {
        const from = threadCpuMs();
        const { done, value } = steps.next();
        const took = threadCpuMs() - from;
        left -= took;
        this.#sinceMs += took;
        if (this.#sinceMs >= sliceMs) {
          const pauseMs = Math.min((4 * this.#active - 1) * this.#sinceMs, pauseMsMax);
          this.#sinceMs = 0;
          await sleep(pauseMs);
        }
        if (done === true) return value;
        if (left < 0) return undefined;
      }
    } finally {
      this.#active -= 1;
    }
  }
}
