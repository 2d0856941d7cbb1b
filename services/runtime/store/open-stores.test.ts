import { afterAll, describe, expect, test } from '@jest/globals';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CodedError } from '../errors.ts';
import { openPartitionStores } from './open-stores.ts';
import { LmdbKeyedStore } from './keyed-store.ts';
import type { EventStore } from './ports.ts';
import { expectModel, step, StoresModel as Model } from '../../testing/stores/stores-model.ts';
import {
  doStep as run,
  laneOf,
  modelNeeds as needs,
  partsOf as parts,
  type Step,
} from '../../testing/stores/stores-steps.ts';
import { runs } from '../../testing/runs.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hindsight-stores-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

describe('the stores of a partition', () => {
  test('hold, after an end at any point, exactly what was flushed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(step, { maxLength: 30 }), { minLength: 1, maxLength: 6 }),
        fc.nat(6),
        fc.boolean(),
        (batches, flushedAt, openAtEnd) => {
          const at = folder();
          const stores = openPartitionStores(at, needs);
          const flushed = Math.min(flushedAt, batches.length);
          batches.forEach((steps, index) => {
            for (const one of steps) run(stores, one);
            if (openAtEnd && index === batches.length - 1) return;
            stores.committed(index + 1);
            if (index + 1 === flushed) stores.flush();
          });
          // A copy of the files as they lie now is what kill -9 would leave.
          const left = folder();
          cpSync(at, left, { recursive: true });
          stores.close();
          const again = openPartitionStores(left, needs);
          const reached = again.mark;
          expect(reached === 0 || reached === flushed).toBe(true);
          expectModel(again, Model.of(batches.slice(0, reached).flat()));
          again.close();
        },
      ),
      { numRuns: runs(6) },
    );
  });

  test('cut at a random length, open at their mark or say store_behind or store_damaged, never anything else', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 80 }),
        fc.array(step, { maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('events', 'duplicates'),
        (before, after, share, part) => {
          const at = folder();
          const stores = openPartitionStores(at, needs);
          for (const one of before) run(stores, one);
          stores.committed(1);
          stores.flush();
          const safe = sizes(join(at, part));
          for (const one of after) run(stores, one);
          stores.committed(2);
          parts(stores);
          const left = folder();
          cpSync(at, left, { recursive: true });
          stores.close();
          const grown = sizes(join(at, part));
          const name = '00000001.seg';
          // The bytes that the second batch wrote, torn anywhere, over the folder as the first left it.
          copyFileSync(join(at, part, name), join(left, part, name));
          const length = Math.floor(share * (grown.get(name) ?? 0));
          truncateSync(join(left, part, name), length);
          try {
            const again = openPartitionStores(left, needs);
            expect(length).toBeGreaterThanOrEqual(safe.get(name) ?? 0);
            expect(again.mark).toBe(1);
            expectModel(again, Model.of(before));
            again.close();
          } catch (error) {
            if (!(error instanceof CodedError)) throw error;
            expect(['store_behind', 'store_damaged']).toContain(error.code);
            expect(length).toBeLessThan(safe.get(name) ?? 0);
          }
        },
      ),
      { numRuns: runs(6) },
    );
  });

  test.each([
    ['as 0.1.0 wrote it', undefined],
    ['4, which has no secret', 4],
  ])('of another format are refused, not misread: %s', (_, format) => {
    const at = folder();
    const stores = openPartitionStores(at, needs);
    run(stores, { lane: 1, act: 'append', value: 3 });
    stores.committed(1);
    stores.flush();
    stores.close();
    const keyed = new LmdbKeyedStore(join(at, 'keyed'));
    const mark = JSON.parse(keyed.mark()?.toString() ?? '') as object;
    keyed.writeGroup(Buffer.from(JSON.stringify({ ...mark, format })));
    keyed.close();
    expect(() => openPartitionStores(at, needs)).toThrow(expect.objectContaining({ code: 'store_format' }));
  });

  test('a snapshot opens as what it was taken from', async () => {
    const stores = openPartitionStores(folder(), needs);
    const steps: Step[] = Array.from({ length: 300 }, (_, i) => ({
      lane: i % 21,
      act: (['append', 'queue', 'flag', 'put', 'seen'] as const)[i % 5] ?? 'append',
      value: i % 200,
    }));
    for (const one of steps) run(stores, one);
    stores.committed(7);
    const copy = folder();
    const taken = stores.snapshot(copy);
    run(stores, { lane: 1, act: 'append', value: 3 }); // goes on while the copy is made
    await taken;
    const again = openPartitionStores(copy, needs);
    expect(again.mark).toBe(7);
    expectModel(again, Model.of(steps));
    const hexOf = (events: EventStore): string => events.laneKeyHex(laneOf(events, 1));
    expect(hexOf(parts(again).events)).toBe(hexOf(parts(stores).events)); // under the same secret
    const other = openPartitionStores(folder(), needs);
    expect(hexOf(parts(other).events)).not.toBe(hexOf(parts(stores).events));
    for (const each of [other, again, stores]) each.close();
  });

  test('release order is (timestamp, arrival)', () => {
    const { events } = parts(openPartitionStores(folder(), needs));
    const slot = laneOf(events, 1);
    const order = [5, 3, 5, 1, 3];
    order.forEach((timestamp, index) => {
      const bytes = Buffer.from(String(index));
      events.append(slot, 'waiting', 100 + index, timestamp, bytes, 0, bytes.length);
    });
    const stored = events.events(slot, 'waiting', 101);
    stored.sortByTimestamp();
    expect(Array.from({ length: stored.length }, (_, i) => stored.read(i).toString())).toEqual([
      '3',
      '1',
      '4',
      '2',
    ]);
  });

  test('the index grows without losing a lane', () => {
    const { events } = parts(openPartitionStores(folder(), needs));
    const bytes = Buffer.from('x');
    for (let lane = 0; lane < 20_000; lane += 1)
      events.append(laneOf(events, lane), 'waiting', 1, 1, bytes, 0, 1);
    for (let lane = 0; lane < 20_000; lane += 1)
      expect(events.count(laneOf(events, lane), 'waiting')).toBe(1);
    expect(events.lanes).toBe(20_000);
  });
});

function sizes(at: string): Map<string, number> {
  return new Map(readdirSync(at).map((name) => [name, statSync(join(at, name)).size]));
}
