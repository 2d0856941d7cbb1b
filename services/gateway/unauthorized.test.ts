/** What a key may not do, and what somebody without one is told. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeyPart } from '../runtime/key-forms.ts';
import {
  adminKey,
  apiKey,
  appAuth,
  browserAuth,
  browserKey,
  pipelinesAuth,
  siteId,
  testServer,
  trackAuth,
  workspace,
  type TestServer,
} from '../testing/gateway-server.ts';
import { newSecret } from './keys/secrets.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
/** Of the forms in which keys are made, and nobody's. */
const nobodys = (part: KeyPart) => newSecret(part);
const [site, api, server, appSecret] = (['siteId', 'apiKey', 'server', 'app'] as const).map(nobodys) as [
  string,
  string,
  string,
  string,
];

describe('newcomers 4: a 401 says which credential the call takes, and how the form of what was sent differs', () => {
  const track = [
    'PUT',
    '/api/v1/customers/1',
    /takes Basic with site_id:api_key, a key of kind track/,
  ] as const;
  const pipelines = [
    'POST',
    '/v1/track',
    /takes Basic with the write key .* kind server or browser/,
  ] as const;
  const app = ['GET', '/v1/definitions/segments', /takes Bearer with a key of kind app/] as const;

  test.each([
    [track, undefined, /it has no Authorization header$/],
    [track, appAuth, /it has Bearer$/],
    [track, pipelinesAuth, /it has no password, as write keys are sent$/],
    [track, 'Basic !', /not the base64 of user:password$/],
    [track, 'Digest x', /neither Basic nor Bearer$/],
    [track, basic('site:wrong'), /no key has its site id and its API key together, .* is not told$/],
    [track, basic(`${site}:${api}`), /no key has its site id and its API key together, .* is not told$/],
    [track, basic(`${api}:${site}`), /its site id and its API key have changed places$/],
    [track, basic(`${site}:`), /it has no password, where the API key belongs$/],
    [track, basic(`${server}:`), /its user has the form of a key of kind server, not that of a site id$/],
    [track, basic(`${appSecret}:x`), /its user has the form of a key of kind app, not that of a site id$/],
    [
      track,
      basic(`${site}:${server}`),
      /its password has the form of a key of kind server, not that of an API key$/,
    ],
    [pipelines, undefined, /it has no Authorization header$/],
    [pipelines, trackAuth, /it has a password, as site_id:api_key is sent$/],
    [pipelines, appAuth, /it has Bearer$/],
    [pipelines, basic(`${appSecret}:`), /its user has the form of a key of kind app$/],
    [pipelines, basic(`${site}:`), /its user has the form of a site id$/],
    [pipelines, basic(`${server}:`), /the credentials are not valid$/],
    [app, undefined, /it has no Authorization header$/],
    [app, trackAuth, /it has Basic$/],
    [app, 'Bearer wrong', /the credentials are not valid$/],
    [app, `Bearer ${appSecret}`, /the credentials are not valid$/],
    [app, `Bearer ${server}`, /what follows Bearer has the form of a key of kind server$/],
  ] as const)('%#', async ([method, url, takes], authorization, differs) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await under.server.inject({ method, url, headers });
    expect(answer.statusCode).toBe(401);
    const { meta } = answer.json<{ meta: { error: string; code: string } }>();
    expect(meta.error).toMatch(takes);
    expect(meta.error).toMatch(differs);
    expect(meta.code).toBe('unauthorized');
  });

  test('a key in the body that is none is said to be so, as is a body that cannot be read', async () => {
    const post = async (url: string, payload: string, headers: Record<string, string> = {}) => {
      const answer = await under.server.inject({ method: 'POST', url, payload, headers });
      expect(answer.statusCode).toBe(401);
      return answer.json<{ meta: { error: string } }>().meta.error;
    };
    const wrong = '{"writeKey":"wrong","event":"x","anonymousId":"v"}';
    const notValid = /; the writeKey in its body is not valid$/;
    expect(await post('/v1/track', wrong)).toMatch(notValid);
    expect(await post('/v1/t', wrong, { authorization: basic('of another site:x') })).toMatch(notValid);
    expect(await post('/v1/b', `{"batch":[${wrong}]}`)).toMatch(notValid);
    expect(await post('/v1/track', wrong.replace('wrong', appSecret))).toMatch(
      /; the writeKey in its body has the form of a key of kind app$/,
    );
    expect(await post('/v1/t', '{"event":"x"}')).toMatch(/it has no Authorization header$/);
    expect(await post('/v1/t', wrong.slice(0, -1))).toMatch(notValid);
    const cut = wrong.slice(0, -1).replace('wrong', browserKey);
    expect(await post('/v1/t', cut)).toMatch(/no Authorization header, and its body is no JSON object/);
  });

  test('it reads the same for a key that exists elsewhere and for one that does not', async () => {
    const told = async (authorization: string, method: 'GET' | 'PUT', url: string) =>
      (await under.server.inject({ method, url, headers: { authorization } })).body;
    for (const [there, nowhere] of [
      [`Bearer ${adminKey}`, 'Bearer nobody'],
      [`Bearer ${browserKey}`, 'Bearer nobody'],
    ] as const) {
      const url = '/v1/definitions/segments';
      expect(await told(there, 'GET', url)).toBe(await told(nowhere, 'GET', url));
    }
    const path = '/api/v1/customers/1';
    expect(await told(basic(`${browserKey}:x`), 'PUT', path)).toBe(
      await told(basic('nobody:x'), 'PUT', path),
    );
    // A site id that exists with another API key, an API key with another site id, and a pair of nobody.
    const stranger = await told(basic('nobody:x'), 'PUT', path);
    expect(await told(basic(`${siteId}:x`), 'PUT', path)).toBe(stranger);
    expect(await told(basic(`nobody:${apiKey}`), 'PUT', path)).toBe(stranger);
    // Of the forms in which they are made, too: what is told is told by the form.
    const made = await under.server.inject({
      method: 'POST',
      url: '/v1/keys',
      headers: { authorization: appAuth },
      payload: { kind: 'track', name: 'shop' },
    });
    const { site_id: own = '', api_key: secret = '' } = made.json<{
      credentials: { site_id?: string; api_key?: string };
    }>().credentials;
    const madeUp = await told(basic(`${site}:${api}`), 'PUT', path);
    expect(await told(basic(`${own}:${api}`), 'PUT', path)).toBe(madeUp);
    expect(await told(basic(`${site}:${secret}`), 'PUT', path)).toBe(madeUp);
    for (const kind of ['server', 'browser', 'app'] as const) {
      const { credentials } = (
        await under.server.inject({
          method: 'POST',
          url: '/v1/keys',
          headers: { authorization: appAuth },
          payload: { kind, name: kind },
        })
      ).json<{ credentials: Record<string, string> }>();
      const [there = ''] = Object.values(credentials);
      const nowhere = nobodys(kind);
      expect(await told(basic(`${there}:`), 'PUT', path)).toBe(await told(basic(`${nowhere}:`), 'PUT', path));
    }
  });
});

