/** Spec C.1 rows 18 and 23: relationships and traits of a visitor wait for the claim, as events do, and are none of them. */
import { expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import {
  grant,
  identify,
  LaneScenario,
  merged,
  T,
  track,
  visit,
} from '../testing/scenarios/lanes-scenario.ts';

const says = (type: 'relate' | 'traits') => (name: string, at: number) =>
  visit('x', name, at, { type, name: null });
const relate = says('relate');

test.each(['relate', 'traits'] as const)(
  '%s: they are released in their place, and no event is counted for them',
  (type) => {
    const relate = says(type);
    const lanes = new LaneScenario();
    expect(merged(lanes.batch(relate('r1', T), visit('x', 'v', T + 1), relate('r2', T + 2)))).toEqual([]);
    lanes.batch(...grant(lanes.batch(identify('x', '42', T + 3))));
    lanes.batch(relate('r3', T + 4), visit('x', 'w', T + 5));
    expect(merged(lanes.harness.outputs)).toEqual([
      'cio_42: r1*',
      'cio_42: v*',
      'cio_42: r2*',
      'cio_42: identify 42',
      'cio_42: r3*',
      'cio_42: w*',
    ]);
    const counted = of('activitiesLogged', lanes.harness.outputs).map(
      ({ value }) => JSON.parse(value.detail ?? '') as unknown,
    );
    expect(counted).toMatchObject([{ count: 1, oldest: Math.floor((T + 1) / 1000) }, { count: 1 }]);
  },
);

test('a visitor who had nothing else leaves no activity of merged data', () => {
  const lanes = new LaneScenario();
  lanes.batch(relate('r', T));
  lanes.batch(...grant(lanes.batch(identify('x', '42', T + 3))));
  expect(merged(lanes.harness.outputs)).toEqual(['cio_42: r*', 'cio_42: identify 42']);
  expect(of('activitiesLogged', lanes.harness.outputs)).toEqual([]);
});

test('one that names a person goes to that person, whoever has claimed the lane', () => {
  const lanes = new LaneScenario();
  lanes.batch(...grant(lanes.batch(identify('x', '42', T))));
  const named = visit('x', 'r', T + 1, {
    type: 'relate',
    name: null,
    identifier_kind: 'id',
    identifier: '7',
  });
  lanes.batch(...grant(lanes.batch(named)));
  lanes.batch(...grant(lanes.batch(track('x', '7', 't', T + 2))));
  expect(merged(lanes.harness.outputs)).toEqual(['cio_42: identify 42', 'cio_7: r', 'cio_7: t']);
});
