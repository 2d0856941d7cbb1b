/** The anonymous id as a cookie of the shop's own domain: off unless set, and never another id than the browser has. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { browserKey, testServer, type TestServer } from '../testing/gateway-server.ts';
import { runs } from '../testing/runs.ts';
import { readGatewayConfig } from './config.ts';

const parts = { KAFKA_BROKERS: '127.0.0.1:9092', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081' };
const snippet = `/v1/analytics-js/snippet/${browserKey}/analytics.min.js`;
const classic = `/assets/${browserKey}/track.js`;
const settings = `/v1/projects/${browserKey}/settings`;
const AGE_S = 34_560_000;
const attributes = `; Domain=shop.example; Path=/; Max-Age=${String(AGE_S)}; Secure; SameSite=Lax`;
const set = (name: string, id: string): string => `${name}=${id}${attributes}`;

let under: TestServer;
beforeEach(() => {
  let minted = 0;
  under = testServer({
    firstPartyId: { domain: 'shop.example', newId: () => `new-${String((minted += 1))}` },
  });
});
afterEach(() => under.server.close());

const get = (url: string, cookie?: string) =>
  under.server.inject({ method: 'GET', url, headers: cookie === undefined ? {} : { cookie } });
const call = (cookie?: string, body: object = { writeKey: browserKey, anonymousId: 'v', event: 'Seen' }) =>
  under.server.inject({
    method: 'POST',
    url: '/v1/t',
    headers: { 'content-type': 'text/plain', ...(cookie !== undefined && { cookie }) },
    body: JSON.stringify(body),
  });

describe('with a domain', () => {
  test.each([
    [snippet, 'ajs_anonymous_id'],
    [classic, '_cioanonid'],
  ])(
    '%s brings a browser without an id one, 400 days, readable to scripts and of https only',
    async (url, name) => {
      const answer = await get(url);
      expect(answer.headers['set-cookie']).toEqual([
        set(name, 'new-1'),
        set('hindsight_anonymous_id', 'new-1'),
      ]);
      expect(answer.headers['set-cookie']?.toString()).not.toMatch(/httponly/i);
    },
  );

  test('an id that is there stays, also one that a script has written, and is renewed', async () => {
    const answer = await get(snippet, 'theme=dark; ajs_anonymous_id=%22ann%22; other=1');
    expect(answer.headers['set-cookie']).toEqual([
      set('ajs_anonymous_id', '%22ann%22'),
      set('hindsight_anonymous_id', '%22ann%22'),
    ]);
  });

  test('one that the browser has cut comes back from the cookie that no script writes', async () => {
    const answer = await get(snippet, 'hindsight_anonymous_id=ann');
    expect(answer.headers['set-cookie']).toEqual([
      set('ajs_anonymous_id', 'ann'),
      set('hindsight_anonymous_id', 'ann'),
    ]);
  });

  test('after a reset the client’s new id counts, not the kept one', async () => {
    const answer = await get(classic, 'hindsight_anonymous_id=old; _cioanonid=new');
    expect(answer.headers['set-cookie']).toEqual([
      set('_cioanonid', 'new'),
      set('hindsight_anonymous_id', 'new'),
    ]);
  });

  test('calls and settings renew what the browser has, and make nothing up', async () => {
    expect((await call()).headers['set-cookie']).toBeUndefined();
    expect((await get(settings)).headers['set-cookie']).toBeUndefined();
    for (const answer of [await call('ajs_anonymous_id=ann'), await get(settings, 'ajs_anonymous_id=ann')])
      expect(answer.headers['set-cookie']).toEqual([
        set('ajs_anonymous_id', 'ann'),
        set('hindsight_anonymous_id', 'ann'),
      ]);
  });

  test('what is refused, what servers call, and what is no visitor’s sets none', async () => {
    const cookie = 'ajs_anonymous_id=ann';
    const refused = [
      await call(cookie, { event: 'Seen', anonymousId: 'v', writeKey: 'nobody' }),
      await get('/v1/analytics-js/nothing.js', cookie),
      await get('/v1/analytics-js/407.js', cookie),
      await get('/health/live', cookie),
    ];
    for (const answer of refused) expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test.each(['null', '%5Bobject%20Object%5D', '%E0%A4%A', '', 'x'.repeat(500)])(
    'the value %s names nobody and is replaced',
    async (value) => {
      const answer = await get(snippet, `ajs_anonymous_id=${value}`);
      expect(answer.headers['set-cookie']).toEqual([
        set('ajs_anonymous_id', 'new-1'),
        set('hindsight_anonymous_id', 'new-1'),
      ]);
    },
  );

  test('no cache between gives one visitor’s answer to others, also when the page has the script', async () => {
    const first = await get(snippet);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    const again = await under.server.inject({
      method: 'GET',
      url: snippet,
      headers: { 'if-none-match': String(first.headers.etag), cookie: 'ajs_anonymous_id=ann' },
    });
    expect(again.statusCode).toBe(304);
    expect(again.headers).toMatchObject({ 'cache-control': 'private, no-cache' });
    expect(again.headers['set-cookie']).toContain(set('ajs_anonymous_id', 'ann'));
  });

  test('whatever a header of cookies holds, each that is set is one line of this form', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary-ascii', maxLength: 60 }), async (junk) => {
        const cookie = `a=b; ajs_anonymous_id=${junk.replace(/[^\x20-\x7e]/g, '')}; hindsight_anonymous_id=kept`;
        const lines = (await get(snippet, cookie)).headers['set-cookie'];
        expect(lines).toHaveLength(2);
        for (const line of [lines].flat())
          expect(line).toMatch(
            /^\w+=[^\s";,\\]+; Domain=shop\.example; Path=\/; Max-Age=34560000; Secure; SameSite=Lax$/,
          );
      }),
      { numRuns: runs(100) },
    );
  });
});

test('without a domain no route sets a cookie', async () => {
  const plain = testServer();
  try {
    for (const url of [snippet, classic, settings]) {
      const answer = await plain.server.inject({
        method: 'GET',
        url,
        headers: { cookie: 'ajs_anonymous_id=ann' },
      });
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect((await plain.server.inject({ method: 'GET', url: snippet })).headers['cache-control']).toContain(
      'public',
    );
  } finally {
    await plain.server.close();
  }
});

test.each(['https://shop.example', 'com', 'shop.example; Path=/x', '.shop.example', 'a b.example'])(
  'the setting %s is refused',
  (domain) => {
    expect(() => readGatewayConfig({ ...parts, HINDSIGHT_COOKIE_DOMAIN: domain })).toThrow(
      'HINDSIGHT_COOKIE_DOMAIN',
    );
  },
);
