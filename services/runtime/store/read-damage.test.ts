/** Bytes that changed on the disk are never handed out as events, and never end a chain: reading says `store_damaged`. */
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import {
  closeSync,
  cpSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CodedError } from '../errors.ts';
import { expectModel, StoresModel } from '../../testing/stores/stores-model.ts';
import { doStep, modelNeeds, smallSizes, stepsOf } from '../../testing/stores/stores-steps.ts';
import { openPartitionStores, realDisk } from './open-stores.ts';
import type { EventStore, PartitionStores } from './ports.ts';
import { runs } from '../../testing/runs.ts';

jest.setTimeout(300_000);

const LANES = 12;
const needs = { events: { retentionMs: 1_000_000 } };
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hindsight-damage-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

const event = fc.record({
  lane: fc.nat(LANES - 1),
  /** Some are larger than what is checked at a time, some than what is read at a time. */
  bytes: fc.oneof({ weight: 8, arbitrary: fc.nat(600) }, fc.integer({ min: 4_000, max: 40_000 })),
});
const batches = fc.array(fc.array(event, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 });
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  how: fc.constantFrom('flip', 'zeros', 'cut' as const),
  bytes: fc.integer({ min: 1, max: 5_000 }),
});

function eventsOf({ events }: PartitionStores): EventStore {
  if (events === undefined) throw new Error('asked for, not given');
  return events;
}
function laneOf(events: EventStore, lane: number): number {
  const key = Buffer.from(`shop:a:visitor-${String(lane)}`);
  return events.lane(key, 0, key.length);
}
function bodyOf(number: number, bytes: number): Buffer {
  const body = Buffer.alloc(bytes + 4, number);
  body.writeUInt32LE(number);
  return body;
}

/** Appends them; returns what each lane must then read. */
function fill(
  stores: PartitionStores,
  from: readonly (readonly { lane: number; bytes: number }[])[],
): Buffer[][] {
  const expected: Buffer[][] = Array.from({ length: LANES }, () => []);
  let number = 0;
  from.forEach((batch, index) => {
    for (const { lane, bytes } of batch) {
      const body = bodyOf((number += 1), bytes);
      const events = eventsOf(stores);
      events.append(laneOf(events, lane), 'waiting', 5_000 + number, number, body, 0, body.length);
      expected[lane]?.push(body);
    }
    stores.committed(index + 1);
    stores.flush();
  });
  return expected;
}

function harm(file: string, { at, how, bytes }: { at: number; how: string; bytes: number }): void {
  const fd = openSync(file, 'r+');
  const { size } = fstatSync(fd);
  const place = Math.floor(at * size);
  const length = how === 'flip' ? 1 : how === 'cut' ? size - place : Math.min(bytes, size - place);
  const changed = Buffer.alloc(length);
  if (how === 'flip') {
    readSync(fd, changed, 0, 1, place);
    changed[0] = (changed[0] ?? 0) ^ (1 << (bytes % 8));
  }
  writeSync(fd, changed, 0, length, place); // a cut is what a lost write leaves: zeros up to the end
  closeSync(fd);
}

/** What the lane reads, or undefined when reading says that the store is damaged. */
function read(events: EventStore, lane: number): Buffer[] | undefined {
  try {
    const stored = events.events(laneOf(events, lane), 'waiting', 0);
    stored.sortByTimestamp();
    return Array.from({ length: stored.length }, (_, index) => Buffer.from(stored.read(index)));
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'store_damaged') throw error;
    expect(error.message).toMatch(/00000001\.seg.* \d+/);
    expect(error.hint).toMatch(/snapshot/);
    return undefined;
  }
}

describe('a segment whose bytes changed on the disk', () => {
  test('gives the events that were appended or says store_damaged, whichever lane is read', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(batches, damage, fc.boolean(), async (from, harmed, isOpen) => {
        const at = folder();
        const stores = openPartitionStores(at, needs);
        const expected = fill(stores, from);
        // A copy has a table that reaches to its mark, so opening it reads no segment.
        const copy = folder();
        await stores.snapshot(copy);
        const damaged = isOpen ? stores : openPartitionStores(copy, needs);
        harm(join(isOpen ? at : copy, 'events', '00000001.seg'), harmed);
        for (let lane = 0; lane < LANES; lane += 1) {
          const got = read(eventsOf(damaged), lane);
          if (got === undefined) refused += 1;
          else expect(got.map(String)).toEqual(expected[lane]?.map(String));
        }
        stores.close();
        if (!isOpen) damaged.close();
      }),
      { numRuns: runs(12) },
    );
    expect(refused).toBeGreaterThan(0);
  });
});

const BATCHES = 40;
const BLOWS = runs(25);

describe('segments and tables of a folder, several of them', () => {
  test('cut, missing or altered together, open as they were at their mark or are refused with a code', async () => {
    const at = folder();
    const disk = { ...realDisk, ...smallSizes };
    const stores = openPartitionStores(at, modelNeeds, disk);
    const model = new StoresModel();
    for (let batch = 1; batch <= BATCHES; batch += 1) {
      for (const one of stepsOf(7, batch)) {
        doStep(stores, one);
        model.apply(one);
      }
      stores.committed(batch);
      stores.flush();
      await new Promise((resolve) => setTimeout(resolve, 2)); // tables come into force
    }
    stores.close();
    const files = ['events', 'duplicates'].flatMap((part) =>
      readdirSync(join(at, part)).map((name) => join(part, name)),
    );
    expect(files.filter((name) => name.includes('events/0000')).length).toBeGreaterThan(1);
    expect(files.some((name) => name.endsWith('index.snapshot'))).toBe(true);
    const blow = fc.record({
      file: fc.constantFrom(...files),
      how: fc.constantFrom('cut', 'missing', 'flip' as const),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    let [refused, whole] = [0, 0];
    fc.assert(
      fc.property(fc.array(blow, { minLength: 1, maxLength: 4 }), (blows) => {
        const left = folder();
        cpSync(at, left, { recursive: true });
        for (const { file, how, at: share } of blows) {
          const path = join(left, file);
          if (how === 'missing') rmSync(path, { force: true });
          else if (how === 'cut' && readable(path))
            truncateSync(path, Math.floor(share * statSync(path).size));
          else if (readable(path)) harm(path, { at: share, how: 'flip', bytes: 3 });
        }
        try {
          const again = openPartitionStores(left, modelNeeds, disk);
          try {
            expect(again.mark).toBe(BATCHES);
            expectModel(again, model);
            whole += 1;
          } finally {
            again.close();
          }
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          expect(['store_damaged', 'store_behind']).toContain(error.code);
          refused += 1;
        }
      }),
      { numRuns: BLOWS, endOnFailure: true },
    );
    expect(refused).toBeGreaterThan(0);
    expect(refused + whole).toBe(BLOWS);
  });
});

function readable(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined && statSync(path).size > 0;
}
