/** Whether an operator is told that the plugin is on, and what is missing where it is not. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeKey } from '../testing/gateway-server.ts';
import { InAppRig, SHOP, T0 } from '../testing/scenarios/in-app-rig.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import { PageSigns } from './page-signs.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

interface Answer {
  readonly state: string;
  readonly says: string;
  readonly signs: Readonly<Record<string, { readonly count: number } | null>>;
}
const check = async (key = 'appkey') => {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await rig.server.inject({ method: 'GET', url: '/v1/in-app/check', headers });
  return { status: answer.statusCode, ...answer.json<Answer>() };
};

test('from no page to settings, to polls, to what was shown and reported: each step says what lacks (spec E row 71)', async () => {
  rig.message('hello');
  expect(await check()).toMatchObject({ state: 'no_page', signs: { loaded: null, asked: null } });
  await rig.server.inject({
    method: 'GET',
    url: `/v1/projects/${writeKey}/settings`,
    headers: { referer: SHOP },
  });
  const loaded = await check();
  expect(loaded).toMatchObject({
    state: 'not_on',
    signs: { loaded: { count: 1, last_page: SHOP }, asked: null },
  });
  expect(loaded.says).toContain('anonymousInApp: true');
  await rig.poll(T0, { page: `${SHOP}cart` });
  expect(await check()).toMatchObject({
    state: 'on',
    signs: {
      asked: { count: 1, last_page: `${SHOP}cart`, last_anonymous_id: 'ann', client: 'in_app' },
      shown: null,
      reported: null,
    },
  });
  const { exposure } = await rig.show('hello', T0);
  await rig.report('hello', exposure, T0);
  await rig.report('hello', 'never-shown', T0);
  expect(await check()).toMatchObject({ signs: { shown: { count: 1 }, reported: { count: 1 } } });
});

test('Customer.io’s own plugin is told apart, and what is refused is no showing', async () => {
  rig.message('hello', { state: 'draft' });
  const headers = { 'x-cio-site-id': 'site_123', 'x-gist-user-anonymous': 'true', origin: SHOP };
  await rig.post('/api/v4/users?sessionId=s', {}, T0, headers);
  await rig.show('hello', T0);
  expect(await check()).toMatchObject({
    state: 'on',
    signs: { asked: { client: 'web_plugin', last_page: SHOP, last_anonymous_id: null }, shown: null },
  });
});

test('only the workspace’s own key is told, and of no other workspace', async () => {
  await rig.poll(T0, { site_id: 'another' });
  expect((await check('wrong')).status).toBe(401);
  expect(await check()).toMatchObject({ status: 200, state: 'no_page' });
  const signs = new PageSigns(() => 1);
  signs.note(toWorkspace('one'), 'asked', { page: 'x'.repeat(1_000) });
  expect(signs.of(toWorkspace('two')).state).toBe('no_page');
  expect(signs.of(toWorkspace('one')).signs.asked?.last_page).toHaveLength(300);
});
