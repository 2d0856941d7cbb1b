import { describe, expect, test } from '@jest/globals';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeChecksums } from './checksums.ts';
import { silentLogger } from '../../logger.ts';
import { stateFolder, stateFolders } from './snapshots.ts';

const needs = { events: { retentionMs: 1_000_000 } };

function options(now = { ms: 1_000 }) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'snapshots-'));
  return {
    dataFolder,
    snapshotFolder: join(dataFolder, 'kept'),
    service: 'merger',
    needs,
    time: { now: () => (now.ms += 1) },
    logger: silentLogger,
  };
}

/** Partition 0 after two batches, with a snapshot of each; it is closed. */
async function withTwoSnapshots(at: ReturnType<typeof options>) {
  const folders = stateFolders(at);
  const stores = await folders.open(0);
  for (let sequence = 1; sequence <= 2; sequence += 1) {
    stores.keyed.put('a', Buffer.from(String(sequence)));
    const lane = stores.events?.lane(Buffer.from('lane'), 0, 4) ?? -1;
    stores.events?.append(lane, 'waiting', 5, 5, Buffer.from('event'), 0, 5);
    stores.committed(sequence);
    await folders.snapshots?.keep(0, stores);
  }
  stores.close();
  return folders;
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

  test.each([
    ['a byte of a segment differs', (file: string) => flip(file)],
    ['a segment is shorter', (file: string) => truncateSync(file, 10)],
    ['a segment is missing', (file: string) => rmSync(file)],
  ])('are passed over when damaged, and the one before is taken: %s', async (_, damage) => {
    const at = options();
    const folders = await withTwoSnapshots(at);
    rmSync(stateFolder(at, 0), { recursive: true });
    const kept = join(at.snapshotFolder, 'merger', '0');
    const [, newest = ''] = readdirSync(kept).sort();
    const segments = join(kept, newest, 'events');
    damage(join(segments, readdirSync(segments).find((name) => name.endsWith('.seg')) ?? ''));

    const restored = await folders.open(0);
    expect(restored.mark).toBe(1);
    expect(restored.keyed.get('a')?.toString()).toBe('1');
    restored.close();
    expect(readdirSync(kept).sort()[1]).toBe(`${newest}.damaged`);
    expect(existsSync(join(stateFolder(at, 0), 'checksums.json'))).toBe(false);
  });

  test.each([
    ['a segment is shorter', (folder: string) => truncateSync(segmentOf(folder), 10)],
    ['a segment is missing', (folder: string) => rmSync(segmentOf(folder))],
    ['bytes of a segment differ', (folder: string) => flip(segmentOf(folder))],
    ['its keyed state is gone', (folder: string) => rmSync(join(folder, 'keyed'), { recursive: true })],
    ['its keyed state is empty', (folder: string) => truncateSync(join(folder, 'keyed', 'data.mdb'), 0)],
    ['its keyed state is cut', (folder: string) => truncateSync(join(folder, 'keyed', 'data.mdb'), 5_000)],
    [
      'its keyed state is none',
      (folder: string) => writeFileSync(join(folder, 'keyed', 'data.mdb'), 'x'.repeat(40_000)),
    ],
  ])('are started from when the folder is damaged, which is set aside: %s', async (_, damage) => {
    for (const isKept of [true, false]) {
      const at = options();
      const folders = stateFolders(at);
      const stores = await folders.open(0);
      for (let sequence = 1; sequence <= 2; sequence += 1) {
        stores.keyed.put('a', Buffer.from(String(sequence)));
        const lane = stores.events?.lane(Buffer.from('lane'), 0, 4) ?? -1;
        stores.events?.append(lane, 'waiting', 5, 5, Buffer.from('event'), 0, 5);
        stores.committed(sequence);
        if (isKept && sequence === 1) await folders.snapshots?.keep(0, stores);
      }
      stores.close();
      damage(stateFolder(at, 0));
      const restored = await folders.open(0);
      expect(restored.mark).toBe(isKept ? 1 : 0);
      expect(restored.keyed.get('a')?.toString()).toBe(isKept ? '1' : undefined);
      restored.close();
      expect(existsSync(`${stateFolder(at, 0)}.damaged`)).toBe(true);
    }
  });

  test('that open as damaged ones, too, are set aside for the one before', async () => {
    const at = options();
    const folders = await withTwoSnapshots(at);
    // A copy of what was damaged already has checksums that say so.
    const kept = join(at.snapshotFolder, 'merger', '0');
    const [, newest = ''] = readdirSync(kept).sort();
    rmSync(segmentOf(join(kept, newest)));
    await writeChecksums(join(kept, newest));
    rmSync(stateFolder(at, 0), { recursive: true });
    const restored = await folders.open(0);
    expect(restored.mark).toBe(1);
    restored.close();
    expect(readdirSync(kept).sort()[1]).toBe(`${newest}.damaged`);
  });

  test('that are all damaged count as none', async () => {
    const at = options();
    const folders = stateFolders(at);
    const stores = await folders.open(0);
    stores.committed(1);
    await folders.snapshots?.keep(0, stores);
    stores.close();
    rmSync(stateFolder(at, 0), { recursive: true });
    const [only = ''] = readdirSync(join(at.snapshotFolder, 'merger', '0'));
    rmSync(join(at.snapshotFolder, 'merger', '0', only, 'checksums.json'));
    const restored = await folders.open(0);
    expect(restored.mark).toBe(0);
    restored.close();
  });

  test('end soon when they are told to', async () => {
    const at = options();
    const folders = stateFolders(at);
    const stores = await folders.open(0);
    stores.committed(1);
    await expect(folders.snapshots?.keep(0, stores, AbortSignal.abort())).rejects.toThrow(/abort/i);
    expect(await folders.snapshots?.newestAt(0)).toBeUndefined();
    stores.close();
  });
});

function segmentOf(folder: string): string {
  const events = join(folder, 'events');
  return join(events, readdirSync(events).find((name) => name.endsWith('.seg')) ?? '');
}

function flip(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}
