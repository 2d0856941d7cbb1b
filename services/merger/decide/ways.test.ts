import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PersonId } from '../../../schemas/ids.ts';
import { chainMax, survivorOf, type PersonMark } from './people.ts';
import { Ways, waysMax } from './ways.ts';

type Found = ReturnType<typeof survivorOf>;

/** Follows every mark, each time. */
function walked(marks: ReadonlyMap<string, PersonMark>, personId: PersonId, learnedAt: number): Found {
  let [current, since, staleBelow] = [personId, undefined as number | undefined, -1];
  const freed = [];
  for (let step = 0; step < chainMax; step += 1) {
    const mark = marks.get(current);
    staleBelow = Math.max(staleBelow, mark?.staleBelow ?? -1);
    if (mark?.gone === true || staleBelow > learnedAt) return undefined;
    if (mark?.into === undefined) return { personId: current, since, freed, staleBelow };
    [current, since] = [mark.into, mark.intoAt];
    freed.push(...(mark.freed ?? []));
  }
  return undefined;
}

const person = (number: number): PersonId => `p${String(number)}` as PersonId;
const freedOf = (number: number) => [{ kind: 'id', value: String(number) }] as const;

test('the way to the survivor is what following every mark comes to, whatever is asked and changed between', () => {
  const number = fc.nat({ max: 12 });
  const change = fc.oneof(
    fc.record({ type: fc.constant('ask' as const), who: number, learnedAt: fc.nat({ max: 9 }) }),
    fc.record({ type: fc.constant('into' as const), who: number, step: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ type: fc.constant('gone' as const), who: number }),
    fc.record({ type: fc.constant('stale' as const), who: number, staleBelow: fc.nat({ max: 9 }) }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
      const marks = new Map<string, PersonMark>();
      const ways = new Ways();
      for (const [at, each] of changes.entries()) {
        const who = person(each.who);
        if (each.type === 'ask') {
          const people = (personId: PersonId) => ways.find('shop:', (id) => marks.get(id), personId);
          expect(survivorOf(people, who, each.learnedAt)).toEqual(walked(marks, who, each.learnedAt));
          continue;
        }
        const before = marks.get(who);
        if (each.type === 'into') {
          const freed = freedOf(at);
          marks.set(who, { ...before, into: person(each.who + each.step), intoAt: at, freed });
        } else if (each.type === 'gone') marks.set(who, { ...before, gone: true });
        else marks.set(who, { ...before, staleBelow: each.staleBelow });
        ways.forget();
      }
    }),
  );
});

test.each([
  ['as long as chains may be, less one', chainMax - 1],
  ['as long as chains may be', chainMax],
  ['longer than what is walked at once', 9 * chainMax],
  ['longer than what is kept', waysMax + 2 * chainMax],
])('a chain of merges is walked once, not once per person of it: %s', (_, merges) => {
  const marks = new Map(
    Array.from({ length: merges }, (__, i) => [
      person(i) as string,
      { into: person(i + 1), intoAt: i, freed: freedOf(i) },
    ]),
  );
  let reads = 0;
  const ways = new Ways();
  const people = (personId: PersonId) => ways.find('shop:', (id) => ((reads += 1), marks.get(id)), personId);
  let longest = 0;
  for (let i = 0; i <= merges; i += 1) {
    const before = reads;
    const found = survivorOf(people, person(i), Infinity)?.personId;
    expect(found).toBe(merges - i < chainMax ? person(merges) : undefined);
    longest = Math.max(longest, reads - before);
  }
  expect(reads).toBeLessThan(2 * merges + 2);
  expect(longest).toBeLessThanOrEqual(4 * chainMax);
});

test('people of two workspaces with one person id have each their own way', () => {
  const ways = new Ways();
  const merged = ways.find('a:', (id) => (id === person(0) ? { into: person(1) } : undefined), person(0));
  const alone = ways.find('b:', () => undefined, person(0));
  expect([merged.personId, alone.personId]).toEqual([person(1), person(0)]);
});
