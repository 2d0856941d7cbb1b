/**
 * How long a process that ended stays down. A process that ends again and again must not eat the machine, so the pause
 * doubles; one that had been ready for a while has shown that it can live, so whatever ended it counts as new.
 */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 15_000;
export const steadyAfterMs = 10_000;

export class RestartPause {
  readonly #msMax: number;
  #ms: number;

  constructor(msMax = PAUSE_MS_MAX) {
    this.#msMax = msMax;
    this.#ms = Math.min(PAUSE_MS_MIN, msMax);
  }

  /** @param readyMs for how long it had been ready; 0 when it never was. */
  next(readyMs: number): number {
    if (readyMs >= steadyAfterMs) this.#ms = Math.min(PAUSE_MS_MIN, this.#msMax);
    const ms = this.#ms;
    this.#ms = Math.min(ms * 2, this.#msMax);
    return ms;
  }
}
