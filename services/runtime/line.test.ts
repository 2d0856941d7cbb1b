/** Who waits stands in a line from which anybody may leave, and who has left holds nobody. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { Line, type InLine } from './line.ts';

interface Guest extends InLine<Guest> {
  readonly number: number;
}

function guest(number: number): Guest {
  return { number, before: undefined, after: undefined, isInLine: false };
}

const numbers = (line: Iterable<Guest>) => [...line].map(({ number }) => number);

test('it is the list that a Set would have, whoever comes and leaves', () => {
  const move = fc.oneof(fc.constant(undefined), fc.nat({ max: 60 }));
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      const [line, set, all] = [new Line<Guest>(), new Set<Guest>(), [] as Guest[]];
      for (const at of moves) {
        const leaving = at === undefined ? undefined : all[at % Math.max(1, all.length)];
        if (leaving === undefined) {
          const next = guest(all.length);
          all.push(next);
          set.add(next);
          line.add(next);
        } else {
          set.delete(leaving);
          line.remove(leaving); // also who has left before
          expect([leaving.before, leaving.after]).toEqual([undefined, undefined]);
        }
        expect(numbers(line)).toEqual(numbers(set));
        expect(line.first).toBe([...set][0]);
      }
    }),
    { numRuns: runs(300) },
  );
});

test('who leaves may come again, and stands last', () => {
  const line = new Line<Guest>();
  const all = [0, 1, 2].map(guest);
  for (const each of all) line.add(each);
  for (const each of all.slice(0, 2)) {
    line.remove(each);
    line.add(each);
  }
  expect(numbers(line)).toEqual([2, 0, 1]);
});

test('one who leaves while all are gone through keeps nobody from their turn', () => {
  const line = new Line<Guest>();
  for (const number of [0, 1, 2]) line.add(guest(number));
  const met: number[] = [];
  for (const each of line) {
    met.push(each.number);
    line.remove(each);
  }
  expect(met).toEqual([0, 1, 2]);
  expect(line.first).toBeUndefined();
});
