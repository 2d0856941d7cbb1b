/** Literals and identifiers in ClickHouse's quoting. */
export function quoteString(text: string): string {
  const escaped = text.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\0', '\\0');
  return `'${escaped}'`;
}

export function quoteIdentifier(text: string): string {
  return `\`${text.replaceAll(/[\\`]/g, '\\$&')}\``;
}
