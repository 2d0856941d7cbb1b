/** What changes while a message is on somebody's screen, and what a browser with a wrong clock or very many messages can do. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { contentIdOf } from '../../schemas/content-ids.ts';
import {
  DAY,
  did,
  HOUR,
  InAppRig,
  MINUTE,
  modal,
  SECOND,
  SHOP,
  T0,
  viewed,
} from '../testing/scenarios/in-app-rig.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

test('a message that is edited while it is shown: what becomes of the showing counts, and its frequency goes on', async () => {
  rig.message('hello', { frequency: { times: 2 } });
  const { exposure } = await rig.show('hello', T0);
  rig.message('hello', { frequency: { times: 2 }, content: { ...modal, title: 'Other words' } });
  expect(await rig.report('hello', exposure, T0 + SECOND, { event: 'clicked', action: 'go' })).toEqual({
    taken: true,
  });
  const properties = { actionType: 'clicked_content', contentId: contentIdOf('hello'), actionName: 'go' };
  rig.feed(did({ name: 'Report Content Event', at: T0 + SECOND, properties }));
  const clicked = rig.events('hello').filter(({ event }) => event === 'clicked');
  expect(clicked.map(({ version }) => version)).toEqual([1, 1]);
  rig.feed(viewed(SHOP, T0 + MINUTE));
  expect((await rig.poll(T0 + MINUTE)).offered[0]?.content).toMatchObject({ title: 'Other words' });
  expect((await rig.show('hello', T0 + MINUTE)).show).toBe(true);
  rig.feed(viewed(SHOP, T0 + HOUR));
  expect((await rig.show('hello', T0 + HOUR)).reason).toBe('frequency');
});

const variantsOf = (weights: Readonly<Record<string, number>>) => ({
  ...{ content: undefined, frequency: { mode: 'once' } },
  variants: Object.entries(weights).map(([id, weight]) => ({ id, weight, content: modal })),
});

test('whom an edited message is held out from counts for it as edited, and so do their orders', async () => {
  rig.message('hello', { holdout: 1 });
  await rig.poll(T0);
  rig.message('hello', { holdout: 1, content: { ...modal, title: 'Other words' } });
  await rig.poll(T0 + HOUR);
  rig.feed(did({ at: T0 + 2 * HOUR, name: 'Order Completed' }));
  const told = rig.events('hello').filter(({ event }) => event !== 'eligible');
  expect(told.map(({ event, version }) => [event, version])).toEqual([
    ['held_out', 1],
    ['held_out', 2],
    ['converted', 2],
  ]);
});

test('one whose variants are replaced between the offer and the showing is not shown, nor counted, and is offered anew', async () => {
  rig.message('ab', variantsOf({ a: 1 }));
  expect((await rig.poll(T0)).offered[0]?.variant).toBe('a');
  rig.message('ab', variantsOf({ b: 1 }));
  const { exposure, ...answer } = await rig.show('ab', T0, { variant: 'a' });
  expect(answer).toEqual({ show: false, reason: 'other_variant' });
  expect(await rig.show('ab', T0, { variant: 'a', exposure })).toMatchObject({ reason: 'other_variant' });
  expect(rig.told('ab')).toEqual([]);
  expect((await rig.poll(T0)).offered[0]?.variant).toBe('b');
  expect(await rig.show('ab', T0, { variant: 'b' })).toMatchObject({ show: true, variant: 'b' });
});

test('one whose weights are changed between the offer and the showing is shown as it was offered, and stays that', async () => {
  rig.message('ab', { ...variantsOf({ a: 1_000, b: 1 }), frequency: { mode: 'always' } });
  const { variant } = (await rig.poll(T0)).offered[0] ?? {};
  rig.message('ab', { ...variantsOf({ a: 1, b: 1_000 }), frequency: { mode: 'always' } });
  expect((await rig.poll(T0)).offered[0]?.variant).not.toBe(variant);
  expect(await rig.show('ab', T0, { variant })).toMatchObject({ show: true, variant });
  rig.feed(viewed(SHOP, T0 + MINUTE));
  expect((await rig.poll(T0 + MINUTE)).offered[0]?.variant).toBe(variant);
});

test('of one that may be shown, and has another before it, it is said which', async () => {
  rig.message('later').message('first', { priority: 1 });
  rig.feed(viewed(SHOP, T0));
  expect((await rig.poll(T0)).ids).toEqual(['first']);
  const page = { page: SHOP };
  expect((await rig.why('first', T0, page)).json()).not.toHaveProperty('waits_for');
  expect((await rig.why('later', T0, page)).json()).toMatchObject({
    ...{ outcome: 'show', waits_for: 'first', says: expect.stringContaining('first is offered before it') },
  });
  await rig.report('first', (await rig.show('first', T0)).exposure, T0);
  expect((await rig.why('later', T0, page)).json()).not.toHaveProperty('waits_for');
});

test('an edit of its audience forgets nobody who bought, and an edit of a time nothing that was counted', async () => {
  const rule = (audience: object, within = 'P7D') => ({
    ...{ audience, suppress: [{ event: 'Booked', within }] },
  });
  const added = { event: 'Added to Cart', within: 'P1D' };
  rig.message('cart', rule(added));
  rig.feed(did({ at: T0 }), did({ at: T0, name: 'Booked' }));
  expect((await rig.why('cart', T0 + HOUR)).json()).toMatchObject({ reason: 'suppressed' });
  const older = { ...added, within: 'P2D' };
  rig.message('cart', rule({ all: [{ attribute: 'orders', operator: 'eq', value: 0 }, older] }, 'P8D'));
  rig.feed(did({ at: T0 + HOUR, name: 'Looked' }));
  expect((await rig.why('cart', T0 + HOUR)).json()).toMatchObject({ reason: 'suppressed' });
  expect((await rig.why('cart', T0 + 8 * DAY)).json()).toMatchObject({ reason: 'audience' });
  // Another event than before has not been counted.
  rig.message('cart', { suppress: [{ event: 'Looked', within: 'P30D' }] });
  expect((await rig.why('cart', T0 + 8 * DAY)).json()).toMatchObject({ outcome: 'show' });
});

test('one that is stopped, or deleted, while it is shown: the report is taken, and nothing more is shown', async () => {
  rig.message('hello').message('bye');
  const { exposure } = await rig.show('hello', T0);
  rig.message('hello', { state: 'stopped' });
  expect(await rig.report('hello', exposure, T0 + SECOND)).toEqual({ taken: true });
  rig.feed(viewed(SHOP, T0 + MINUTE));
  const second = await rig.show('bye', T0 + MINUTE);
  rig.harness.define('message', 'shop', 'bye', undefined);
  rig.feed();
  expect(await rig.report('bye', second.exposure, T0 + 2 * MINUTE)).toEqual({ taken: true });
  expect(rig.told('bye')).toEqual(['eligible', 'shown', 'dismissed']);
  expect((await rig.show('bye', T0 + HOUR)).reason).toBe('not_running');
});

test.each([
  ['a year ahead', 365 * DAY],
  ['a year behind', -365 * DAY],
])(
  'a browser whose clock is %s keeps no stall from its moment, nor brings it about sooner',
  async (_what, off) => {
    const audience = {
      event: 'Added to Cart',
      without: { event: 'Order Completed' },
      for: 'PT10M',
      within: 'P1D',
    };
    rig.message('cart', { audience });
    const event = did({ at: T0 });
    rig.feed({ ...event, value: event.value && { ...event.value, timestamp: T0 + off } });
    const due = await rig.poll(T0 + 10 * MINUTE - 1);
    expect(due.ids).toEqual([]);
    // By its own time it happened a year ago: that is outside of the rule. One from the future counts as of now.
    expect((await rig.poll(T0 + 10 * MINUTE)).ids).toEqual(off > 0 ? ['cart'] : []);
  },
);

test('of very many messages the best is offered, what is not shown is counted within bounds, and a refusal says so', async () => {
  const many = 1_000;
  for (let message = 0; message < many; message += 1) {
    rig.harness.define('message', 'shop', `m${String(message)}`, {
      name: 'm',
      state: 'running',
      content: modal,
      priority: message,
      frequency: { mode: 'once' },
    });
  }
  rig.feed(viewed(SHOP, T0));
  expect((await rig.poll(T0)).ids).toEqual(['m0']);
  const { exposure } = await rig.show('m0', T0);
  await rig.report('m0', exposure, T0);
  expect((await rig.poll(T0 + SECOND)).ids).toEqual(['m1']);
  rig.feed(did({ at: T0 + MINUTE, name: 'Order Completed' }));
  await rig.poll(T0 + MINUTE); // each is refused, and counted as far as the visitor has room
  expect((await rig.why('m999', T0 + MINUTE)).json()).toMatchObject({ reason: 'suppressed' });
  expect((await rig.why('m999', T0 + 2 * DAY)).json()).toMatchObject({ reason: 'visitor_full' });
  const refused = rig.told().filter((line) => line === 'refused suppressed');
  expect(refused.length).toBeLessThanOrEqual(200);
});
