/**
 * Hostile and unlucky input to lanes and identity on real stores, at a hundredth of its size: the same code at full size
 * is `npm run simulate -- --hostile`, and docs/reliability.md has its figures.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEventsMax, releaseEventsMax } from '../../merger/decide/limits.ts';
import { mergeStorm, type Shape } from './merge-storm.ts';
import { personOfVeryMany } from './one-person.ts';
import { claimedVisitor, unansweredVisitor } from './one-visitor.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hindsight-hostile-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a visitor with very many events is released in bounded batches, in order, while others go on', () => {
  const report = claimedVisitor({ folder, events: 12_000, overfull: 0 });
  expect(report).toMatchObject({ batches: 3, batchEventsMax: releaseEventsMax, othersReleased: 2 });
});

test('a visitor whose past takes several batches to read goes out in the same batches when the lanes start anew', () => {
  const events = readEventsMax + 5_000;
  const size = { events, overfull: 0 };
  const report = claimedVisitor({ ...size, folder: join(folder, 'straight') });
  expect(report.batches).toBe(2 + events / releaseEventsMax); // one that only reads, and the claim itself
  const again = claimedVisitor({ ...size, folder: join(folder, 'anew'), restarts: true });
  expect(again.batches).toBe(report.batches);
});

test('what a lane has no room for is dropped with a row that says so; the rest goes on', () => {
  const report = claimedVisitor({ folder, events: 2_000, overfull: 7, laneEventsMax: 2_000 });
  expect(report.droppedAsFull).toBe(7);
});

test('what queues behind a claim that is not answered goes out in bounded batches, in the order it came', () => {
  const report = unansweredVisitor({ folder, events: 11_000, overfull: 0 });
  expect(report.batches).toBe(3);
});

test('one email with very many visitors has all their pasts, and merged into another takes every lane along', () => {
  expect(personOfVeryMany({ folder, visitors: 150 }).visitors).toBe(150);
});

test.each<Shape>(['star', 'chain', 'ring'])(
  'of merges in a %s each is told to the lanes, and visitors in between are served',
  (shape) => {
    const report = mergeStorm({ folder, merges: 60, shape });
    expect(report).toMatchObject({ merges: 60, othersReleased: 60 });
    // A name that an alias has freed is somebody new when the next alias names it.
    if (shape !== 'ring') expect(report.left).toBe(1);
  },
);
