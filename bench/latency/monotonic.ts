const NS_PER_MS = 1e6;

/** Milliseconds since the machine started: one clock for all processes on it, which nobody sets. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS;
}
