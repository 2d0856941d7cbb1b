import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { noTimes, timesOf, workspacesBehindMax } from '../runtime/task/loop/watermarks.ts';
import { MemoryDisk } from '../testing/memory/memory-stores.ts';
import { runs } from '../testing/runs.ts';
import { T0, Trigger, watermark } from '../testing/scenarios/trigger-scenario.ts';
import { Watermarks } from './watermarks.ts';

test('the time of the trigger is the least that every lane partition has said, also after a restart', () => {
  const trigger = new Trigger();
  const time = () => trigger.harness.processor.status();
  for (let source = 0; source < 7; source += 1) trigger.feed(watermark(source, T0 + source));
  expect(time()).toMatchObject({ watermark: 0 });
  trigger.feed(watermark(7, T0 + 7));
  expect(time()).toMatchObject({ watermark: T0 });
  trigger.feed(watermark(0, T0 + 100), watermark(1, T0 - 5), watermark(99, T0));
  expect(time()).toMatchObject({ watermark: T0 + 1 });
  trigger.harness.reopen();
  expect(time()).toMatchObject({ watermark: T0 + 1 });
});

describe('a workspace that a lane partition is behind with', () => {
  test('has a time of its own until the partition speaks of all and not of it, also after a restart', () => {
    const { keyed } = new MemoryDisk().open('p', {});
    const marks = new Watermarks(2, keyed);
    marks.take(1, '', 900);
    marks.take(0, 'slow', 100);
    expect(marks.time).toBe(0); // of source 0 nobody else is known yet
    marks.take(0, '', 500);
    expect([marks.time, marks.of('slow'), marks.of('quick'), marks.lowest]).toEqual([500, 100, 500, 100]);
    const again = new Watermarks(2, keyed);
    expect([again.time, again.of('slow'), again.of('quick')]).toEqual([500, 100, 500]);
    again.take(0, 'slow', 200);
    again.take(0, '', 600);
    expect([again.time, again.of('slow')]).toEqual([600, 200]);
    again.take(0, '', 700);
    expect([again.time, again.of('slow'), again.lowest]).toEqual([700, 700, 700]);
  });

  test('keeps it when the partition begins anew and has yet to come to where it was', () => {
    const { keyed } = new MemoryDisk().open('p', {});
    const marks = new Watermarks(1, keyed);
    marks.take(0, 'slow', 100);
    marks.take(0, '', 500);
    marks.take(0, '', 300);
    expect([marks.time, marks.of('slow')]).toEqual([500, 300]);
    marks.take(0, '', 550);
    expect(marks.of('slow')).toBe(550);
  });
});

/** What is in hand of a workspace in one lane partition: receive times, and when the partition has read up to. */
const step = fc.record({
  read: fc.nat(5_000),
  begin: fc.array(fc.record({ workspace: fc.constantFrom('a', 'b', 'c'), late: fc.nat(3_000) }), {
    maxLength: 3,
  }),
  end: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }),
  restarts: fc.integer({ min: 0, max: 9 }),
});

test('whatever waits and whoever begins anew, no workspace is told of further than it is, and none goes back', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const { keyed } = new MemoryDisk().open('p', {});
      const marks = new Watermarks(1, keyed);
      const inHand = new Map<string, number>();
      let [times, clock] = [noTimes, 10_000];
      const before = new Map<string, number>();
      for (const { read, begin, end, restarts } of steps) {
        for (const workspace of end) inHand.delete(workspace);
        // Nothing is received before what the partition had read, and so had told of.
        for (const { workspace, late } of begin) {
          if (!inHand.has(workspace)) inHand.set(workspace, clock + late);
        }
        clock += read;
        if (restarts === 0) times = noTimes;
        times = timesOf({ clock, lastReceivedAt: undefined }, inHand, times);
        for (const [workspace, time] of [...times.behind, ['', times.time] as const]) {
          marks.take(0, workspace, time);
        }
        for (const workspace of ['a', 'b', 'c', 'd']) {
          const time = marks.of(workspace);
          expect(time).toBeLessThanOrEqual(Math.min(clock, inHand.get(workspace) ?? Infinity));
          expect(time).toBeGreaterThanOrEqual(before.get(workspace) ?? 0);
          before.set(workspace, time);
        }
      }
      inHand.clear();
      times = timesOf({ clock, lastReceivedAt: undefined }, inHand, times);
      marks.take(0, '', times.time);
      expect([marks.lowest, marks.of('a')]).toEqual([clock, clock]);
    }),
    { numRuns: runs(200) },
  );
});

test('of very many workspaces that are behind the first are told of by name, and all go by the first of the others', () => {
  const inHand = new Map(
    Array.from({ length: workspacesBehindMax + 50 }, (_, at) => [`w${String(at)}`, 1_000 + at]),
  );
  const times = timesOf({ clock: 50_000, lastReceivedAt: undefined }, inHand, noTimes);
  expect(times.time).toBe(1_000 + workspacesBehindMax);
  expect(times.behind.size).toBe(workspacesBehindMax);
  expect(times.behind.get('w0')).toBe(1_000);
});
