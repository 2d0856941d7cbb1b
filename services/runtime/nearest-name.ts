/** Which of the names that are there may have been meant by one that is not. Pure. */

/** More letters than this apart, and a name is not taken for a misspelling. */
const lettersApartMax = 3;

export function nearestName(name: string, known: readonly string[]): string | undefined {
  const apart = known.map((each) => ({ each, letters: lettersApart(name, each) }));
  apart.sort((a, b) => a.letters - b.letters);
  const [first] = apart;
  if (first === undefined || first.letters > lettersApartMax) return undefined;
  // Of two short names that share no letter each is a few letters from the other.
  return 2 * first.letters > Math.max(name.length, first.each.length) ? undefined : first.each;
}

/** Letters to put in, take out, change, or swap with the next (optimal string alignment). */
function lettersApart(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (__, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    const row = rows[i] ?? [];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) row[j] = Math.min(row[j] ?? Infinity, at(i - 2, j - 2) + 1);
    }
  }
  return at(a.length, b.length);
}
