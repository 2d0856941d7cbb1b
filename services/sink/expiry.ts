/** Which day partitions of stored_collected have expired. Pure. */
export const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * @param days partitions as toYYYYMMDD.
 * @param watermark ms; nothing expires before it is known.
 * A day goes when its last moment is more than 30 days before the watermark. The view hides the rest to the moment.
 */
export function expiredDays(days: readonly string[], watermark: number): string[] {
  return days.filter((day) => endOfDay(day) <= watermark - KEPT_DAYS * DAY_MS);
}

function endOfDay(day: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(day);
  if (match === null) return Infinity;
  return Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) + DAY_MS;
}
