/** Work beside a load. */
export interface Load {
  /** Until it is told to end. */
  run(): Promise<void>;
  end(): void;
}

/**
 * Does the work while the load is on. Whichever of the two fails ends the other, and both are over when this rejects:
 * with the load's error if the load failed, since the work then failed for it.
 */
export async function underLoad<Result>(
  load: Load,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const loadFailed = new AbortController();
  const loading = load.run();
  loading.catch(() => {
    loadFailed.abort();
  });
  try {
    return await work(loadFailed.signal);
  } finally {
    load.end();
    await loading;
  }
}
