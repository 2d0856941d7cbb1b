/**
 * The turn of bodies that take long to parse: one at a time, each client's in turn, and the loop goes round between two of
 * them. What a megabyte of JSON costs is up to whoever writes it (a third of a million empty objects, say), so a few of
 * them a second would have everybody else's calls wait; now those wait for one at most.
 *
 *   whole ──▶ waits (its memory is counted; it may have to make room) ──turn──▶ handler ──▶ the next, after as long a pause
 */
import { threadCpuMs } from '../runtime/thread-cpu.ts';
import type { Hold, Owner } from './body-budget.ts';
import { Turns } from './questions/turns.ts';

/** Smaller ones cost little, whatever is in them. */
export const dearBytesMin = 64 * 1_024;

interface Waiting {
  readonly begin: () => void;
  isEnded: boolean;
}

export class DearBodies {
  readonly #waiting = new Turns<string, Waiting>();
  readonly #ended: () => Error;
  #isTaken = false;

  /** @param ended what a body is refused with that has to make room. */
  constructor(ended: () => Error) {
    this.#ended = ended;
  }

  /** Resolves when it may be parsed, which has to begin in the same turn of the loop. */
  turn({ client, share }: Owner, hold: Hold): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        hold.whole();
        resolve();
      };
      const waiting: Waiting = { begin, isEnded: false };
      hold.reading(() => {
        waiting.isEnded = true;
        reject(this.#ended());
      });
      this.#waiting.add(share ?? client, waiting);
      this.#next();
    });
  }

  #next(): void {
    if (this.#isTaken) return;
    const [first] = this.#waiting.take(1);
    if (first === undefined) return;
    if (first.isEnded) {
      this.#next();
      return;
    }
    this.#isTaken = true;
    const from = threadCpuMs();
    first.begin();
    setImmediate(() => {
      setTimeout(() => {
        this.#isTaken = false;
        this.#next();
      }, threadCpuMs() - from);
    });
  }
}
