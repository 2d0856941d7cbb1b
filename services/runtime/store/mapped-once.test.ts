/** What a keyed store takes of memory goes by its file, however it grew. */
import { expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbKeyedStore } from './keyed-store.ts';

const VALUE_BYTES = 4_096;
const VALUES_A_GROUP = 500;
const GROUPS = 8;

const onLinux = existsSync('/proc/self/maps') ? test : test.skip;

onLinux('a file that grows is mapped once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hindsight-mapped-'));
  const store = new LmdbKeyedStore(folder);
  try {
    for (let group = 0; group < GROUPS; group += 1) {
      for (let each = 0; each < VALUES_A_GROUP; each += 1)
        store.put(`${String(group)}/${String(each)}`, Buffer.alloc(VALUE_BYTES, group));
      store.commit();
      store.beginGroup();
      store.writeGroup(Buffer.from('mark'));
      expect(store.get(`${String(group)}/1`)).toEqual(Buffer.alloc(VALUE_BYTES, group));
    }
    const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
    expect(maps.filter((line) => line.endsWith(join(folder, 'data.mdb')))).toHaveLength(1);
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
