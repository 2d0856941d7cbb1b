/** Whoever has not been heard of for a year is forgotten, and nobody else is, however many there are. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { memoryStores } from '../testing/memory/memory-stores.ts';
import { runs } from '../testing/runs.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import { KeptUntil, keptDays, lookedAtMax } from './kept-until.ts';

const DAY = 86_400_000;
const TODAY = 20_000;
const keyed = (): KeyedStore => memoryStores({}).keyed;

function heardOf(store: KeyedStore, key: string, day: number): void {
  const value = Buffer.alloc(8);
  value.writeUInt32LE(day, 0);
  store.put(key, value);
}

/** As the ends of batches do, each perhaps the first of a new process. @returns how many of them there were. */
function forget(store: KeyedStore, day: number): number {
  let batches = 0;
  for (let until = new KeptUntil(store); until.hasDue(day * DAY); until = new KeptUntil(store)) {
    for (const key of until.due(day * DAY)) store.delete(key);
    batches += 1;
  }
  return batches;
}

const keysOf = (store: KeyedStore): string[] => store.scan('q:', 'y:', 100_000).map(([key]) => key);

test('property: who was last heard of more than a year ago goes, and nobody else', () => {
  const name = fc.tuple(fc.constantFrom('v:shop:a:', 'q:shop:'), fc.string({ unit: 'grapheme' }));
  const heard = fc.uniqueArray(fc.tuple(name, fc.integer({ min: -2, max: 2 })), {
    selector: ([[kind, id]]) => kind + id,
    maxLength: 3 * lookedAtMax,
    size: 'max',
  });
  fc.assert(
    fc.property(heard, fc.integer({ min: 0, max: 3 }), (all, later) => {
      const store = keyed();
      const days = all.map(([[kind, id], off]) => [kind + id, TODAY - keptDays + off] as const);
      for (const [key, day] of days) heardOf(store, key, day);
      store.put('r:shop:cio_1', Buffer.from('cio_2')); // what is none of either
      for (const today of [TODAY, TODAY + later]) {
        forget(store, today);
        const left = days.filter(([, day]) => day >= today - keptDays).map(([key]) => key);
        expect(new Set(keysOf(store))).toEqual(new Set([...left, 'r:shop:cio_1']));
      }
    }),
    { numRuns: runs(20) },
  );
});

describe('the walk', () => {
  test('is made once a day, so much of it at the end of a batch', () => {
    const store = keyed();
    for (let each = 0; each < 3 * lookedAtMax; each += 1) heardOf(store, `v:shop:a:${String(each)}`, TODAY);
    expect(forget(store, TODAY)).toBeGreaterThanOrEqual(3);
    expect(forget(store, TODAY)).toBe(0);
    expect(forget(store, TODAY + 1)).toBeGreaterThanOrEqual(3);
    expect(keysOf(store)).toHaveLength(3 * lookedAtMax);
  });

  test('takes along the keys by which older versions knew the day', () => {
    const store = keyed();
    for (let each = 0; each < 2 * lookedAtMax; each += 1) {
      heardOf(store, `v:shop:a:${String(each)}`, TODAY);
      store.put(`x:${String(TODAY).padStart(6, '0')}:v:shop:a:${String(each)}`, Buffer.alloc(0));
    }
    forget(store, TODAY);
    expect(store.scan('x:', 'y:', 10)).toEqual([]);
    expect(keysOf(store)).toHaveLength(2 * lookedAtMax);
  });
});
