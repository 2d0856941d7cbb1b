/** Time as the shell sees it, behind a port, so that the simulator can make it stand, jump and repeat itself. */
export interface TimePort {
  /** Wall clock, ms since 1970. May jump either way. */
  now(): number;
  /** Milliseconds that only grow; for intervals. */
  monotonicMs(): number;
  /** Resolves after ms, or at once when the signal aborts. 0: as soon as all who wait for this process have had a turn. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemTime: TimePort = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((done) => {
      if (signal?.aborted === true) {
        done();
        return;
      }
      if (ms <= 0) {
        setImmediate(done);
        return;
      }
      const timer = setTimeout(finish, ms);
      signal?.addEventListener('abort', finish, { once: true });
      function finish(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        done();
      }
    }),
};
