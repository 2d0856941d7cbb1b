/** ISO 8601 durations of fixed length: weeks, days, hours, minutes, seconds. Years and months have no fixed length. */
const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
const UNITS_MS = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000] as const;

/** Milliseconds, or undefined when the text is not a duration of fixed length above zero. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null || text.endsWith('T')) return undefined;
  let total = 0;
  for (const [index, unitMs] of UNITS_MS.entries()) total += Number(match[index + 1] ?? 0) * unitMs;
  return total > 0 && Number.isSafeInteger(total) ? total : undefined;
}
