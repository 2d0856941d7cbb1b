/**
 * What this thread took of a processor so far, ms: for bounds of what one caller's rules may cost. Not the clock: on a
 * machine that has no time, what is cheap takes long, too.
 */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
