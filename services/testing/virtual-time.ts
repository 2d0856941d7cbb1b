/**
 * Time that passes only when nothing else can happen: sleepers wake in the order of their times, as fast as the machine
 * can. With a seeded order among equals a run repeats itself exactly.
 */
import type { TimePort } from '../runtime/time.ts';

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

export class VirtualTime implements TimePort {
  #elapsedMs = 0;
  readonly #rightMs: number;
  #wallMs: number;
  #count = 0;
  readonly #random: () => number;
  #sleepers: Sleeper[] = [];
  /** Work of the real world that is under way. */
  #outside = 0;
  #lastOutside: Promise<unknown> = Promise.resolve();

  /** @param random in [0, 1): decides between sleepers that wake at the same time. */
  constructor(wallMs = 1_700_000_000_000, random: () => number = () => 0) {
    this.#rightMs = this.#wallMs = wallMs;
    this.#random = random;
  }

  now(): number {
    return Math.floor(this.#wallMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** Something takes so long, and nobody else has a turn meanwhile. */
  spend(ms: number): void {
    this.#elapsedMs += ms;
  }

  /** The wall clock jumps, either way; monotonic time does not. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** The wall clock is where it would be if it had never jumped back. */
  catchUp(): void {
    this.#wallMs = Math.max(this.#wallMs, this.#rightMs);
  }

  /**
   * Time stands still until work of the real world, such as on files, is done. Works that are under way together are
   * seen to end in the order in which they began, each in a turn of its own, so that a run repeats itself.
   */
  async standStill<Result>(work: Promise<Result>): Promise<Result> {
    this.#outside += 1;
    const before = this.#lastOutside;
    const done = before.then(settle).then(() => work);
    this.#lastOutside = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.#outside -= 1;
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((done) => {
      this.#count += 1;
      const sleeper: Sleeper = {
        at: this.#elapsedMs + Math.max(0, ms),
        order: this.#random() + this.#count * Number.EPSILON,
        wake: () => {
          signal?.removeEventListener('abort', waken);
          done();
        },
      };
      const waken = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        done();
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', waken, { once: true });
    });
  }

  /** Lets everything run for this long. */
  async run(ms: number): Promise<void> {
    await this.until(() => false, ms);
  }

  /** Lets everything run until it holds; answers whether it did within ms. */
  async until(holds: () => boolean, ms: number): Promise<boolean> {
    const end = this.#elapsedMs + ms;
    for (;;) {
      do await settle();
      while (this.#outside > 0);
      if (holds()) return true;
      const next = this.#earliest();
      if (next === undefined || next.at > end) {
        this.#elapsedMs = end;
        return holds();
      }
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
      next.wake();
    }
  }

  #earliest(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (
        first === undefined ||
        sleeper.at < first.at ||
        (sleeper.at === first.at && sleeper.order < first.order)
      ) {
        first = sleeper;
      }
    }
    return first;
  }
}

/** Promises that hang on no timer and no I/O are done before the next turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((done) => {
    setImmediate(done);
  });
}
