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

const CALENDAR = /^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:\d+[WD])*(?:T.*)?$/;
const DAYS_OF_YEAR = 365;
const DAYS_OF_MONTH = 30;

/** What is wrong with a text that is no duration of fixed length, and what would be right. */
export function invalidDurationText(value: unknown): string {
  const right = 'must be an ISO 8601 duration such as PT10M, PT4H or P30D';
  if (typeof value !== 'string') return right;
  const [, years, months] = CALENDAR.exec(value) ?? [];
  if (years !== undefined || months !== undefined) {
    const days = DAYS_OF_YEAR * Number(years ?? 0) + DAYS_OF_MONTH * Number(months ?? 0);
    const minutes = years === undefined && months !== undefined ? `, or PT${months}M for minutes` : '';
    return `years and months are not a fixed time: say P${String(days)}D${minutes}`;
  }
  const upper = value.trim().toUpperCase();
  if (parseDuration(upper) !== undefined) return `${right}: say ${upper}`;
  return /^P\d+[HS]$/.test(upper) ? `${right}: say PT${upper.slice(1)}` : right;
}

const UNIT_NAMES = ['', 'day', 'hour', 'minute', 'second'] as const;

/** For people, who count days and not weeks: `10 minutes`, `1 day 12 hours`. @param ms above zero. */
export function durationText(ms: number): string {
  let left = ms;
  const parts = UNITS_MS.flatMap((unitMs, index) => {
    const name = UNIT_NAMES[index] ?? '';
    const count = name === '' ? 0 : Math.floor(left / unitMs);
    left -= count * unitMs;
    return count === 0 ? [] : [`${String(count)} ${name}${count === 1 ? '' : 's'}`];
  });
  return parts.length === 0 ? `${String(ms)} ms` : parts.join(' ');
}
