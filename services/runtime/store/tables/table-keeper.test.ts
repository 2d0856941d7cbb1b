/** Tables that are written beside the batches: what a start reads, what a copy holds, what may be deleted. */
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPartitionStores, realDisk } from '../open-stores.ts';
import type { EventStore, HashWindow, PartitionStores } from '../ports.ts';
import { SNAPSHOT_FILE } from './table-snapshot.ts';

const HOUR = 3_600_000;
const { tailRecordsMin } = realDisk;
const LANES = 21;
/** A disk that others use, too, takes its time. */
const TEST_MS_MAX = 300_000;
const needs = {
  events: { retentionMs: 30 * 24 * HOUR },
  duplicates: { windowMs: 24 * HOUR, lateMs: 0, entriesMax: 1_000_000 },
};
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hindsight-keeper-'));
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
function laneOf(events: EventStore, lane: number): number {
  const key = Buffer.from(`shop:a:visitor-${String(lane)}`);
  return events.lane(key, 0, key.length);
}
function append(stores: PartitionStores, lane: number, number: number): void {
  const { events } = parts(stores);
  const bytes = Buffer.from(String(number));
  events.append(laneOf(events, lane), 'waiting', 1_000, number, bytes, 0, bytes.length);
}
function read(events: EventStore, lane: number): number[] {
  const stored = events.events(laneOf(events, lane), 'waiting', 0);
  return Array.from({ length: stored.length }, (_, index) => Number(stored.read(index).toString()));
}
/** Low words are places in the table: those of real hashes are spread. */
function seen(stores: PartitionStores, high: number, number: number): boolean {
  return parts(stores).duplicates.seen(high, Math.imul(number, 0x9e37_79b1), 50 * HOUR);
}
function numbersOf(lane: number): number[] {
  const numbers: number[] = [];
  for (let i = lane; i <= tailRecordsMin; i += LANES) numbers.push(i);
  return numbers;
}

