/**
 * Five ways in which pop-ups of a peer (PostHog's surveys and tours) fail, as their own threads tell them, and what is so
 * here instead.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  claimed,
  DAY,
  did,
  HOUR,
  InAppRig,
  MINUTE,
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

const stall = {
  all: [{ event: 'Added to Cart' }, { not: { event: 'Added to Cart', within: 'PT10M' } }],
};

test('a cap is not in the browser: two messages of a group, two tabs and a cleared storage share it (PostHog #44150)', async () => {
  const caps = { day: 1, group: 'surveys' };
  rig.message('first', { caps }).message('second', { caps });
  rig.feed(viewed(SHOP, T0));
  const both = await Promise.all([
    rig.show('first', T0, { exposure: 'tab-1' }),
    rig.show('second', T0, { exposure: 'tab-2' }),
  ]);
  expect(both.map(({ show }) => show)).toEqual([true, false]);
  // The other tab has kept nothing, and asks again as if for the first time.
  rig.feed(viewed(SHOP, T0 + HOUR));
  expect((await rig.show('second', T0 + HOUR, { exposure: 'tab-3' })).reason).toBe('day_cap');
  rig.feed(viewed(SHOP, T0 + DAY));
  expect((await rig.show('second', T0 + DAY, { exposure: 'tab-4' })).show).toBe(true);
});

test('a delay outlives the page: it runs on while the visitor goes from one to the next (PostHog #29310)', async () => {
  rig.message('cart', { audience: stall });
  rig.feed(did({ at: T0 }));
  for (let minute = 1; minute < 10; minute += 1)
    rig.feed(viewed(`${SHOP}p/${String(minute)}`, T0 + minute * MINUTE));
  expect((await rig.poll(T0 + 10 * MINUTE - 1)).ids).toEqual([]);
  expect((await rig.poll(T0 + 10 * MINUTE, { page: `${SHOP}elsewhere` })).ids).toEqual(['cart']);
});

test('what was offered to a visitor is not shown to whom they turned out to be (posthog-js #3899)', async () => {
  rig.message('cart', { audience: { event: 'Added to Cart' } });
  rig.feed(did({ at: T0 }));
  expect((await rig.poll(T0)).ids).toEqual(['cart']);
  rig.feed(
    did({ type: 'identify', name: null, at: T0 + SECOND, userId: '42' }),
    claimed('ann', 'cio_1', T0 + SECOND),
  );
  expect(await rig.show('cart', T0 + 2 * SECOND)).toMatchObject({ show: false, reason: 'identified' });
  // Nor what was offered before an order, in whichever tab.
  rig.feed(did({ who: 'bob', at: T0 }));
  expect((await rig.poll(T0, { who: 'bob' })).ids).toEqual(['cart']);
  rig.feed(did({ who: 'bob', at: T0 + SECOND, name: 'Order Completed' }));
  expect((await rig.show('cart', T0 + 2 * SECOND, { who: 'bob' })).reason).toBe('suppressed');
});

test('an event of an earlier session fires nothing later, where the rule is of this one (PostHog #65237)', async () => {
  rig.message('exit', { audience: { event: 'Exit Intent', within: 'PT30M' } });
  rig.feed(did({ name: 'Exit Intent', at: T0 }));
  expect((await rig.poll(T0)).ids).toEqual(['exit']);
  rig.feed(viewed(SHOP, T0 + DAY));
  expect((await rig.poll(T0 + DAY)).ids).toEqual([]);
  // Nor one that is delivered late: it counts from when it happened.
  const late = did({ who: 'bob', name: 'Exit Intent', at: T0 + DAY });
  rig.feed({ ...late, value: late.value && { ...late.value, timestamp: T0 } });
  expect((await rig.poll(T0 + DAY, { who: 'bob' })).ids).toEqual([]);
});

test('anybody can say why it was not shown, and how often which reason stood in the way (PostHog #52825)', async () => {
  rig.message('cart', { audience: stall, pages: [{ contains: 'cart' }], frequency: { mode: 'once' } });
  rig.feed(did({ at: T0, id: 'm-cart' }));
  const why = async (at: number, page: string) =>
    (await rig.why('cart', at, { page })).json<Record<string, unknown>>();
  expect(await why(T0 + MINUTE, `${SHOP}cart`)).toMatchObject({
    outcome: 'not_eligible',
    reason: 'audience',
    audience: [
      { pointer: '/audience/all/0', result: true, events: ['m-cart'] },
      { pointer: '/audience/all/1/not', result: true, changes_at: new Date(T0 + 10 * MINUTE).toISOString() },
    ],
  });
  expect(await why(T0 + 10 * MINUTE, SHOP)).toMatchObject({ outcome: 'not_eligible', reason: 'page' });
  expect(await why(T0 + 10 * MINUTE, `${SHOP}cart`)).toMatchObject({ outcome: 'show', variant: 'default' });
  const { exposure } = await rig.show('cart', T0 + 10 * MINUTE, { page: `${SHOP}cart` });
  await rig.report('cart', exposure, T0 + 10 * MINUTE);
  expect(await why(T0 + HOUR, `${SHOP}cart`)).toMatchObject({
    outcome: 'refused',
    reason: 'dismissed',
    exposures: { total: 1, dismissed_at: new Date(T0 + 10 * MINUTE).toISOString() },
  });
  for (const at of [T0 + HOUR, T0 + HOUR + MINUTE, T0 + 2 * HOUR])
    await rig.poll(at, { page: `${SHOP}cart` });
  expect(rig.told('cart').filter((line) => line.startsWith('refused'))).toEqual([
    'refused dismissed',
    'refused dismissed',
  ]);
  expect((await rig.why('none', T0)).statusCode).toBe(404);
});
