/**
 * A task decides in turns of some milliseconds. Between two of them whoever else waits for the process is heard, such as who
 * polls, or looks whether it is well. What is in a batch, and what comes of it, does not change by that.
 */
import type { TimePort } from '../../time.ts';

/** By the clock: where nobody waits it costs nothing to give way. One record more may begin than there is time for. */
export const turnMsMax = 20;

export class Turns {
  readonly #time: TimePort;
  #endsAt = 0;

  constructor(time: TimePort) {
    this.#time = time;
  }

  /** Others have just been heard. */
  begin(): void {
    this.#endsAt = this.#time.monotonicMs() + turnMsMax;
  }
  get isOver(): boolean {
    return this.#time.monotonicMs() >= this.#endsAt;
  }
  async next(): Promise<void> {
    await this.#time.sleep(0);
    this.begin();
  }
  /** Does the work step by step. */
  async through(steps: Iterator<undefined, void>): Promise<void> {
    while (steps.next().done !== true) if (this.isOver) await this.next();
  }
}
