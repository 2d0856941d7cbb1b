/** Bytes that changed on the disk are never handed out as events, and never end a chain: reading says `store_damaged`. */
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CodedError } from '../errors.ts';
import { openPartitionStores } from './open-stores.ts';
import type { EventStore, PartitionStores } from './ports.ts';

jest.setTimeout(120_000);

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
      { numRuns: 30 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
