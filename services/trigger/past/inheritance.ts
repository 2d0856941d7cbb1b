/**
 * What people have of each other who became one: an identify of somebody who was merged into another has been said of the
 * other from then on, and triggers nothing there. Pure.
 */
import type { HistoryRow } from './history-source.ts';

export interface WrittenRow {
  /** Whose it was when it was written. */
  readonly writtenId: string;
  readonly row: HistoryRow;
}

export interface Merge {
  readonly personId: string;
  readonly into: string;
  /** ms */
  readonly at: number;
}

/** Who somebody became, one after the other, with the latest moment on the way there, ms. */
type Path = ReadonlyMap<string, number>;

class Inheritance {
  readonly #merges: ReadonlyMap<string, Merge>;
  readonly #paths = new Map<string, Path>();

  constructor(merges: readonly Merge[]) {
    this.#merges = new Map(merges.map((merge) => [merge.personId, merge]));
  }

  /** ms; when the streams of the two were first one's; undefined: they never were. */
  oneSince(a: string, b: string): number | undefined {
    const [ofA, ofB] = [this.#pathOf(a), this.#pathOf(b)];
    for (const [personId, at] of ofA) {
      const other = ofB.get(personId);
      if (other !== undefined) return Math.max(at, other);
    }
    return undefined;
  }

  #pathOf(personId: string): Path {
    const known = this.#paths.get(personId);
    if (known !== undefined) return known;
    const path = new Map([[personId, -Infinity]]);
    let latest = -Infinity;
    for (let merge = this.#merges.get(personId); merge !== undefined && !path.has(merge.into);) {
      latest = Math.max(latest, merge.at);
      path.set(merge.into, latest);
      merge = this.#merges.get(merge.into);
    }
    this.#paths.set(personId, path);
    return path;
  }
}

/**
 * By whom of them a row was written, what the others had said.
 *
 * @param own rows of people, of whom each is asked about.
 * @param said by anybody who became one of them.
 * @param todayOf whoever said something, who they are.
 */
export function inheritedOf(
  own: readonly WrittenRow[],
  said: readonly WrittenRow[],
  of: { readonly todayOf: ReadonlyMap<string, string>; readonly merges: readonly Merge[] },
): readonly WrittenRow[] {
  const inheritance = new Inheritance(of.merges);
  const byToday = new Map<string, WrittenRow[]>();
  for (const one of said) {
    const today = of.todayOf.get(one.writtenId) ?? '';
    const others = byToday.get(today);
    if (others === undefined) byToday.set(today, [one]);
    else others.push(one);
  }
  const heirs = new Map(
    own.map(({ writtenId, row }) => [`${writtenId} ${row.personId}`, { writtenId, row }]),
  );
  return [...heirs.values()].flatMap(({ writtenId, row: { personId } }) =>
    (byToday.get(personId) ?? []).flatMap(({ writtenId: other, row }): WrittenRow[] => {
      const since = other === writtenId ? undefined : inheritance.oneSince(writtenId, other);
      if (since === undefined) return [];
      const mergedAt = Math.max(row.mergedAt, since);
      return [{ writtenId, row: { ...row, personId, mergedAt, isInherited: true } }];
    }),
  );
}
