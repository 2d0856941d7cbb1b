/** The cache of what was read: whatever it forgets, it answers with what the file has. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../testing/runs.ts';
import { keyHash } from './key-hash.ts';
import { cachedBytesMax, ReadCache } from './read-cache.ts';

const KEYS = [
  'a',
  'b',
  'ab',
  'a longer key',
  'é',
  ...Array.from({ length: 20 }, (_, i) => `key ${String(i)}`),
];
const value = fc.option(fc.string({ maxLength: 60 }), { nil: null });
const step = fc.record({
  store: fc.constantFrom(0, 1),
  key: fc.constantFrom(...KEYS),
  /** undefined: it is read; else written. */
  written: fc.option(value, { nil: undefined }),
  /** One hash for all, so that they meet in one place. */
  isSameHash: fc.constantFrom(false, false, true),
});

test('what it knows is what the file has, in each of two stores, however often it forgets', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(1_024, 4_096), (steps, bytesMax) => {
      const cache = new ReadCache(bytesMax);
      const stores = [cache.newStore(), cache.newStore()];
      const files = [new Map<string, string>(), new Map<string, string>()];
      const hashes = new Map(steps.map((one) => [one.key, one.isSameHash ? 7 : keyHash(one.key)]));
      for (const { store, key, written } of steps) {
        const number = stores[store] ?? 0;
        const file = files[store] ?? new Map<string, string>();
        const hash = hashes.get(key) ?? 0;
        if (written !== undefined) {
          cache.written(number, key, hash, written === null ? null : Buffer.from(written));
          if (written === null) file.delete(key);
          else file.set(key, written);
        }
        const known = cache.get(number, key, hash);
        const there = file.get(key);
        if (known !== undefined) expect(known?.toString() ?? null).toBe(there ?? null);
        else cache.keep(number, key, hash, there === undefined ? null : Buffer.from(there));
      }
    }),
    { numRuns: runs(200) },
  );
});

test('what is asked for again and again is not read again, and bytes that were given stay as they were', () => {
  const cache = new ReadCache(8_192);
  const store = cache.newStore();
  const keep = (key: string) => {
    cache.keep(store, key, keyHash(key), Buffer.from(`value of ${key}`));
  };
  keep('often');
  const first = cache.get(store, 'often', keyHash('often'));
  for (let i = 0; i < 1_000; i += 1) {
    keep(`seldom ${String(i)}`);
    expect(cache.get(store, 'often', keyHash('often'))?.toString()).toBe('value of often');
  }
  expect(cache.get(store, 'seldom 0', keyHash('seldom 0'))).toBeUndefined();
  expect(first?.toString()).toBe('value of often');
});

test('of more than it holds, asked for in turn again and again, some is found all the same', () => {
  const cache = new ReadCache(8_192);
  const store = cache.newStore();
  const round = () => {
    let found = 0;
    for (let i = 0; i < 200; i += 1) {
      const key = `key ${String(i)}`;
      const hash = keyHash(key);
      if (cache.get(store, key, hash) === undefined) cache.keep(store, key, hash, Buffer.from('value'));
      else found += 1;
    }
    return found;
  };
  const found = Array.from({ length: 100 }, round);
  expect(found.slice(0, 1)).toEqual([0]);
  expect(found.slice(50).reduce((sum, one) => sum + one, 0)).toBeGreaterThan(50);
});

test('a value that became too large for it is not known any more, in either half', () => {
  const cache = new ReadCache(100_000);
  const store = cache.newStore();
  const hash = keyHash('key');
  cache.keep(store, 'key', hash, Buffer.from('small'));
  cache.written(store, 'key', hash, Buffer.alloc(cachedBytesMax + 1));
  expect(cache.get(store, 'key', hash)).toBeUndefined();
});
