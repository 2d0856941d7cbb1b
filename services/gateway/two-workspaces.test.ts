/** Two workspaces behind one door: with each kind of key nothing that is asked, told or stored crosses. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { adminKey, testServer, workspace, type TestServer } from '../testing/gateway-server.ts';
import { authorizationsOf, type Authorizations } from '../testing/recorded-requests.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const ask = async (options: InjectOptions) => {
  const { statusCode, payload } = await under.server.inject(options);
  return { statusCode, payload };
};

interface Shop {
  readonly name: string;
  readonly auth: Authorizations;
  readonly writeKey: string;
}

async function make(name: string): Promise<Shop> {
  const { payload } = await ask({
    method: 'PUT',
    url: `/v1/workspaces/${name}`,
    headers: { authorization: `Bearer ${adminKey}` },
    payload: {},
  });
  const { credentials } = JSON.parse(payload) as {
    credentials: { site_id: string; api_key: string; write_key: string; app_key: string };
  };
  return { name, auth: authorizationsOf(credentials), writeKey: credentials.write_key };
}

/** A call of every kind, by the same visitor and person in each shop. */
async function call({ auth, writeKey }: Shop): Promise<void> {
  const track = { anonymousId: 'visitor', event: 'Look', messageId: 'm' };
  const asked: readonly InjectOptions[] = [
    {
      method: 'POST',
      url: '/api/v1/events',
      headers: { authorization: auth.track },
      payload: { name: 'Look', anonymous_id: 'visitor' },
    },
    {
      method: 'PUT',
      url: '/api/v1/customers/ada',
      headers: { authorization: auth.track },
      payload: { anonymous_id: 'visitor' },
    },
    { method: 'POST', url: '/v1/track', headers: { authorization: auth.pipelines }, payload: track },
    { method: 'POST', url: '/v1/b', payload: { batch: [{ ...track, type: 'track' }], writeKey } },
    { method: 'DELETE', url: '/api/v1/customers/ada', headers: { authorization: auth.track } },
  ];
  for (const each of asked) expect(await ask(each)).toMatchObject({ statusCode: 200 });
}

test('what is taken carries the workspace of its key, and lanes of one name are two', async () => {
  const shops = [await make('alpine'), await make('baltic')];
  for (const shop of shops) {
    const before = { events: under.sent.events.length, requests: under.sent.requests.length };
    await call(shop);
    const events = under.sent.events.slice(before.events);
    const requests = under.sent.requests.slice(before.requests);
    expect(events).toHaveLength(4);
    expect(requests).toHaveLength(1);
    for (const { key, value } of [...events, ...requests]) {
      expect(value.workspace).toBe(shop.name);
      expect(key.split(':')[0]).toBe(shop.name);
    }
  }
});

test('definitions, settings, keys, live calls and refusals of one are nothing to the other', async () => {
  const [alpine, baltic] = [await make('alpine'), await make('baltic')];
  const as = (shop: Shop, method: 'GET' | 'PUT' | 'DELETE', url: string, payload?: object) =>
    ask({ method, url, headers: { authorization: shop.auth.app }, ...(payload && { payload }) });
  const segment = { name: 'Secret of alpine', type: 'manual' };
  const url = '/v1/definitions/segments/secret';
  expect(await as(alpine, 'PUT', url, segment)).toMatchObject({ statusCode: 200 });
  await as(alpine, 'PUT', '/v1/workspaces/alpine', { phone_country: 'AT' });
  await call(alpine);
  await ask({
    method: 'POST',
    url: '/v1/track',
    headers: { authorization: alpine.auth.pipelines, 'x-strict-mode': '1' },
    payload: '{}',
  });

  expect(await as(baltic, 'GET', url)).toMatchObject({ statusCode: 404 });
  expect(await as(baltic, 'DELETE', url)).toMatchObject({ statusCode: 404 });
  for (const path of ['', '/fragmentation']) {
    expect(await as(baltic, 'GET', `/v1/workspaces/alpine${path}`)).toMatchObject({ statusCode: 401 });
  }
  expect(await as(baltic, 'PUT', '/v1/workspaces/alpine', {})).toMatchObject({ statusCode: 401 });
  for (const path of ['/v1/definitions/segments', '/v1/segments', '/v1/refusals', '/v1/keys']) {
    const { statusCode, payload } = await as(baltic, 'GET', path);
    expect([path, statusCode]).toEqual([path, 200]);
    expect(payload).not.toMatch(/alpine|secret/i);
  }
  expect((await as(alpine, 'GET', '/v1/refusals')).payload).toContain('invalid_call');
  const nobody = { key: undefined, visitor: undefined, person: undefined, answered: undefined };
  expect(under.live.recent(workspace, nobody)).toEqual([]);
  expect(await as(alpine, 'GET', url)).toMatchObject({ statusCode: 200 });
});

test('a key of one API or workspace opens no other', async () => {
  const { auth } = await make('alpine');
  const tries: readonly (readonly [string, string])[] = [
    ['/v1/track', auth.track],
    ['/v1/track', auth.app],
    ['/api/v1/events', auth.pipelines],
    ['/api/v1/events', auth.app],
    ['/api/v2/batch', auth.pipelines],
  ];
  for (const [url, authorization] of tries) {
    const answer = await ask({ method: 'POST', url, headers: { authorization }, payload: '{}' });
    expect([url, answer.statusCode]).toEqual([url, 401]);
  }
  expect(under.sent.order).toEqual([]);
});