describe('what a key of kind browser may not do', () => {
  const deletion = { type: 'track', userId: '1', event: 'User Deleted' };
  const calls = [
    ['delete', deletion],
    ['suppress', { ...deletion, event: 'User Suppressed' }],
    ['suppress', { ...deletion, event: 'User Unsuppressed' }],
    ['alias', { type: 'alias', userId: '1', previousId: 'visitor' }],
    ['alias', { type: 'alias', userId: '1', previousId: 'a@b.example' }],
  ] as const;
  const post = (
    url: string,
    payload: object,
    headers: Record<string, string> = { authorization: browserAuth },
  ) => under.server.inject({ method: 'POST', url, payload, headers });
  const allow = (names: readonly string[]) =>
    under.definitions.put('workspace', workspace, workspace, {
      body: Object.fromEntries(names.map((name) => [`browser_keys_may_${name}`, true])),
    });
  const nothingSent = () => [under.sent.requests, under.sent.events].every(({ length }) => length === 0);

  test.each(calls)(
    '%s: 403 with its code, by header and by body, and nothing is done',
    async (name, call) => {
      for (const url of [`/v1/${call.type}`, `/v1/${call.type.slice(0, 1)}`]) {
        for (const answer of [
          await post(url, call),
          await post(url, { ...call, writeKey: browserKey }, {}),
        ]) {
          expect(answer.statusCode).toBe(403);
          expect(answer.json()).toMatchObject({ meta: { code: 'key_not_allowed' } });
          expect(answer.json<{ meta: { error: string } }>().meta.error).toContain(`browser_keys_may_${name}`);
        }
      }
      expect(nothingSent()).toBe(true);
    },
  );

  test.each(calls)('%s is taken where the workspace allows that and nothing else', async (name, call) => {
    await allow(['delete', 'suppress', 'alias'].filter((each) => each !== name));
    expect((await post(`/v1/${call.type}`, call)).statusCode).toBe(403);
    await allow([name]);
    expect((await post(`/v1/${call.type}`, call)).statusCode).toBe(200);
    expect(under.sent.requests).toHaveLength(1);
  });

  test.each(calls)('%s is taken of a key of kind server', async (_name, call) => {
    expect((await post(`/v1/${call.type}`, call, { authorization: pipelinesAuth })).statusCode).toBe(200);
    expect(under.sent.requests).toHaveLength(1);
  });

  test('delete an object: 403, unless the workspace lets it delete', async () => {
    const call = {
      type: 'track',
      event: 'Object Deleted',
      anonymousId: 'a',
      properties: { objectId: 'acme' },
    };
    const barred = await post('/v1/track', call);
    expect(barred.statusCode).toBe(403);
    expect(barred.json<{ meta: { error: string } }>().meta.error).toContain('may not delete objects');
    expect(nothingSent()).toBe(true);
    await allow(['delete']);
    expect((await post('/v1/track', call)).statusCode).toBe(200);
    expect(under.sent.events.map(({ value }) => value.type)).toEqual(['object']);
  });

  test('take a person out of an object: 403, unless the workspace lets it delete; a visitor leaves their own', async () => {
    const event = { type: 'track', event: 'Relationship Deleted', properties: { objectId: 'acme' } };
    const barred = await post('/v1/track', { ...event, userId: 'boss' });
    expect(barred.statusCode).toBe(403);
    expect(barred.json<{ meta: { error: string } }>().meta.error).toContain('may not delete relationships');
    expect(nothingSent()).toBe(true);
    expect((await post('/v1/track', { ...event, anonymousId: 'a' })).statusCode).toBe(200);
    await allow(['delete']);
    expect((await post('/v1/track', { ...event, userId: 'boss' })).statusCode).toBe(200);
    expect(under.sent.events.map(({ value }) => value.type)).toEqual(['relate', 'relate']);
  });

  test('in a batch the other calls are taken and a row says what was left out; in strict mode none is', async () => {
    const batch = [{ type: 'track', event: 'x', anonymousId: 'a' }, deletion];
    const strict = { authorization: browserAuth, 'x-strict-mode': '1' };
    expect((await post('/v1/batch', { batch }, strict)).statusCode).toBe(403);
    expect(nothingSent()).toBe(true);
    expect((await post('/v1/batch', { batch })).statusCode).toBe(200);
    expect(under.sent.events.map(({ value }) => value.name)).toEqual(['x']);
    expect(under.sent.requests).toEqual([]);
    expect(under.sent.dropped.map(({ value }) => value.reason)).toEqual(['key_not_allowed']);
  });

  test('what it is for it may do: identify, track, page, screen and group', async () => {
    for (const [type, rest] of [
      ['identify', { userId: '1', anonymousId: 'a' }],
      ['track', { event: 'x', anonymousId: 'a' }],
      ['page', { name: 'x', anonymousId: 'a' }],
      ['screen', { name: 'x', anonymousId: 'a' }],
      ['group', { groupId: 'g', userId: '1' }],
    ] as const) {
      expect([type, (await post(`/v1/${type}`, rest)).statusCode]).toEqual([type, 200]);
    }
    expect(under.sent.events).toHaveLength(5);
  });
});
