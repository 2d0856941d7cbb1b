/** Pages of LMDB's file that changed on the disk are told as damage, so that the partition's folder is put away. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPartitionStores } from './open-stores.ts';

const PAGE_BYTES = 4_096;
const META_PAGES = 2;
const keys = Array.from({ length: 20_000 }, (_, at) => `key ${String(at).padStart(6, '0')}`);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hindsight-keyed-'));
  const stores = openPartitionStores(folder, {});
  for (const key of keys) stores.keyed.put(key, Buffer.alloc(40, key));
  stores.committed(1);
  stores.flush();
  stores.close();
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The pages from a share of the file on, never the first ones, by which it is known. */
function overwrite(byte: number, share: number): void {
  const path = join(folder, 'keyed', 'data.mdb');
  const pages = statSync(path).size / PAGE_BYTES;
  const first = Math.max(META_PAGES, Math.floor(pages * share));
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc((pages - first) * PAGE_BYTES, byte), 0, undefined, first * PAGE_BYTES);
  closeSync(fd);
}

/** What is said when everything is read. */
function readAll(): unknown {
  const stores = openPartitionStores(folder, {});
  try {
    return keys.map((key) => stores.keyed.get(key));
  } catch (error) {
    expect(stores.damage).toBe(error);
    throw error;
  } finally {
    stores.close();
  }
}

test('whole, all of it is read', () => {
  expect(readAll()).toEqual(keys.map((key) => Buffer.alloc(40, key)));
});

test.each([
  [0x00, 0],
  [0xff, 0],
  [0x00, 0.5],
  [0xff, 0.5],
])('pages of %d from %d of the file on: the stores say that they are damaged', (byte, share) => {
  overwrite(byte, share);
  expect(readAll).toThrow(expect.objectContaining({ code: 'store_damaged' }));
});

test.each([1, 2])('a process that ended %d times as it was opened says nothing, and is forgotten', (ends) => {
  const opening = join(folder, 'keyed', 'opening');
  writeFileSync(opening, String(ends));
  expect(readAll()).toHaveLength(keys.length);
  expect(existsSync(opening)).toBe(false);
});

test('one that ended three times, as of a page that leads out of the file, is damaged', () => {
  writeFileSync(join(folder, 'keyed', 'opening'), '3');
  expect(readAll).toThrow(expect.objectContaining({ code: 'store_damaged' }));
});
