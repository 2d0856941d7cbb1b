/** Whether calls are kept, as `/health/ingest` says: by the log, or by the disk while that does not answer; if there is room. */
interface Health {
  readonly ok: boolean;
  readonly detail?: string;
}

/** @param disk what is below its bound has every call refused, whatever else is well. */
export function ingestHealth<State extends object>(
  intake: { readonly health: Health; readonly state: State },
  disk: Health,
): Health & State {
  const refuses = disk.ok ? undefined : disk;
  return { ...intake.state, ...(refuses ?? intake.health) };
}
