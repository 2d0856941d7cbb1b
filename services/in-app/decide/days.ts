/** Which day it is where the visitor is. */
const zonesMax = 1_000;
const formats = new Map<string, Intl.DateTimeFormat | null>();

/** `2026-03-01`. @param timezone an IANA name; without one, or one that nobody knows, UTC. */
export function dayOf(at: number, timezone: string | null): string {
  const format = timezone === null ? null : formatOf(timezone);
  return format === null ? new Date(at).toISOString().slice(0, 10) : format.format(at);
}

function formatOf(timezone: string): Intl.DateTimeFormat | null {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  if (formats.size >= zonesMax) formats.clear();
  const format = newFormat(timezone);
  formats.set(timezone, format);
  return format;
}

function newFormat(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  } catch {
    return null;
  }
}
