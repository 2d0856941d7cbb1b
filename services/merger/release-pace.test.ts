/** What waited goes out at a pace that whoever comes behind the lanes can keep, and nobody's release stands before another's. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CollectedEvent } from '../../schemas/records.ts';
import { Definitions } from '../runtime/definitions.ts';
import { of, type Given, type Output } from '../testing/processor-harness.ts';
import { grant, identify, LaneScenario, merged, T, visit } from '../testing/scenarios/lanes-scenario.ts';
import { runs } from '../testing/runs.ts';
import { LanesProcessor } from './processor.ts';
import { lanesService } from './service.ts';

const SECOND = 1_000;
const pace = {
  eventsAtHandMax: 600,
  eventsPerSecond: 300,
  eventsGrain: 20,
  eventsABatchMin: 8,
  shortEventsABatchMin: 4,
};
const none = new Definitions();

function pacedLanes(): LaneScenario {
  const open: typeof lanesService.open = (partition, partitions, stores, codecs) =>
    new LanesProcessor({ partition, partitions, releasePace: pace }, stores, codecs);
  return new LaneScenario({}, { ...lanesService, open });
}
function past(visitor: string, events: number): Given[] {
  return Array.from({ length: events }, (_, i) => visit(visitor, `${visitor} ${String(i)}`, T - 1));
}
function claimed(lanes: LaneScenario, visitor: string): Given[] {
  return grant(lanes.batch(identify(visitor, `of ${visitor}`, T)));
}
function ofQuiet({ value, ...given }: Given): Given {
  const event = { ...(value as CollectedEvent), workspace: 'quiet' };
  return { ...given, key: given.key.replace('default:', 'quiet:'), value: event };
}
function released(batch: readonly Output[]): number {
  return of('eventsMerged', batch).filter(({ value }) => value.previously_anonymous).length;
}

describe('a lane of more events than a workspace has at hand', () => {
  test('goes out at its pace, by batches that are worth their while, and in its order, however often it starts anew', () => {
    const events = pace.eventsAtHandMax + 2 * pace.eventsPerSecond;
    const lanes = pacedLanes();
    lanes.batch(...past('big', events));
    lanes.batch(...claimed(lanes, 'big'));
    const began = lanes.time;
    let batches = 0;
    while (lanes.harness.processor.status().unsettled > 0) {
      lanes.time += 10;
      if (!lanes.harness.processor.wantsBatch(lanes.time, none)) continue;
      lanes.batch();
      batches += 1;
      if (batches % 7 === 0) lanes.harness.crash();
      else if (batches % 5 === 0) lanes.harness.reopen();
      const mayBe = pace.eventsAtHandMax + ((lanes.time - began) * pace.eventsPerSecond) / SECOND;
      expect(released(lanes.harness.outputs)).toBeLessThanOrEqual(mayBe);
    }
    expect(lanes.time - began).toBeLessThan(2.5 * SECOND);
    expect(batches).toBeLessThan(events / pace.eventsGrain);
    const order = merged(lanes.harness.outputs).map((line) => line.replace('cio_of big: ', ''));
    expect(order).toEqual([...past('big', events).map((_, i) => `big ${String(i)}*`), 'identify of big']);
    expect(lanes.harness.replay({ reopenEachBatch: true })).toEqual(lanes.harness.outputs);
  });

  test('comes to its end on a clock that stands', () => {
    const lanes = pacedLanes();
    const events = pace.eventsAtHandMax + 4 * pace.eventsABatchMin;
    lanes.batch(...past('big', events));
    lanes.batch(...claimed(lanes, 'big'));
    lanes.idle();
    expect(released(lanes.harness.outputs)).toBe(events);
    expect(lanes.harness.processor.status().unsettled).toBe(0);
  });

  test('leaves another workspace, and a short lane of its own, their turn in the batch of their answer', () => {
    const lanes = pacedLanes();
    lanes.batch(...past('big', 2 * pace.eventsAtHandMax));
    lanes.batch(...past('small', 3), ...past('quiet', 3).map(ofQuiet));
    lanes.batch(...claimed(lanes, 'big'));
    for (let batch = 0; batch < 5; batch += 1) lanes.batch(); // what was at hand is gone
    expect(released(lanes.batch())).toBeLessThanOrEqual(pace.eventsABatchMin);
    const small = lanes.batch(identify('small', 'of small', T + 1));
    const quiet = lanes.batch(ofQuiet(identify('quiet', 'of quiet', T + 1)));
    const lines = merged(lanes.batch(...grant(small), ...grant(quiet)));
    for (const name of ['small', 'quiet']) {
      expect(lines.filter((line) => line.startsWith(`cio_of ${name}`))).toEqual([
        ...past(name, 3).map((_, i) => `cio_of ${name}: ${name} ${String(i)}*`),
        `cio_of ${name}: identify of ${name}`,
      ]);
    }
  });
});

test('lanes of one workspace that were answered in one batch go out in the order of their answers, also when they start anew', () => {
  const lanes = pacedLanes();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const name of names) lanes.batch(...past(name, 150));
  const asked = lanes.batch(...names.map((name) => identify(name, name, T)));
  lanes.batch(...grant(asked));
  while (lanes.harness.processor.status().unsettled > 0) {
    lanes.harness.reopen();
    lanes.time += 100;
    lanes.batch();
  }
  const order = merged(lanes.harness.outputs).filter((line) => line.includes('identify'));
  expect(order).toEqual(names.map((name) => `cio_${name}: identify ${name}`));
  expect(lanes.harness.replay({ reopenEachBatch: true })).toEqual(lanes.harness.outputs);
  expect(lanes.harness.replay()).toEqual(lanes.harness.outputs);
});

test('whatever is claimed when, nothing of it is lost or out of order, and no more goes out than the pace allows', () => {
  const claim = fc.record({
    events: fc.integer({ min: 0, max: 300 }),
    workspace: fc.constantFrom('default', 'quiet'),
    afterMs: fc.constantFrom(0, 1, 30, 200, 1_500),
  });
  fc.assert(
    fc.property(fc.array(claim, { minLength: 1, maxLength: 4 }), (claims) => {
      const lanes = pacedLanes();
      const inside = (workspace: string, given: Given): Given =>
        workspace === 'quiet' ? ofQuiet(given) : given;
      for (const [at, { events, workspace }] of claims.entries()) {
        lanes.batch(...past(`v${String(at)}`, events).map((given) => inside(workspace, given)));
      }
      lanes.time = T;
      let batches = 0;
      const step = (...records: Given[]): Output[] => {
        batches += 1;
        if (batches % 9 === 0) lanes.harness.crash();
        return lanes.batch(...records);
      };
      for (const [at, { workspace, afterMs }] of claims.entries()) {
        lanes.time += afterMs;
        const visitor = `v${String(at)}`;
        const asked = step(inside(workspace, identify(visitor, visitor, T)));
        step(...grant(asked));
      }
      while (lanes.harness.processor.status().unsettled > 0) {
        lanes.time += 100;
        step();
      }
      const seconds = (lanes.time - T) / SECOND;
      for (const [at, { events }] of claims.entries()) {
        const name = `v${String(at)}`;
        const lines = merged(lanes.harness.outputs).filter((line) => line.startsWith(`cio_${name}: `));
        expect(lines).toEqual([
          ...past(name, events).map((_, i) => `cio_${name}: ${name} ${String(i)}*`),
          `cio_${name}: identify ${name}`,
        ]);
      }
      const mayBe = pace.eventsAtHandMax + seconds * pace.eventsPerSecond + batches * pace.eventsABatchMin;
      for (const workspace of ['default', 'quiet']) {
        const all = claims.filter((each) => each.workspace === workspace);
        expect(all.reduce((sum, { events }) => sum + events, 0)).toBeLessThanOrEqual(mayBe);
      }
      expect(lanes.harness.replay({ reopenEachBatch: true })).toEqual(lanes.harness.outputs);
    }),
    { numRuns: runs(8) },
  );
});
