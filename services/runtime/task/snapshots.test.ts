import { describe, expect, jest, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateFolder, stateFolders } from './snapshots.ts';

// Virtual time costs real time on a busy machine.
jest.setTimeout(30_000);

const needs = { events: { retentionMs: 1_000_000 } };

function options(now = { ms: 1_000 }) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'snapshots-'));
  return {
    dataFolder,
    snapshotFolder: join(dataFolder, 'kept'),
    service: 'merger',
    needs,
    time: { now: () => (now.ms += 1) },
  };
}

describe('snapshots of a partition', () => {
  test('bring its state back when the folder is lost', async () => {
    const at = options();
    const folders = stateFolders(at);
    const stores = await folders.open(3);
    stores.keyed.put('a', Buffer.from('1'));
    const lane = stores.events?.lane(Buffer.from('lane'), 0, 4) ?? -1;
    stores.events?.append(lane, 'waiting', 5, 5, Buffer.from('event'), 0, 5);
    stores.committed(7);
    await folders.snapshots?.keep(3, stores);
    stores.keyed.put('a', Buffer.from('2'));
    stores.committed(8);
    stores.close();
    rmSync(stateFolder(at, 3), { recursive: true });

    const restored = await folders.open(3);
    expect(restored.mark).toBe(7);
    expect(restored.keyed.get('a')?.toString()).toBe('1');
    const again = restored.events?.lane(Buffer.from('lane'), 0, 4) ?? -1;
    expect(restored.events?.events(again, 'waiting', 0).read(0).toString()).toBe('event');
    restored.close();
  });

  test('are not looked at while the folder is there', async () => {
    const at = options();
    const folders = stateFolders(at);
    const stores = await folders.open(0);
    stores.keyed.put('a', Buffer.from('1'));
    stores.committed(1);
    await folders.snapshots?.keep(0, stores);
    stores.keyed.put('a', Buffer.from('2'));
    stores.committed(2);
    stores.flush();
    stores.close();
    const opened = await folders.open(0);
    expect(opened.keyed.get('a')?.toString()).toBe('2');
    opened.close();
  });

  test('are kept twice, the newest last, without leftovers of copies that were not finished', async () => {
    const at = options();
    const folders = stateFolders(at);
    const stores = await folders.open(0);
    for (let sequence = 1; sequence <= 4; sequence += 1) {
      stores.keyed.put('a', Buffer.from(String(sequence)));
      stores.committed(sequence);
      await folders.snapshots?.keep(0, stores);
    }
    stores.close();
    const kept = readdirSync(join(at.snapshotFolder, 'merger', '0'));
    expect(kept).toEqual(['000000000001003', '000000000001004']);
    expect(await folders.snapshots?.newestAt(0)).toBe(1_004);
    expect(await folders.snapshots?.newestAt(1)).toBeUndefined();
    expect(existsSync(stateFolder(at, 1))).toBe(false);
  });
});
