const WINDOW_MS = 1_000;

/** Records a second, over the last whole second and a bit. */
export class EventRate {
  #from: number;
  #records = 0;
  #perSecond = 0;

  constructor(now: number) {
    this.#from = now;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** @returns whether the rate is a new one. */
  add(records: number, now: number): boolean {
    this.#records += records;
    const elapsedMs = now - this.#from;
    if (elapsedMs < WINDOW_MS) return false;
    this.#perSecond = (this.#records * 1_000) / elapsedMs;
    this.#from = now;
    this.#records = 0;
    return true;
  }
}
