/** Variables that look like settings of ours and are none: a name that is misspelt does nothing, and nobody would know. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of ours begin so; others of CLICKHOUSE_ or KAFKA_ may be meant for other programs. */
const OURS = /^HINDSIGHT_/;
/** Given by one of our processes to another. */
const INTERNAL = new Set(['HINDSIGHT_PARENT_PID']);
/** More letters than this apart, and a name is not taken for a misspelling. */
const lettersApartMax = 3;

/** @returns a sentence for each, with the name that may have been meant. */
export function unknownSettings(root: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const known = knownSettings(root);
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !INTERNAL.has(name) && !known.includes(name))
    .sort()
    .map((name) => {
      const near = nearest(name, known);
      const meant = near === undefined ? 'see .env.example' : `did you mean ${near}?`;
      return `${name} is no setting and does nothing: ${meant}`;
    });
}

/** A test holds the file against what the code reads. */
function knownSettings(root: string): string[] {
  const text = readFileSync(join(root, '.env.example'), 'utf8');
  return [...text.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name ?? '');
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const apart = known.map((each) => ({ each, letters: lettersApart(name, each) }));
  apart.sort((a, b) => a.letters - b.letters);
  const [first] = apart;
  return first === undefined || first.letters > lettersApartMax ? undefined : first.each;
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
