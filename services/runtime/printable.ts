/** For terminals: what others sent may hold signs that move the cursor, hide text or turn its direction. */

const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** One line of at most `charsMax`; what is not seen is a space. */
export function printable(text: string, charsMax = 200): string {
  const line = text.replace(unseen, ' ');
  return line.length > charsMax ? `${line.slice(0, charsMax)}…` : line;
}
