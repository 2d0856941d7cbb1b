/** What the rules of a workspace take: no product of one kind of rule and another, and no edit reads all of them again. */
import { describe, expect, test } from '@jest/globals';
import { Definitions } from '../../runtime/definitions.ts';
import { watchersFor } from './watchers.ts';
import { workspaceRules } from './workspace-rules.ts';

class Stored {
  readonly definitions = new Definitions();
  readonly #versions = new Map<string, number>();

  put(kind: 'segment' | 'journey', id: string, body: unknown): this {
    const version = (this.#versions.get(id) ?? 0) + 1;
    this.#versions.set(id, version);
    const record = {
      kind,
      workspace: 'shop',
      id,
      version,
      deleted: false,
      at: 0,
      body: JSON.stringify(body),
    };
    this.definitions.apply(this.definitions.offset, record);
    return this;
  }
  segment(id: string, when: unknown): this {
    return this.put('segment', id, { name: id, type: 'data_driven', when });
  }
  rules(open?: ReadonlySet<string>) {
    return workspaceRules(this.definitions, 'shop', open);
  }
}

const group = (of: readonly unknown[]): unknown => {
  if (of.length <= 50) return { any: of };
  const parts = Array.from({ length: Math.ceil(of.length / 50) }, (_, n) => ({
    any: of.slice(n * 50, n * 50 + 50),
  }));
  return { any: parts };
};
const named = (from: number, count: number) =>
  group(Array.from({ length: count }, (_, n) => ({ event: `e${String(from + n)}` })));
const ofAnyName = (count: number) =>
  group(
    Array.from({ length: count }, (_, n) => ({
      event: { operator: 'starts_with', value: `x${String(n)}` },
    })),
  );

describe('rules of a workspace', () => {
  test('that say names and rules that ask every event are kept once each, not once for each other', () => {
    const stored = new Stored();
    for (let n = 0; n < 40; n += 1) stored.segment(`named-${String(n)}`, named(n * 150, 150));
    for (let n = 0; n < 40; n += 1) stored.segment(`any-${String(n)}`, ofAnyName(150));
    const { byName, ofAnyName: any } = stored.rules();
    const kept = [...byName.values(), ...any.values()].reduce((sum, { counted }) => sum + counted.length, 0);
    expect(byName.size).toBe(6_000);
    expect(kept).toBe(6_000 + 3 * 6_000);
  });

  test('are asked by an event of either kind once, those of every event first', () => {
    const stored = new Stored()
      .segment('a', { event: 'Added' })
      .segment('b', { event: { operator: 'starts_with', value: 'Add' } })
      .segment('c', { sequence: [{ event: 'Added' }, { type: 'page' }] })
      .segment('d', { type: 'page' });
    const asked = (type: string, name: string | null) =>
      watchersFor(stored.rules(), type, name)?.counted.map(({ rule }) => rule.key);
    expect(asked('event', 'Added')).toEqual(['s:b', 's:a', 's:c']);
    expect(asked('page', 'Added')).toEqual(['s:b', 's:c', 's:d', 's:a']);
    expect(asked('page', '/')).toEqual(['s:b', 's:c', 's:d']);
    expect(asked('event', 'Other')).toEqual(['s:b']);
    expect(asked('identify', null)).toBeUndefined();
  });

  test('are read again one by one as they change, and shared as long as they do not', () => {
    const stored = new Stored().segment('a', { event: 'A' }).segment('b', { event: 'B' });
    const before = stored.rules();
    const open = stored.rules(new Set(['s:a']));
    expect(open.segments).toBe(before.segments);
    expect(open.stamp).not.toBe(before.stamp);
    expect([...open.open]).toEqual(['s:a']);
    stored.segment('b', { event: 'C' });
    const after = stored.rules();
    expect(after.segmentsByKey.get('s:a')).toBe(before.segmentsByKey.get('s:a'));
    expect(after.segmentsByKey.get('s:b')).not.toBe(before.segmentsByKey.get('s:b'));
    expect(after.byName.has('B')).toBe(false);
  });
});
