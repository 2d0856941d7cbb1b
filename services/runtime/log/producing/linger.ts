/**
 * How long a record waits for others. A broker pays for requests and batches more than for records: alone, each should
 * go at once; of ten thousand per second, those of 20 ms make 200 times fewer requests.
 */
export interface LingerLimits {
  readonly lingerMs: number;
  readonly lingerMsMax: number;
}

/** Each record per ms makes the wait so much longer, ms. */
const MS_PER_RATE = 2;
/** The rate is that of about so long, ms. */
const MEMORY_MS = 100;

export class Linger {
  readonly #limits: LingerLimits;
  #came = 0;
  /** Records per ms. */
  #rate = 0;
  #flushedMs = -Infinity;

  constructor(limits: LingerLimits) {
    this.#limits = limits;
  }

  came(records: number): void {
    this.#came += records;
  }

  /** @param nowMs monotonic. */
  flushed(nowMs: number): void {
    const passedMs = nowMs - this.#flushedMs;
    if (passedMs <= 0) return;
    const kept = Math.exp(-passedMs / MEMORY_MS);
    this.#rate = this.#rate * kept + (this.#came / passedMs) * (1 - kept);
    this.#came = 0;
    this.#flushedMs = nowMs;
  }

  get ms(): number {
    const { lingerMs, lingerMsMax } = this.#limits;
    return Math.min(lingerMsMax, Math.max(lingerMs, Math.round(this.#rate * MS_PER_RATE)));
  }
}
