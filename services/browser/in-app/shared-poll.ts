/**
 * One poll for all tabs of a visitor that show the same page: the tab that has the lock polls and tells the others. The
 * browser gives the lock on when that tab is closed, hidden or gone elsewhere. Without locks each tab polls for itself.
 *
 * States: waiting (no lock yet) → polling → ended; ended is the end.
 */
import type { QueueAnswer } from './offer.ts';
import { nextPollMs } from './poll-pace.ts';

export interface SharedPollOptions {
  /** Of the visitor and the page: tabs of the same name share. */
  readonly name: string;
  readonly poll: () => Promise<QueueAnswer>;
  readonly take: (answer: QueueAnswer) => void;
  readonly idleMs: () => number;
}

/** From the event that may have changed what is due, until it has been taken in. */
const soonMs = 700;
const firstPollSeconds = 10;

export class SharedPoll {
  readonly #options: SharedPollOptions;
  readonly #end = new AbortController();
  readonly #channel: BroadcastChannel | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isPolling = false;
  #isAsking = false;
  #pollSeconds = firstPollSeconds;
  #failures = 0;

  constructor(options: SharedPollOptions) {
    this.#options = options;
    const { name } = options;
    if (!('locks' in navigator) || !('BroadcastChannel' in window)) {
      this.#begin();
      return;
    }
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<QueueAnswer | 'soon'>) => {
      if (data === 'soon') this.#schedule(soonMs);
      else options.take(data);
    };
    navigator.locks.request(name, { signal: this.#end.signal }, () => this.#hold()).catch(() => undefined); // it ended before its turn came
    this.#channel.postMessage('soon');
  }

  /** Something happened that may have made a message due. */
  soon(): void {
    if (this.#isPolling) this.#schedule(soonMs);
    else this.#channel?.postMessage('soon');
  }

  end(): void {
    this.#isPolling = false;
    clearTimeout(this.#timer);
    this.#end.abort();
    this.#channel?.close();
  }

  #hold(): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return Promise.resolve();
    this.#begin();
    return new Promise((done) => {
      signal.addEventListener('abort', () => {
        done();
      });
    });
  }

  #begin(): void {
    this.#isPolling = true;
    this.#schedule(0);
  }

  #schedule(ms: number): void {
    if (!this.#isPolling) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isAsking) this.#schedule(soonMs);
      else void this.#poll();
    }, ms);
  }

  async #poll(): Promise<void> {
    this.#isAsking = true;
    try {
      const answer = await this.#options.poll();
      if (!this.#isPolling) return;
      this.#failures = 0;
      this.#pollSeconds = answer.poll_seconds;
      this.#channel?.postMessage(answer);
      this.#options.take(answer);
    } catch {
      this.#failures += 1;
    } finally {
      this.#isAsking = false;
    }
    if (this.#timer !== undefined) return; // something has happened meanwhile
    const idleMs = this.#options.idleMs();
    const [pollSeconds, failures] = [this.#pollSeconds, this.#failures];
    this.#schedule(nextPollMs({ pollSeconds, idleMs, failures, draw: Math.random() }));
  }
}
