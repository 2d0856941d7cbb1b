import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { resolutionsAfter, type Resolution, type ResolvingFact } from './today.ts';

const absorbed = (personId: string, other: string): ResolvingFact => ({
  kind: 'person_absorbed',
  person_id: personId,
  other_person_id: other,
});
const deleted = (personId: string): ResolvingFact => ({
  kind: 'person_deleted',
  person_id: personId,
  other_person_id: null,
});
const row = (personId: string, todayId: string): Resolution => ({ person_id: personId, today_id: todayId });

describe('whose rows are whose, after', () => {
  test('a merge: the survivor’s, and so are those of whom the absorbed had taken in', () => {
    expect(resolutionsAfter([], [absorbed('ada', 'bob')])).toEqual([row('ada', 'bob')]);
    expect(resolutionsAfter([row('ada', 'bob')], [absorbed('bob', 'eve')])).toEqual([
      row('ada', 'eve'),
      row('bob', 'eve'),
    ]);
  });

  test('a deletion: nobody’s', () => {
    expect(resolutionsAfter([row('ada', 'bob')], [deleted('bob')])).toEqual([row('ada', ''), row('bob', '')]);
  });

  test('a move of a name: what they were', () => {
    const moved = { kind: 'anonymous_moved', person_id: 'ada', other_person_id: 'bob' };
    expect(resolutionsAfter([row('ada', 'bob')], [moved])).toEqual([]);
  });

  test('a thousand merges of who had taken in a hundred thousand: as soon as one of them', () => {
    const taken = Array.from({ length: 100_000 }, (_, n) => row(`q${String(n)}`, 'p0'));
    const chain = Array.from({ length: 1_000 }, (_, n) => absorbed(`p${String(n)}`, `p${String(n + 1)}`));
    const before = process.cpuUsage();
    const changed = resolutionsAfter(taken, chain);
    const { user } = process.cpuUsage(before);
    expect(changed).toHaveLength(101_000);
    expect(new Set(changed.map(({ today_id: to }) => to))).toEqual(new Set(['p1000']));
    expect(user).toBeLessThan(3_000_000); // 20 s and more when each merge went over all of them
  });

  test('facts that were followed before: what they were', () => {
    const facts = [absorbed('ada', 'bob'), absorbed('bob', 'eve')];
    expect(resolutionsAfter(resolutionsAfter([], facts), facts)).toEqual([]);
  });
});

/** A history in which nobody who is absorbed or deleted does anything any more. */
const histories = fc
  .array(fc.record({ who: fc.nat(11), other: fc.nat(11), deletes: fc.boolean() }), { maxLength: 30 })
  .map((steps) => {
    const gone = new Set<number>();
    return steps.flatMap(({ who, other, deletes }) => {
      if (gone.has(who) || (!deletes && (who === other || gone.has(other)))) return [];
      gone.add(who);
      return [deletes ? deleted(String(who)) : absorbed(String(who), String(other))];
    });
  });

/** Everybody followed from the start, as the view person_resolutions does it. */
function resolvedFromTheStart(facts: readonly ResolvingFact[]): Map<string, string> {
  const next = new Map(facts.map((fact) => [fact.person_id, fact.other_person_id ?? '']));
  const follow = (personId: string): string => {
    const to = next.get(personId);
    return to === undefined ? personId : to === '' ? '' : follow(to);
  };
  return new Map([...next.keys()].map((personId) => [personId, follow(personId)]));
}

test('followed batch by batch, each perhaps again, they are what they are from the start', () => {
  const property = fc.property(
    histories,
    fc.array(fc.nat(30)),
    fc.array(fc.boolean()),
    (facts, cuts, again) => {
      const ends = [...new Set([...cuts.map((cut) => Math.min(cut, facts.length)), facts.length])].sort(
        (a, b) => a - b,
      );
      const today = new Map<string, string>();
      let from = 0;
      ends.forEach((to, index) => {
        const part = facts.slice(from, to);
        for (const fact of again[index] === true ? [part, part] : [part]) {
          const concerned = new Set(fact.flatMap((each) => [each.person_id, each.other_person_id]));
          const before = [...today]
            .filter(([personId, todayId]) => concerned.has(personId) || concerned.has(todayId))
            .map(([personId, todayId]) => row(personId, todayId));
          for (const { person_id: id, today_id: todayId } of resolutionsAfter(before, fact))
            today.set(id, todayId);
        }
        from = to;
      });
      expect(today).toEqual(resolvedFromTheStart(facts));
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});