describe('the tables of a partition', () => {
  test(
    'a copy that is made while tables are written and segments go opens all the same',
    async () => {
      const at = folder();
      const stores = openPartitionStores(at, needs);
      let sequence = 0;
      const batch = (): void => {
        for (let i = 0; i <= tailRecordsMin; i += 1) seen(stores, sequence, i);
        append(stores, sequence, 1);
        stores.committed((sequence += 1));
        stores.flush();
      };
      batch();
      const copy = folder();
      const taken = stores.snapshot(copy);
      const { length } = readdirSync(join(at, 'duplicates'));
      for (let more = 0; more < 5; more += 1) {
        batch();
        await sleep(20);
      }
      await taken;
      batch();
      batch();
      // Each table in force lets a segment go, with the mark after the next; while the copy was made none went.
      expect(readdirSync(join(at, 'duplicates')).length).toBeLessThanOrEqual(length + 1);
      const again = openPartitionStores(copy, needs);
      expect(again.mark).toBeGreaterThan(0);
      for (let lane = 0; lane < again.mark; lane += 1) {
        expect(parts(again).events.count(laneOf(parts(again).events, lane), 'waiting')).toBe(1);
        expect(seen(again, lane, 7)).toBe(true);
      }
      expect(seen(again, again.mark, 7)).toBe(false);
      again.close();
      stores.close();
    },
    TEST_MS_MAX,
  );

  test(
    'opening reads what was appended since the tables were written, and nothing before',
    async () => {
      const at = folder();
      const stores = openPartitionStores(at, needs);
      for (let i = 0; i <= tailRecordsMin; i += 1) append(stores, i % LANES, i);
      for (let i = 0; i <= tailRecordsMin; i += 1) seen(stores, 1, i);
      stores.committed(1);
      stores.flush();
      for (const part of ['events', 'duplicates']) await untilThere(join(at, part, SNAPSHOT_FILE));
      let sequence = 1;
      const flush = (): void => {
        sequence += 1;
        stores.committed(sequence);
        stores.flush();
      };
      while (existsSync(join(at, 'duplicates', '00000001.seg'))) {
        flush();
        await sleep(5);
      }
      const { events } = parts(stores);
      append(stores, 3, 77_777);
      events.clear(laneOf(events, 4), 'waiting');
      events.setFlags(laneOf(events, 5), 9);
      flush();
      const left = folder();
      cpSync(at, left, { recursive: true });
      stores.close();
      // The log of the duplicates began anew; the first bytes of the events' are not looked at.
      expect(readdirSync(join(left, 'duplicates')).sort()).toEqual(['00000002.seg', SNAPSHOT_FILE]);
      const fd = openSync(join(left, 'events', '00000001.seg'), 'r+');
      const first = Buffer.alloc(4);
      readSync(fd, first, 0, 4, 0);
      writeSync(fd, Buffer.from([0, 0, 0, 0]), 0, 4, 0);
      const again = openPartitionStores(left, needs);
      writeSync(fd, first, 0, 4, 0);
      closeSync(fd);
      expect(again.mark).toBe(sequence);
      const { events: kept } = parts(again);
      expect(read(kept, 2)).toEqual(numbersOf(2));
      expect(read(kept, 3)).toEqual([...numbersOf(3), 77_777]);
      expect(read(kept, 4)).toEqual([]);
      expect(kept.flags(laneOf(kept, 5))).toBe(9);
      expect(seen(again, 1, tailRecordsMin)).toBe(true);
      again.close();
    },
    TEST_MS_MAX,
  );

  test(
    'segments whose every event is too old are deleted, little stays with them, and lanes keep their flags',
    async () => {
      const at = folder();
      const stores = openPartitionStores(at, needs);
      const { events } = parts(stores);
      const bytes = Buffer.alloc(900_000, 1);
      const marked = laneOf(events, 0);
      events.setFlags(marked, 5);
      for (let day = 0; day < 160; day += 1) {
        events.append(laneOf(events, day % LANES), 'waiting', day * 24 * HOUR, day, bytes, 0, bytes.length);
      }
      stores.committed(1);
      stores.flush();
      const before = events.bytesOnDisk;
      events.expire(100 * 24 * HOUR);
      stores.committed(2);
      stores.flush();
      await untilThere(join(at, 'events', SNAPSHOT_FILE)); // nothing goes before the flags are safe
      expect(events.bytesOnDisk).toBe(before);
      for (let sequence = 3; events.bytesOnDisk === before; sequence += 1) {
        stores.committed(sequence);
        stores.flush();
        await sleep(5);
      }
      // A segment ends when its events are half a day apart, or at 2 MiB if that is later: three days of these.
      expect(events.bytesOnDisk).toBeLessThan((60 + 3) * bytes.length);
      stores.close();
      const again = parts(openPartitionStores(at, needs)).events;
      expect(again.flags(laneOf(again, 0))).toBe(5);
      const kept = again.events(laneOf(again, 159 % LANES), 'waiting', 130 * 24 * HOUR);
      expect(kept.length).toBe(2);
    },
    TEST_MS_MAX,
  );

  test(
    'a chain goes on over segments that were deleted, and opens all the same',
    async () => {
      const at = folder();
      const stores = openPartitionStores(at, needs);
      const { events } = parts(stores);
      const bytes = Buffer.alloc(900_000, 1);
      const day = (lane: number, number: number): void => {
        events.append(laneOf(events, lane), 'waiting', number * 24 * HOUR, number, bytes, 0, bytes.length);
      };
      for (let number = 0; number < 20; number += 1) day(number === 1 ? 3 : 0, number);
      for (let i = 0; i <= tailRecordsMin; i += 1) {
        events.setFlags(laneOf(events, 7), i & 0xff); // so that a table is written, and what follows is the tail
      }
      stores.committed(1);
      stores.flush();
      await untilThere(join(at, 'events', SNAPSHOT_FILE));
      day(0, 60); // the one before it lies in a segment that is still there
      stores.committed(2);
      stores.flush();
      events.expire(50 * 24 * HOUR);
      const before = events.bytesOnDisk;
      for (let sequence = 3; events.bytesOnDisk === before; sequence += 1) {
        stores.committed(sequence);
        stores.flush();
        await sleep(5);
      }
      day(3, 61); // and this one's does not
      day(0, 62);
      stores.committed(1_000_000);
      stores.flush();
      const left = folder();
      cpSync(at, left, { recursive: true });
      const again = openPartitionStores(left, needs);
      for (const each of [events, parts(again).events]) {
        expect(timesOf(each, 0).slice(-2)).toEqual([60, 62]);
        expect(timesOf(each, 3)).toEqual([61]);
        expect(each.count(laneOf(each, 3), 'waiting')).toBe(1);
      }
      again.close();
      stores.close();
    },
    TEST_MS_MAX,
  );
});

function timesOf(events: EventStore, lane: number): number[] {
  const stored = events.events(laneOf(events, lane), 'waiting', 0);
  return Array.from({ length: stored.length }, (_, index) => stored.timestamp(index));
}

/** Tables are put in force beside the batches, once the disk has them. */
async function untilThere(file: string): Promise<void> {
  const deadline = Date.now() + TEST_MS_MAX / 2;
  while (!existsSync(file)) {
    if (Date.now() > deadline) throw new Error(`${file} is not written`);
    await sleep(5);
  }
}
