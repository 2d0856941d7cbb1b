/** ClickHouse keeps activities by months of their time: an object's line may not make one for each time that was sent. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { of } from '../testing/processor-harness.ts';
import { LaneScenario, T, visit } from '../testing/scenarios/lanes-scenario.ts';

const DAY = 86_400_000;

/** Times of the lines that objects leave which are received at T and were said at these. */
function linesOf(times: readonly number[]): readonly number[] {
  const lanes = new LaneScenario();
  const word = (timestamp: number, at: number) =>
    visit('x', `o${String(at)}`, T, {
      ...{ type: 'object', name: 'Object Created or Updated', anonymous_id: null, timestamp },
      properties: '{"action":"set","object_type_id":"1","object_id":"acme"}',
    });
  const outputs = lanes.batch(...times.map(word));
  return of('activitiesLogged', outputs).map(({ value }) => value.timestamp);
}

test('an object’s line has the time that was sent where that lies in the year before, else when it was received', () => {
  const told = [T, T - 1, T - 300 * DAY, T - 367 * DAY, T + 1, -2_000_000_000_000, 9_999_999_999_999];
  expect(linesOf(told)).toEqual([T, T - 1, T - 300 * DAY, T, T, T, T]);
});

test('objects of all times that a call may say are lines of fourteen months at most', () => {
  const any = fc.integer({ min: -2_208_988_800_000, max: 10_413_791_999_999 });
  const near = fc.integer({ min: T - 500 * DAY, max: T + 500 * DAY });
  fc.assert(
    fc.property(fc.array(fc.oneof(any, near), { minLength: 50, maxLength: 200 }), (times) => {
      const lines = linesOf(times);
      expect(lines).toHaveLength(times.length);
      const months = new Set(lines.map((at) => new Date(at).toISOString().slice(0, 7)));
      expect(months.size).toBeLessThanOrEqual(14);
    }),
    { numRuns: runs(20) },
  );
});
