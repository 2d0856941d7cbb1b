import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Count } from './condition.ts';
import { addMark, countWithin, isAtMost, marksNeeded, type Mark, type Marks } from './windows.ts';

const mark = fc.record({
  time: fc.integer({ min: 0, max: 20 }),
  value: fc.constantFrom('s1', 's2', 's3', 's4'),
});
const marks = fc.array(mark, { maxLength: 12 });
const n = fc.integer({ min: 1, max: 4 });
const count: fc.Arbitrary<Count> = fc.oneof(
  n.map((at) => ({ type: 'at_least' as const, n: at })),
  n.map((at) => ({ type: 'at_most' as const, n: at - 1 })),
  n.map((at) => ({ type: 'distinct' as const, path: 'sku', n: at })),
  n.map((at) => ({ type: 'distinct_at_most' as const, path: 'sku', n: at - 1 })),
);

function marksOf(raw: readonly { time: number; value: string }[], kind: Count, prefix = ''): Mark[] {
  return raw.map(({ time, value }, index) => {
    const id = `${prefix}${String(index).padStart(3, '0')}`;
    return 'path' in kind ? [time, id, value] : [time, id];
  });
}
function kept(all: readonly Mark[], kind: Count): Marks {
  return all.reduce<Marks>((sofar, next) => addMark(sofar, next, kind), []);
}
function joined(a: Marks, b: Marks, kind: Count): Marks {
  return b.reduce((sofar, next) => addMark(sofar, next, kind), a);
}

/** Counted the slow way, over everything. */
function naive(all: readonly Mark[], kind: Count, withinMs: number | null, now: number): boolean {
  const inside = all.filter(([time]) => withinMs === null || time > now - withinMs);
  const value = 'path' in kind ? new Set(inside.map((one) => one[2])).size : inside.length;
  return isAtMost(kind) ? value <= kind.n : value >= kind.n;
}

describe('the marks that a counting condition keeps', () => {
  test('are at most what it needs, and the same whatever the order in which events arrive', () => {
    fc.assert(
      fc.property(marks, count, fc.infiniteStream(fc.nat()), (raw, kind, random) => {
        const all = marksOf(raw, kind);
        const shuffled = all
          .map((one) => ({ one, at: Number(random.next().value) }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        const result = kept(all, kind);
        expect(kept(shuffled, kind)).toEqual(result);
        expect(result.length).toBeLessThanOrEqual(marksNeeded(kind));
      }),
    );
  });

  test('answer as all of the history would, at every time and for every window', () => {
    fc.assert(
      fc.property(marks, count, fc.option(fc.integer({ min: 1, max: 10 })), (raw, kind, within) => {
        const all = marksOf(raw, kind);
        const few = kept(all, kind);
        for (let now = 0; now <= 32; now += 1) {
          expect(countWithin(few, kind, within, now).result).toBe(naive(all, kind, within, now));
        }
      }),
    );
  });

  test('say the moment at which the answer changes if nothing more happens', () => {
    fc.assert(
      fc.property(marks, count, fc.integer({ min: 1, max: 10 }), (raw, kind, within) => {
        const few = kept(marksOf(raw, kind), kind);
        for (let now = 20; now <= 32; now += 1) {
          const { result, changesAt } = countWithin(few, kind, within, now);
          expect(changesAt).toBeGreaterThan(now);
          for (let later = now; later <= 40; later += 1) {
            const expected = later < changesAt ? result : !result;
            expect(countWithin(few, kind, within, later).result).toBe(expected);
            if (later >= changesAt) break;
          }
        }
      }),
    );
  });

  test('of two people merge into those of one person who did both, in either order', () => {
    fc.assert(
      fc.property(marks, marks, count, (rawA, rawB, kind) => {
        const [a, b] = [marksOf(rawA, kind, 'a'), marksOf(rawB, kind, 'b')];
        const together = kept([...a, ...b], kind);
        expect(joined(kept(a, kind), kept(b, kind), kind)).toEqual(together);
        expect(joined(kept(b, kind), kept(a, kind), kind)).toEqual(together);
      }),
    );
  });
});
