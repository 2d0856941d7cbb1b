/** Text that goes into SQL. Every value of a definition passes through here. */

/** A string literal of ClickHouse. */
export function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0');
  return `'${escaped}'`;
}

/** A Float64 literal. */
export function float(value: number): string {
  return `toFloat64(${quoted(String(value))})`;
}

/** A DateTime64(3, 'UTC') literal of a time in ms. */
export function moment(ms: number): string {
  return `fromUnixTimestamp64Milli(toInt64(${String(ms)}), 'UTC')`;
}

export function all(parts: readonly string[]): string {
  return parts.length === 0 ? '1' : `(${parts.join(' AND ')})`;
}
export function any(parts: readonly string[]): string {
  return parts.length === 0 ? '0' : `(${parts.join(' OR ')})`;
}
