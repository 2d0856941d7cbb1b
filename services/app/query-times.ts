/** A time as calls of ours say one. Pure. */

export const timeForms = 'a time of ISO 8601, such as 2026-11-23T09:00:00Z; a date alone is its start in UTC';

/** ms; undefined: it is no time of ISO 8601. */
export function timeOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d(T|$)/.test(text)) return undefined;
  const ms = Date.parse(text); // of a date alone it is midnight in UTC
  return Number.isNaN(ms) || isNoDay(text) ? undefined : ms;
}

/** JavaScript reads February 30 as March 2. */
function isNoDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  if (year === undefined || month === undefined || day === undefined) return true;
  return day > new Date(Date.UTC(year, month, 0)).getUTCDate();
}
