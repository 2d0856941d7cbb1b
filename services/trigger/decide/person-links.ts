/** What is outstanding of one survivor (links.ts): which merges, and what queues behind them. */
import type { Known } from './profile.ts';

export interface Waiting {
  readonly factNumber: number;
  /** When identity merged the two, ms. */
  readonly at: number;
  /** The identifiers that the survivor has since. */
  readonly known?: Known | null;
}

export interface Queue {
  readonly head: number;
  readonly tail: number;
}

/** Each of its entries is a row of its own in the store, so that a storm of merges into one costs no more each. */
export class Links {
  readonly waiting = new Map<number, Waiting>();
  readonly early = new Set<number>();
  /** Items [head, tail) by queue: OWN_QUEUE, or the fact number of an early state. */
  readonly queues = new Map<string, Queue>();
  /** Whose turn it is to drain; forgotten when anything else than its own length changes. */
  #next: string | null | undefined;

  get isDone(): boolean {
    return this.waiting.size === 0 && this.early.size === 0 && this.queues.size === 0;
  }
  changed(): void {
    this.#next = undefined;
  }
  /** The queue to take from. Nothing drains while a state is awaited; that of an early state waits for `absorb`. */
  get next(): string | undefined {
    if (this.waiting.size > 0) return undefined;
    if (this.#next === undefined) {
      let next = -1;
      for (const name of this.queues.keys()) {
        const number = Number(name);
        if (number > next && !this.early.has(number)) next = number; // what follows a state before what waited for it
      }
      this.#next = next < 0 ? null : String(next);
    }
    return this.#next ?? undefined;
  }
}
