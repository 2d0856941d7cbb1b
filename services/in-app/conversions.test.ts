/** Conversions: in the visitor's own lane, on another device, after the claim, whichever record comes first. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { given } from '../testing/processor-harness.ts';
import { mergedEvent } from '../../schemas/merged-event.ts';
import {
  claimed,
  DAY,
  decided,
  did,
  HOUR,
  InAppRig,
  merged,
  T0,
  WORKSPACE,
} from '../testing/scenarios/in-app-rig.ts';
import { newVisitor } from './decide/visitor.ts';
import { visitorFrom } from './visitor-bytes.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

const order = (who: string, at: number, id: string, more: object = {}) =>
  did({ who, at, id, name: 'Order Completed', properties: { total: '12.50', currency: 'EUR' }, ...more });
const converted = () =>
  rig
    .events('nudge')
    .filter(({ event }) => event === 'converted')
    .map(({ reason, cause_message_id: cause, value, currency, anonymous_id: who, person_id: person }) =>
      [reason, cause, value, currency, who, person].join(' ').trim(),
    );

test('an order after a view or a click is one, within the time that the message says', async () => {
  rig.message('nudge', { conversion: { event: 'Order Completed', within: 'P1D' } });
  const { exposure } = await rig.show('nudge', T0);
  rig.feed(order('ann', T0 + HOUR, 'm1'));
  await rig.report('nudge', exposure, T0 + HOUR, { event: 'clicked', action: 'go' });
  rig.feed(order('ann', T0 + DAY, 'm2'), order('ann', T0 + DAY, 'm2'), order('ann', T0 + DAY + 1, 'm3'));
  expect(converted()).toEqual(['view_through m1 12.5 EUR ann', 'click_through m2 12.5 EUR ann']);
});

test.each([
  ['usd', 'USD'],
  [' Eur ', 'EUR'],
  ['€', 'other'],
  ['Euro', 'other'],
  ['{{ currency }}'.repeat(20), 'other'],
  [978, 'other'],
  ['', null],
])('a currency is its code in capitals, and all that is none is one: %s', async (currency, kept) => {
  rig.message('nudge');
  await rig.show('nudge', T0);
  rig.feed(did({ at: T0 + HOUR, name: 'Order Completed', properties: { total: 5, currency } }));
  expect(rig.events('nudge').at(-1)).toMatchObject({ event: 'converted', value: '5', currency: kept });
});

test('an order of the holdout counts for the holdout', async () => {
  rig.message('nudge', { holdout: 1 });
  await rig.poll(T0);
  rig.feed(order('ann', T0 + HOUR, 'm1'));
  expect(converted()).toEqual(['held_out m1 12.5 EUR ann']);
});

test.each(['the claim first', 'the order first'])(
  'an order on another device is credited across the claim, once: %s',
  async (which) => {
    rig.message('nudge');
    await rig.show('nudge', T0);
    const claim = claimed('ann', 'cio_1', T0 + HOUR);
    const bought = merged('cio_1', order('phone', T0 + 2 * HOUR, 'm1'), T0 + 2 * HOUR);
    const records = which === 'the claim first' ? [claim, bought, bought] : [bought, bought, claim];
    for (const record of records) rig.feed(record);
    expect(converted()).toEqual(['view_through m1 12.5 EUR ann cio_1']);
  },
);

test('an order in the lane itself is not told again on the stream of the person', async () => {
  rig.message('nudge');
  await rig.show('nudge', T0);
  const bought = order('ann', T0 + HOUR, 'm1');
  rig.feed(bought);
  rig.feed(merged('cio_1', bought, T0 + HOUR));
  rig.feed(claimed('ann', 'cio_1', T0 + HOUR));
  expect(converted()).toEqual(['view_through m1 12.5 EUR ann']);
});

test('who absorbs a person has what that person was shown', async () => {
  rig.message('nudge');
  await rig.show('nudge', T0);
  rig.feed(claimed('ann', 'cio_1', T0 + HOUR));
  const fields = {
    workspace: WORKSPACE,
    person_id: 'cio_1',
    merged_at: T0 + HOUR,
    other_person_id: 'cio_2',
  } as const;
  rig.feed(given('eventsMerged', `${WORKSPACE}:cio_1`, mergedEvent({ kind: 'absorbed', ...fields })));
  rig.feed(merged('cio_2', order('phone', T0 + 2 * HOUR, 'm1'), T0 + 2 * HOUR));
  expect(converted()).toEqual(['view_through m1 12.5 EUR ann cio_2']);
});

test('a person who is deleted leaves nothing but that the visitor was somebody', async () => {
  rig.message('nudge');
  await rig.show('nudge', T0);
  rig.feed(claimed('ann', 'cio_1', T0 + HOUR));
  rig.feed(decided({ kind: 'deleted', person_id: 'cio_1' }));
  const fields = { workspace: WORKSPACE, person_id: 'cio_1', merged_at: T0 + HOUR } as const;
  rig.feed(given('eventsMerged', `${WORKSPACE}:cio_1`, mergedEvent({ kind: 'deleted', ...fields })));
  const [person, visitor, ...others] = rig.harness.stores.keyed.scan('p:', 'w:', 10);
  expect([person?.[0], person?.[1].toString('utf8', 4)]).toEqual([
    `q:${WORKSPACE}:cio_1`,
    '{"exposures":[],"orders":[],"absorbedBy":null,"isDeleted":true}',
  ]);
  expect(visitor?.[0]).toBe(`v:${WORKSPACE}:a:ann`);
  const left = visitorFrom((visitor?.[1] ?? Buffer.alloc(0)).subarray(4), 'ann');
  expect(left).toEqual({ ...newVisitor('ann'), isIdentified: true });
  expect(others).toEqual([]);
  rig.feed(merged('cio_1', order('phone', T0 + 2 * HOUR, 'm1'), T0 + 2 * HOUR));
  expect(converted()).toEqual([]);
});

test('who has not been heard of for a year is forgotten', async () => {
  rig.message('nudge');
  await rig.show('nudge', T0);
  await rig.show('nudge', T0 + 200 * DAY, { who: 'bob' });
  const lanes = () => rig.harness.stores.keyed.scan('v:', 'w:', 10).map(([key]) => key);
  rig.harness.idle(T0 + 364 * DAY);
  expect(lanes()).toHaveLength(2);
  rig.harness.idle(T0 + 366 * DAY);
  expect(lanes()).toEqual([`v:${WORKSPACE}:a:bob`]);
});
