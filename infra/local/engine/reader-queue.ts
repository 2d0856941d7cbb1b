/**
 * Few queries of read-only accounts run at once; the next wait their turn, a bounded number for a bounded time. Owners'
 * queries never pass through here, so readers cannot take their places.
 */
import { EngineException } from './exception.ts';

export interface ReaderQueueLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

interface Waiting {
  start(): void;
}

export class ReaderQueue {
  readonly #limits: ReaderQueueLimits;
  readonly #waiting = new Set<Waiting>();
  #running = 0;

  constructor(limits: ReaderQueueLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @param gone aborts when the asker has left; it gives up the place in the queue, not a query that runs.
   * @throws EngineException 202 when the queue is full, after waitMsMax, or when the asker has left.
   */
  async run<T>(gone: AbortSignal, use: () => Promise<T>): Promise<T> {
    await this.#turn(gone);
    try {
      return await use();
    } finally {
      const next = this.#waiting.values().next().value;
      // The place goes to the next without being free in between: nobody overtakes.
      if (next === undefined) this.#running -= 1;
      else next.start();
    }
  }

  async #turn(gone: AbortSignal): Promise<void> {
    if (gone.aborted) throw busy('the client has left');
    if (this.#running < this.#limits.runningMax) {
      this.#running += 1;
      return;
    }
    const { waitingMax, waitMsMax } = this.#limits;
    if (this.#waiting.size >= waitingMax) throw busy(`${String(waitingMax)} are waiting already`);
    await new Promise<void>((resolve, reject) => {
      const leave = (why: string): void => {
        done();
        reject(busy(why));
      };
      const onGone = (): void => {
        leave('the client has left');
      };
      const timer = setTimeout(() => {
        leave(`none came free in ${String(waitMsMax / 1000)} s`);
      }, waitMsMax);
      const done = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', onGone);
        this.#waiting.delete(entry);
      };
      const entry: Waiting = {
        start: () => {
          done();
          resolve();
        },
      };
      gone.addEventListener('abort', onGone);
      this.#waiting.add(entry);
    });
  }
}

function busy(why: string): EngineException {
  const text = `Too many simultaneous queries of read-only accounts: ${why}. Send it again later`;
  return new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', text);
}
