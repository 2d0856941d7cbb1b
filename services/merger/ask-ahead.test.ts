/** While a control call is under way, what queues in a lane asks ahead of its turn: a bounded number of events at once. */
import { expect, test } from '@jest/globals';
import { controlMarker } from '../../schemas/control-markers.ts';
import type { Output } from '../testing/processor-harness.ts';
import { given } from '../testing/processor-harness.ts';
import { askAheadMax } from './decide/limits.ts';
import {
  grant,
  identify,
  LaneScenario,
  merged,
  requests,
  SECOND,
  T,
  track,
} from '../testing/scenarios/lanes-scenario.ts';

const MORE = 200;

/** How many requests of the lane's events there are, of which tells of the control call apart. */
function asked(outputs: readonly Output[]): number {
  return requests(outputs).filter(({ lane }) => lane !== null).length;
}

test('a queue that is longer than may ask at once asks for the rest when these have had their turns', () => {
  const lanes = new LaneScenario();
  const claim = lanes.batch(identify('x', '42', T));
  // Nobody whom the lane knows, so that each must ask; no control call is under way yet, so none of them does.
  const queue = Array.from({ length: askAheadMax + MORE }, (_, index) =>
    track('x', `someone-${String(index)}`, `m${String(index)}`, T + index),
  );
  expect(asked(lanes.batch(...queue))).toBe(0);
  const call = { workspace: 'default', kind: 'delete', received_at: T + 10 * SECOND } as const;
  lanes.batch(given('eventsCollected', 'default', controlMarker(call, 1)));

  let outputs = lanes.batch(...grant(claim));
  // The first of the queue, whose turn it is, and those that ask ahead.
  expect(asked(outputs)).toBe(1 + askAheadMax);
  const all = [...outputs];
  let askedInAll = 1 + askAheadMax;
  while (requests(outputs).length > 0) {
    const answers = grant(outputs.filter(({ value }) => 'lane' in value && value.lane !== null));
    outputs = [...lanes.batch(...answers), ...lanes.idle()];
    askedInAll += asked(outputs);
    all.push(...outputs);
    if (answers.length === 0) break;
  }
  expect(askedInAll).toBe(askAheadMax + MORE);
  expect(merged(all)).toEqual([
    'cio_42: identify 42',
    ...queue.map((_, index) => `cio_someone-${String(index)}: m${String(index)}`),
  ]);
});
