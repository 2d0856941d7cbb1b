/** A showing that was decided and did not come to be: the page changed while it was asked for, or could not draw it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
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

const notShown = (exposure: unknown, at: number, more: object = {}) =>
  rig.report('nudge', exposure, at, { event: 'not_shown', ...more });

test('it uses up nothing: the message is shown on the next page, as often as its frequency and caps say', async () => {
  rig.message('nudge', { frequency: { mode: 'once' }, caps: { day: 1, gap: 'PT1H', group: 'offers' } });
  const { exposure } = await rig.show('nudge', T0);
  expect(await notShown(exposure, T0 + 2 * SECOND)).toEqual({ taken: true });
  expect(rig.told('nudge')).toEqual(['eligible', 'shown', 'eligible', 'refused not_shown']);
  const [, shown, , refused] = rig.events('nudge');
  expect(refused).toMatchObject({ version: shown?.version, variant: shown?.variant, exposure });
  expect(await notShown(exposure, T0 + 3 * SECOND)).toEqual({ taken: true });
  expect(rig.told('nudge')).toHaveLength(4);
  expect(await rig.show('nudge', T0 + 3 * SECOND, { exposure })).toMatchObject({ reason: 'not_shown' });
  expect((await rig.poll(T0 + 4 * SECOND)).ids).toEqual(['nudge']);
  expect((await rig.show('nudge', T0 + 4 * SECOND)).show).toBe(true);
  expect((await rig.show('nudge', T0 + 2 * DAY)).reason).toBe('frequency');
});

test('what was shown before it counts as before', async () => {
  rig.message('nudge', { frequency: { times: 3, gap: 'PT1H' }, caps: { gap: 'PT2H' } });
  await rig.show('nudge', T0);
  rig.feed(viewed(SHOP, T0 + 3 * HOUR));
  const { exposure } = await rig.show('nudge', T0 + 3 * HOUR);
  await notShown(exposure, T0 + 3 * HOUR);
  const why = (await rig.why('nudge', T0 + 3 * HOUR + SECOND)).json<{ exposures: object; outcome: string }>();
  expect(why).toMatchObject({
    outcome: 'show',
    exposures: { total: 1, last_at: new Date(T0).toISOString() },
  });
});

test.each([
  ['of another visitor', { who: 'bob' }, SECOND, 'unknown_exposure'],
  ['of a showing that was never asked for', { exposure: 'other' }, SECOND, 'unknown_exposure'],
  ['more than a minute later', {}, MINUTE + 1, 'too_late'],
])('it is not taken back %s', async (_what, more, afterMs, reason) => {
  rig.message('nudge', { frequency: { mode: 'once' } });
  const { exposure } = await rig.show('nudge', T0);
  expect(await notShown(exposure, T0 + afterMs, more)).toEqual({ taken: false, reason });
  expect((await rig.show('nudge', T0 + HOUR)).reason).toBe('frequency');
});

test('nor one that was clicked, nor a second one within the hour: so nobody gains more than that', async () => {
  rig.message('nudge', { frequency: { times: 2 } });
  const first = await rig.show('nudge', T0);
  await rig.report('nudge', first.exposure, T0 + SECOND, { event: 'clicked' });
  expect(await notShown(first.exposure, T0 + SECOND)).toEqual({ taken: false, reason: 'too_late' });
  const second = await rig.show('nudge', T0 + MINUTE);
  expect(await notShown(second.exposure, T0 + MINUTE)).toEqual({ taken: true });
  const third = await rig.show('nudge', T0 + 2 * MINUTE);
  expect(await notShown(third.exposure, T0 + 2 * MINUTE)).toEqual({ taken: false, reason: 'too_late' });
  expect((await rig.show('nudge', T0 + 2 * HOUR)).reason).toBe('frequency');
});

test('the visitor stays in the arm that they were put in, as who is held out does, and is never held out later', async () => {
  rig.message('nudge');
  const { exposure } = await rig.show('nudge', T0);
  await notShown(exposure, T0);
  rig.message('nudge', { holdout: 1 });
  rig.feed(did({ name: 'Order Completed', at: T0 + HOUR }));
  expect(rig.told('nudge')).toContain('converted view_through');
  expect((await rig.poll(T0 + 2 * DAY)).ids).toEqual(['nudge']);
});
