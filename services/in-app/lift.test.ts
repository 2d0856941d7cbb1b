/** Lift compares two arms: what happens to both must count the same for both, or a message that does nothing seems to help. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import {
  claimed,
  DAY,
  did,
  HOUR,
  InAppRig,
  MINUTE,
  merged,
  SHOP,
  T0,
  viewed,
} from '../testing/scenarios/in-app-rig.ts';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant('visit' as const) },
  { weight: 3, arbitrary: fc.constant('order' as const) },
  { weight: 1, arbitrary: fc.constant('edit' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);
const frequency = fc.constantFrom(undefined, { mode: 'always' }, { times: 20, gap: 'PT1H' });
const story = fc.record({
  frequency,
  isSecond: fc.boolean(),
  within: fc.constantFrom('P1D', 'P7D'),
  steps: fc.array(fc.tuple(step, fc.constantFrom(2 * HOUR, DAY, 3 * DAY)), { maxLength: 20, size: 'max' }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** What the arm has converted, as version and event. */
async function played({ frequency, isSecond, within, steps }: Story, holdout: 0 | 1): Promise<string[]> {
  const rig = new InAppRig();
  const define = (name: string) =>
    rig.message('nudge', {
      name,
      holdout,
      suppress: [],
      conversion: { event: 'Order Completed', within },
      ...(frequency !== undefined && { frequency }),
    });
  define('nudge');
  if (isSecond) rig.message('first', { priority: 100, frequency: { mode: 'once' }, suppress: [] });
  let at = T0;
  for (const [number, [what, waitMs]] of steps.entries()) {
    at += waitMs;
    switch (what) {
      case 'visit':
        rig.feed(viewed(SHOP, at));
        for (const id of (await rig.poll(at + MINUTE)).ids) await rig.show(id, at + MINUTE);
        break;
      case 'order':
        rig.feed(did({ name: 'Order Completed', at, id: `order ${String(number)}` }));
        break;
      case 'edit':
        define(`nudge ${String(number)}`);
        break;
      default:
        rig.harness.crash();
        rig.feed();
    }
  }
  await rig.close();
  return rig
    .events('nudge')
    .filter(({ event }) => event === 'converted')
    .map(({ version, cause_message_id: cause }) => `${String(version)} ${cause ?? ''}`);
}

test('a story counts the same orders for who was shown the message and for who was held out', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      expect(await played(told, 0)).toEqual(await played(told, 1));
    }),
    { numRuns: runs(20) },
  );
});

test('an order counts within its time from the first showing, however often it is shown after that', async () => {
  const steps: Story['steps'] = [
    ['visit', DAY],
    ['visit', 3 * DAY],
    ['order', 3 * DAY],
    ['visit', 2 * HOUR],
    ['order', 2 * DAY],
  ];
  const told: Story = { frequency: undefined, isSecond: false, within: 'P7D', steps };
  expect(await played(told, 0)).toEqual(['1 order 2']);
  expect(await played(told, 1)).toEqual(['1 order 2']);
});

test('who is held out counts from when they would have been offered it, not from when another message had its place', async () => {
  const steps: Story['steps'] = [
    ['visit', DAY],
    ['order', 2 * HOUR],
    ['visit', DAY],
    ['order', 3 * DAY],
  ];
  const told: Story = { frequency: undefined, isSecond: true, within: 'P7D', steps };
  expect(await played(told, 0)).toEqual(['1 order 3']);
  expect(await played(told, 1)).toEqual(['1 order 3']);
});

test('after the claim, too, the time is from the first showing', async () => {
  const rig = new InAppRig();
  rig.message('nudge');
  await rig.show('nudge', T0);
  rig.feed(viewed(SHOP, T0 + 6 * DAY));
  await rig.show('nudge', T0 + 6 * DAY + MINUTE);
  rig.feed(claimed('ann', 'cio_1', T0 + 6 * DAY + HOUR));
  const bought = (at: number) =>
    merged('cio_1', did({ who: 'phone', name: 'Order Completed', at, id: `order ${String(at)}` }), at);
  rig.feed(bought(T0 + 7 * DAY), bought(T0 + 8 * DAY));
  const converted = rig.events('nudge').filter(({ event }) => event === 'converted');
  expect(converted.map(({ cause_message_id: cause }) => cause)).toEqual([`order ${String(T0 + 7 * DAY)}`]);
  await rig.close();
});
