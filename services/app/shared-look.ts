/**
 * Something dear that anybody may ask for, without a key: however many ask at once, one looks at a time, and they share what
 * was seen.
 */
export class SharedLook<Seen> {
  readonly #look: () => Promise<Seen>;
  #running: Promise<Seen> | undefined;
  #next: Promise<Seen> | undefined;

  constructor(look: () => Promise<Seen>) {
    this.#look = look;
  }

  /** What the look that is under way sees, which may have begun a moment ago. */
  now(): Promise<Seen> {
    return this.#running ?? this.#start();
  }

  /** What a look sees that begins after this call: the next one, when one is under way. */
  fresh(): Promise<Seen> {
    if (this.#running === undefined) return this.#start();
    const go = (): Promise<Seen> => {
      this.#next = undefined;
      return this.#running ?? this.#start();
    };
    return (this.#next ??= this.#running.then(go, go));
  }

  #start(): Promise<Seen> {
    const running = this.#look().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
