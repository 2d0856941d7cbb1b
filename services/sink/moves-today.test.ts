import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { moveRowsMax, movesToday, peopleToday, type HistoryFact } from './moves-today.ts';
import { refreshToday, type TodayTables } from './today.ts';

type Said = readonly [number, string, string, string | null];
const fact = ([number, kind, personId, other]: Said, name = '0'): HistoryFact => ({
  ...{ number, kind, person_id: personId, other_person_id: other, name_key: name },
});
const absorbed = (number: number, who: string, by: string) => fact([number, 'person_absorbed', who, by]);
const moved = (number: number, from: string, to: string, name = '7') => [
  fact([number, 'person_split', to, from]),
  fact([number + 1, 'anonymous_moved', to, from], name),
];
const p = (n: number) => `p${String(n)}`;
const chain = (length: number) => Array.from({ length }, (_, n) => absorbed(n + 1, p(n), p(n + 1)));

describe('a history that one key can make', () => {
  test('of a hundred thousand who were merged one into the other is followed in a moment', () => {
    const today = peopleToday([...chain(100_000), fact([100_001, 'person_deleted', p(100_000), null])]);
    expect(today.size).toBe(100_001);
    expect(new Set(today.values())).toEqual(new Set(['']));
  });

  test('of a name that went to and fro ten thousand times, too', () => {
    const facts = Array.from({ length: 10_000 }, (_, n) =>
      moved(2 * n + 1, n % 2 ? 'b' : 'a', n % 2 ? 'a' : 'b'),
    );
    const rows = movesToday(facts.flat()) ?? [];
    expect(rows).toHaveLength(10_000);
    expect(new Set(rows.map(({ today_id: to }) => to))).toEqual(new Set(['a']));
  });

  test('of everybody in one, who then loses very many names, is too long', () => {
    const many = Array.from({ length: 300 }, (_, n) => absorbed(n + 1, p(n), 'one'));
    const lost = Array.from({ length: Math.ceil(moveRowsMax / 300) }, (_, n) =>
      moved(1_000 + 2 * n, 'one', 'other', String(n)),
    );
    expect(movesToday([...many, ...lost.flat()])).toBeUndefined();
  });

  test('of very many names of somebody at the beginning of a long chain is too long', () => {
    const names = Array.from({ length: 1_000 }, (_, n) => fact([2, 'anonymous_moved', 'p0', 'x'], String(n)));
    const after = chain(10_000).map((each) => ({ ...each, number: each.number + 10 }));
    expect(movesToday([fact([1, 'person_split', 'p0', 'x']), ...names, ...after])).toBeUndefined();
  });
});

/** Who lives merges, splits and is deleted. */
const histories = fc
  .array(fc.record({ kind: fc.nat(5), who: fc.nat(6), other: fc.nat(6), name: fc.nat(2) }), { maxLength: 40 })
  .map((steps) => {
    const gone = new Set<number>();
    return steps.flatMap(({ kind, who, other, name }, index) => {
      if (who === other || gone.has(who) || gone.has(other)) return [];
      if (kind < 2) {
        gone.add(who);
        return [absorbed(3 * index + 1, p(who), p(other))];
      }
      return moved(3 * index + 1, p(who), p(other), String(name));
    });
  });

/** Each row of a name that has moved, taken through the facts one after the other. */
function oracle(facts: readonly HistoryFact[]): Set<string> {
  const told = new Map<string, { readonly name: string; now: string }>();
  const follow = (from: string, to: string, name?: string): void => {
    for (const row of told.values()) {
      if (row.now === from && (name === undefined || row.name === name)) row.now = to;
    }
  };
  let split = 0;
  for (const { kind, number, person_id: personId, other_person_id: other, name_key: name } of facts) {
    if (kind === 'person_split') split = number;
    if (kind === 'person_absorbed') follow(personId, other ?? '');
    if (kind !== 'anonymous_moved' || other === null) continue;
    follow(other, personId, name);
    // Whoever the mover is or had taken in, whatever became of their names before: what is written later goes by this one.
    for (const written of [other, ...ownedBy(facts, other, number)]) {
      told.set(`${written} ${name} ${String(split)}`, { name, now: personId });
    }
  }
  return new Set([...told].map(([key, { now }]) => `${key} ${now}`));
}

function ownedBy(facts: readonly HistoryFact[], owner: string, before: number): readonly string[] {
  const own = facts.filter(
    ({ kind, number, other_person_id: by }) => kind === 'person_absorbed' && by === owner && number < before,
  );
  return own.flatMap(({ person_id: id }) => [id, ...ownedBy(facts, id, before)]);
}

test('whatever happened, each row of each name is whose it is when all facts are gone through in their order', () => {
  fc.assert(
    fc.property(histories, (facts) => {
      const rows = movesToday(facts) ?? [];
      expect(
        new Set(rows.map((row) => [row.person_id, row.name_key, row.before, row.today_id].join(' '))),
      ).toEqual(oracle(facts));
    }),
    { numRuns: runs(500) },
  );
});

describe('where the engine cannot follow all histories at once', () => {
  /** An engine whose views fail, and whose facts are these. */
  class Engine implements TodayTables {
    readonly inserted: Readonly<Record<string, unknown>>[] = [];
    readonly #facts: ReadonlyMap<string, readonly HistoryFact[]>;
    constructor(facts: ReadonlyMap<string, readonly HistoryFact[]>) {
      this.#facts = facts;
    }
    rows<Row>(question: string): Promise<readonly Row[]> {
      const of = /workspace = '(\w+)'/.exec(question)?.[1];
      const answer = (): readonly object[] => {
        if (question.includes('count()')) return [{ facts: '9' }];
        if (question.includes('DISTINCT toString(workspace)')) {
          return [...this.#facts.keys()].map((workspace) => ({ workspace }));
        }
        return of === undefined ? [] : (this.#facts.get(of) ?? []);
      };
      return Promise.resolve(answer() as readonly Row[]); // what the question asks for
    }
    insert(table: string, values: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
      this.inserted.push(...values.map((value) => ({ table, ...value })));
      return Promise.resolve();
    }
    fill(): Promise<boolean> {
      return Promise.resolve(false);
    }
    nameOf(table: string): string {
      return table;
    }
  }

  test('each workspace is followed by itself, and one that is too long is left out alone', async () => {
    const long = Array.from({ length: 200_001 }, (_, n) => absorbed(n, p(n), p(n + 1)));
    const engine = new Engine(
      new Map([
        ['evil', long],
        ['quiet', [absorbed(1, 'ada', 'bob')]],
      ]),
    );
    expect(await refreshToday(engine, 'all')).toEqual(['evil']);
    expect(engine.inserted).toEqual([
      { table: 'stored_today', person_id: 'ada', today_id: 'bob', version: '9' },
    ]);
  });
});
