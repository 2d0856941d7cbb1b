import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { differences, type Difference } from './difference.ts';

const value = fc.jsonValue({ maxDepth: 3 });

/** What the differences say is done to the first; of a list those that go are its last. */
function applied(from: unknown, found: readonly Difference[]): unknown {
  let result: unknown = structuredClone(from);
  for (const one of [...found].reverse()) {
    if (one.pointer === '') {
      result = one.to;
      continue;
    }
    const keys = one.pointer
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    let at = result as Record<string, unknown>;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    if ('to' in one)
      Object.defineProperty(at, last, {
        value: one.to,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else if (Array.isArray(at)) at.splice(Number(last), 1);
    else Reflect.deleteProperty(at, last);
  }
  return result;
}

describe('where two definitions differ', () => {
  test('is said by pointer, with what was there and what is', () => {
    const from = { name: 'A', when: { all: [{ event: 'x' }, { event: 'y' }] }, 'a/b': 1 };
    const to = { name: 'A', when: { all: [{ event: 'x', within: 'P1D' }] }, 'a/b': [1] };
    expect(differences(from, to, 10)).toEqual([
      { pointer: '/when/all/0/within', to: 'P1D' },
      { pointer: '/when/all/1', from: { event: 'y' } },
      { pointer: '/a~1b', from: 1, to: [1] },
    ]);
    expect(differences(from, to, 1)).toHaveLength(1);
  });

  test('of any two values makes the second out of the first, and is nothing between equal ones', () => {
    fc.assert(
      fc.property(value, value, (from, to) => {
        expect(JSON.stringify(sorted(applied(from, differences(from, to, Infinity))))).toBe(
          JSON.stringify(sorted(to)),
        );
        expect(differences(from, structuredClone(from), Infinity)).toEqual([]);
      }),
      { numRuns: runs(200) },
    );
  });
});

/** Members have no order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, each]) => [key, sorted(each)]);
}
