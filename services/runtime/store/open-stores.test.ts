import { afterAll, describe, expect, test } from '@jest/globals';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CodedError } from '../errors.ts';
import { openPartitionStores } from './open-stores.ts';
import { LmdbKeyedStore } from './keyed-store.ts';
import type { EventStore, HashWindow, PartitionStores } from './ports.ts';

const HOUR = 3_600_000;
const needs = {
  events: { retentionMs: 30 * 24 * HOUR },
  duplicates: { windowMs: 24 * HOUR, lateMs: 0, entriesMax: 1_000_000 },
};
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hindsight-stores-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

function parts(stores: PartitionStores): { events: EventStore; duplicates: HashWindow } {
  if (stores.events === undefined || stores.duplicates === undefined) throw new Error('asked for, not given');
  return { events: stores.events, duplicates: stores.duplicates };
}

/** What a batch does, and a model of what the stores must then hold. */
interface Step {
  readonly lane: number;
  readonly act: 'append' | 'queue' | 'clear' | 'flag' | 'put' | 'put_late' | 'delete' | 'seen';
  readonly value: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  lane: fc.nat(20),
  act: fc.constantFrom('append', 'append', 'append', 'queue', 'clear', 'flag', 'put', 'put_late', 'delete', 'seen'),
  value: fc.nat(200),
});

class Model {
  readonly chains = new Map<string, string[]>();
  readonly flags = new Map<number, number>();
  readonly keyed = new Map<string, string>();
  readonly hashes = new Set<number>();

  static apply(steps: readonly Step[]): Model {
    const model = new Model();
    for (const { lane, act, value } of steps) {
      const waiting = `waiting/${String(lane)}`;
      const queued = `queued/${String(lane)}`;
      if (act === 'append')
        model.chains.set(waiting, [...(model.chains.get(waiting) ?? []), text(lane, value)]);
      else if (act === 'queue')
        model.chains.set(queued, [...(model.chains.get(queued) ?? []), text(lane, value)]);
      else if (act === 'clear') model.chains.delete(waiting);
      else if (act === 'flag') model.flags.set(lane, value);
      else if (act === 'put' || act === 'put_late') model.keyed.set(`k${String(lane)}`, text(lane, value));
      else if (act === 'delete') model.keyed.delete(`k${String(lane)}`);
      else model.hashes.add(value);
    }
    return model;
  }
}

const text = (lane: number, value: number): string =>
  `event ${String(value)} of ${String(lane)} `.repeat(value % 7);
const laneOf = (events: EventStore, lane: number): number => {
  const key = Buffer.from(`shop:a:visitor-${String(lane)}`);
  return events.lane(key, 0, key.length);
};

function run(stores: PartitionStores, { lane, act, value }: Step): void {
  const { events, duplicates } = parts(stores);
  const slot = laneOf(events, lane);
  const bytes = Buffer.from(text(lane, value));
  if (act === 'append') events.append(slot, 'waiting', 1_000_000 + value, value, bytes, 0, bytes.length);
  else if (act === 'queue') events.append(slot, 'queued', 1_000_000 + value, value, bytes, 0, bytes.length);
  else if (act === 'clear') events.clear(slot, 'waiting');
  else if (act === 'flag') events.setFlags(slot, value);
  else if (act === 'put') stores.keyed.put(`k${String(lane)}`, bytes);
  else if (act === 'put_late') stores.keyed.putLate(`k${String(lane)}`, () => Buffer.from(bytes));
  else if (act === 'delete') stores.keyed.delete(`k${String(lane)}`);
  else duplicates.seen(value, value * 7, 50 * HOUR);
}

function expectModel(stores: PartitionStores, model: Model): void {
  const { events, duplicates } = parts(stores);
  for (let lane = 0; lane <= 20; lane += 1) {
    const slot = laneOf(events, lane);
    expect(events.flags(slot)).toBe(model.flags.get(lane) ?? 0);
    for (const chain of ['waiting', 'queued'] as const) {
      const stored = events.events(slot, chain, 0);
      const got = Array.from({ length: stored.length }, (_, index) => stored.read(index).toString());
      expect(got).toEqual(model.chains.get(`${chain}/${String(lane)}`) ?? []);
      expect(events.count(slot, chain)).toBe(got.length);
    }
    expect(stores.keyed.get(`k${String(lane)}`)?.toString()).toBe(model.keyed.get(`k${String(lane)}`));
  }
  const keys = stores.keyed.scan('k', 'l', 100).map(([key]) => key);
  expect(keys).toEqual([...model.keyed.keys()].sort());
  for (let value = 0; value <= 200; value += 1) {
    if (model.hashes.has(value)) expect(duplicates.seen(value, value * 7, 50 * HOUR)).toBe(true);
  }
}

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
          expectModel(again, Model.apply(batches.slice(0, reached).flat()));
          again.close();
        },
      ),
      { numRuns: 40 },
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
            expectModel(again, Model.apply(before));
            again.close();
          } catch (error) {
            if (!(error instanceof CodedError)) throw error;
            expect(['store_behind', 'store_damaged']).toContain(error.code);
            expect(length).toBeLessThan(safe.get(name) ?? 0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('of another format are refused, not misread', () => {
    const at = folder();
    const stores = openPartitionStores(at, needs);
    run(stores, { lane: 1, act: 'append', value: 3 });
    stores.committed(1);
    stores.flush();
    stores.close();
    const keyed = new LmdbKeyedStore(join(at, 'keyed'));
    const mark = JSON.parse(keyed.mark()?.toString() ?? '') as object;
    keyed.write(Buffer.from(JSON.stringify({ ...mark, format: undefined }))); // as 0.1.0 wrote it
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
    expectModel(again, Model.apply(steps));
    again.close();
    stores.close();
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
