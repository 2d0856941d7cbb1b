/**
 * Wakes everyone who waits. One callback shared by several loops loses wake-ups: the second to wait replaces the
 * first, which then sleeps for ever. Here each waiter is in the set until it is rung or its time is up; since checking
 * a condition and calling `wait` happen without an await between, no ring falls in the gap.
 */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next ring, or after timeoutMs. */
  async wait(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(wake);
        resolve();
      }, timeoutMs);
      this.#waiting.add(wake);
    });
  }
}
