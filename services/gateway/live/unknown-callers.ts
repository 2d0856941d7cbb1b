/** How many calls of the last hour came with no key that is known here. Nothing of what they came with is kept. */

const MINUTE_MS = 60_000;
const minutes = 60;

export class UnknownCallers {
  /** Calls of each minute, in a ring, and which minute that is. */
  readonly #calls = new Array<number>(minutes).fill(0);
  readonly #minute = new Array<number>(minutes).fill(-1);

  /** @param at ms. */
  count(at: number): void {
    const minute = Math.floor(at / MINUTE_MS);
    const place = minute % minutes;
    const held = this.#minute[place] ?? -1;
    if (held > minute) return; // a clock that was set back
    if (held !== minute) {
      this.#minute[place] = minute;
      this.#calls[place] = 0;
    }
    this.#calls[place] = (this.#calls[place] ?? 0) + 1;
  }

  /** This minute and the 59 before it. @param now ms. */
  lastHour(now: number): number {
    const since = Math.floor(now / MINUTE_MS) - minutes;
    return this.#calls.reduce((sum, calls, at) => ((this.#minute[at] ?? -1) > since ? sum + calls : sum), 0);
  }
}
