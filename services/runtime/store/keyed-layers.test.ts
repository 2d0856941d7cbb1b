/** What the keyed store answers while changes lie in its layers: as a map would that is changed at once. */
import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { runs } from '../../testing/runs.ts';
import { LmdbKeyedStore } from './keyed-store.ts';
import { ReadCache } from './read-cache.ts';

const folders: string[] = [];
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

/** Of a few records, so that some are forgotten. */
const CACHE_BYTES = 1_024;
const KEYS = ['a', 'b', 'bb', 'c', 'é', '\ufffd', '\u{1f600}'];
const key = fc.constantFrom(...KEYS);
type Change = { readonly key: string } & (
  { readonly type: 'put' | 'putLate'; readonly value: number } | { readonly type: 'delete' | 'get' }
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ type: fc.constantFrom('put' as const, 'putLate' as const), key, value: fc.nat(9) }),
  fc.record({ type: fc.constantFrom('delete' as const, 'get' as const), key }),
);
const batch = fc.record({
  changes: fc.array(change, { maxLength: 8 }),
  end: fc.constantFrom('commit', 'commit', 'takeBack'),
  /** What is done with what is committed, behind the batch. */
  then: fc.constantFrom('nothing', 'nothing', 'beginGroup', 'writeGroup'),
  scanned: fc.record({ from: key, to: key, limit: fc.nat(KEYS.length) }),
});

test('what a batch that is taken back has changed is as it was, whatever waits to be written', () => {
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 12 }), (batches) => {
      const folder = mkdtempSync(join(tmpdir(), 'hindsight-layers-'));
      folders.push(folder);
      const store = new LmdbKeyedStore(folder, new ReadCache(CACHE_BYTES));
      let committed = new Map<string, string>();
      for (const { changes, end, then, scanned } of batches) {
        const open = new Map(committed);
        for (const one of changes) apply(store, open, one);
        expect(seen(store, all)).toEqual(sorted(open, all));
        expect(seen(store, scanned)).toEqual(sorted(open, scanned));
        if (end === 'commit') {
          store.commit();
          committed = open;
        } else store.takeBack();
        expect(store.openEntries).toBe(0);
        if (then !== 'nothing') store.beginGroup();
        if (then === 'writeGroup') store.writeGroup(Buffer.from('mark'));
        expect(seen(store, all)).toEqual(sorted(committed, all));
        expect(seen(store, scanned)).toEqual(sorted(committed, scanned));
        expect(KEYS.map((one) => store.get(one)?.toString())).toEqual(KEYS.map((one) => committed.get(one)));
      }
      store.close();
    }),
    { numRuns: runs(20) },
  );
});

function apply(store: LmdbKeyedStore, map: Map<string, string>, one: Change): void {
  switch (one.type) {
    case 'get':
      expect(store.get(one.key)?.toString()).toBe(map.get(one.key));
      return;
    case 'delete':
      store.delete(one.key);
      map.delete(one.key);
      return;
    case 'put':
    case 'putLate': {
      const bytes = Buffer.from(String(one.value).repeat(one.value));
      map.set(one.key, bytes.toString());
      if (one.type === 'putLate') store.putLate(one.key, () => Buffer.from(bytes));
      else {
        store.put(one.key, bytes);
        bytes.fill(0); // the store has a copy
      }
    }
  }
}

interface Range {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
}
const all: Range = { from: 'a', to: '\u{10ffff}', limit: KEYS.length };

function seen(store: LmdbKeyedStore, { from, to, limit }: Range): readonly (readonly [string, string])[] {
  return store.scan(from, to, limit).map(([name, value]) => [name, value.toString()]);
}

function sorted(
  map: ReadonlyMap<string, string>,
  { from, to, limit }: Range,
): readonly (readonly [string, string])[] {
  const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const within = [...map].filter(([name]) => order(name, from) >= 0 && order(name, to) < 0);
  return within.sort(([a], [b]) => order(a, b)).slice(0, limit);
}
