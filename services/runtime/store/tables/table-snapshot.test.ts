/** Tables written to their snapshot and read again. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { realFiles } from '../files.ts';
import { LaneIndex } from '../events/lane-index.ts';
import type { LogPosition } from '../segments/log-position.ts';
import { logStart } from '../segments/segment-log.ts';
import { DRAFT_FILE, readTable, SNAPSHOT_FILE, TableDraft } from './table-snapshot.ts';
import { runs } from '../../../testing/runs.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hindsight-tables-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

const end: LogPosition = { segment: 9, offset: 900 };
const hashOf = (lane: number): Uint32Array =>
  new Uint32Array([lane * 2_654_435_761, lane, lane * 2_246_822_507, 1]);

function indexOf(lanes: readonly number[]): LaneIndex {
  const index = new LaneIndex();
  for (const lane of lanes) {
    index.makeRoom(1, 0);
    const slot = index.slot(hashOf(lane));
    index.push(slot, 3, lane + 1, 1);
    index.setFlags(slot, lane % 8);
  }
  return index;
}

function expectLanes(index: LaneIndex, lanes: readonly number[]): void {
  expect(index.used).toBe(new Set(lanes).size);
  for (const lane of lanes) {
    const slot = index.slot(hashOf(lane));
    expect([index.segment(slot), index.offset(slot), index.flags(slot)]).toEqual([3, lane + 1, lane % 8]);
  }
}

async function written(at: string, index: LaneIndex, position: LogPosition = logStart): Promise<void> {
  const latest = [[3, 55]] as const;
  const draft = TableDraft.write(realFiles, at, { head: { position, latest }, table: index });
  expect(await draft.keep(Promise.resolve())).toBe(true);
}

describe('a table snapshot', () => {
  test('gives every entry back, whatever the table was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(100_000), { maxLength: 9_000 }), async (lanes) => {
        const at = folder();
        await written(at, indexOf(lanes));
        const again = new LaneIndex();
        expect(readTable(realFiles, at, end, again)).toMatchObject({ position: logStart, latest: [[3, 55]] });
        expectLanes(again, lanes);
      }),
      { numRuns: runs(8) },
    );
  });

  test('takes at most 48 bytes a lane, of few lanes', async () => {
    const at = folder();
    await written(at, indexOf(Array.from({ length: 9_000 }, (_, lane) => lane)));
    expect(readFileSync(join(at, SNAPSHOT_FILE)).length).toBeLessThan(9_000 * 48);
  });

  test('that is torn or altered anywhere is refused', async () => {
    const at = folder();
    await written(at, indexOf([1, 2, 3]));
    const whole = readFileSync(join(at, SNAPSHOT_FILE));
    const read = (): unknown => readTable(realFiles, at, end, new LaneIndex());
    const places = Array.from({ length: 150 }, (_, place) => place); // the head, and then here and there
    for (let place = 150; place < whole.length; place += 997) places.push(place);
    for (const length of places) {
      writeFileSync(join(at, SNAPSHOT_FILE), whole);
      truncateSync(join(at, SNAPSHOT_FILE), length);
      expect(read).toThrow(expect.objectContaining({ code: 'store_damaged' }));
    }
    for (const place of places) {
      const altered = Buffer.from(whole);
      altered[place] = (altered[place] ?? 0) ^ 0x10;
      writeFileSync(join(at, SNAPSHOT_FILE), altered);
      expect(read).toThrow(expect.objectContaining({ code: 'store_damaged' }));
    }
  });

  test('newer than the mark is refused', async () => {
    const at = folder();
    await written(at, indexOf([1]), { segment: 9, offset: 901 });
    expect(() => readTable(realFiles, at, end, new LaneIndex())).toThrow(
      expect.objectContaining({ code: 'store_behind' }),
    );
  });

  test('is not in force before the mark is on the disk, nor once its store was closed', async () => {
    for (const cancelled of [false, true]) {
      const at = folder();
      const marked = new AbortController();
      const mark = new Promise((done) => {
        marked.signal.addEventListener('abort', done);
      });
      const head = { position: logStart, latest: [] };
      const draft = TableDraft.write(realFiles, at, { head, table: indexOf([1]) });
      const kept = draft.keep(mark);
      await sleep(30);
      expect(existsSync(join(at, SNAPSHOT_FILE))).toBe(false);
      if (cancelled) draft.cancel();
      marked.abort();
      expect(await kept).toBe(!cancelled);
      expect(existsSync(join(at, SNAPSHOT_FILE))).toBe(!cancelled);
      readTable(realFiles, at, end, new LaneIndex());
      expect(existsSync(join(at, DRAFT_FILE))).toBe(false);
    }
  });
});
