/** Who calls with a key that has ended or is of another kind: let in by nothing, and seen by the key's workspace. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  apiKey,
  appAuth,
  appKey,
  siteId,
  testServer,
  workspace,
  writeKey,
  type TestServer,
} from '../testing/gateway-server.ts';
import { UnknownCallers } from './live/unknown-callers.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const everything = { key: undefined, visitor: undefined, person: undefined, answered: undefined };
const told = () =>
  under.live.recent(workspace, everything).map((text) => JSON.parse(text) as Record<string, unknown>);
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const payload = { event: 'x', anonymousId: 'a' };
const call = (url: string, authorization?: string, body: object = payload) =>
  under.server.inject({
    method: 'POST',
    url,
    payload: body,
    headers: authorization === undefined ? {} : { authorization },
  });

/** A key that was made and is revoked: its secret. */
async function revoked(kind: string): Promise<Record<string, string>> {
  const headers = { authorization: appAuth };
  const made = await under.server.inject({
    method: 'POST',
    url: '/v1/keys',
    headers,
    payload: { kind, name: 'old' },
  });
  const { key, credentials } = made.json<{ key: { id: string }; credentials: Record<string, string> }>();
  await under.server.inject({ method: 'DELETE', url: `/v1/keys/${key.id}`, headers });
  return { ...credentials, id: key.id };
}

describe('a key that has ended', () => {
  test('is told so, and its workspace sees who still calls with it', async () => {
    const { write_key: secret = '', id } = await revoked('server');
    const answer = await call('/v1/track', basic(`${secret}:`));
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ meta: { code: 'key_ended' } });
    expect(told()).toMatchObject([{ status: 401, answered: 'dropped', reason: 'key_ended', key: id }]);
    expect(under.live.refusals(workspace)).toMatchObject([{ reason: 'key_ended', count: 1, key: id }]);
    expect(under.sent.events).toEqual([]);
    expect(under.live.unknownCallsOfHour()).toBe(0);
  });

  test('likewise by the body, of Track, and where a page asks for its settings', async () => {
    const { browser_key: browser = '' } = await revoked('browser');
    expect((await call('/v1/t', undefined, { ...payload, writeKey: browser })).json()).toMatchObject({
      meta: { code: 'key_ended' },
    });
    const { site_id: site = '', api_key: api = '' } = await revoked('track');
    expect((await call('/api/v1/events', basic(`${site}:${api}`))).json()).toMatchObject({
      meta: { code: 'key_ended' },
    });
    const settings = await under.server.inject({
      url: `/v1/projects/${browser}/settings`,
      headers: { referer: 'https://shop.example/boots' },
    });
    expect(settings.statusCode).toBe(401);
    expect(settings.json()).toMatchObject({ meta: { code: 'key_ended' } });
    expect(under.live.refusals(workspace)).toMatchObject([
      { reason: 'key_ended', last: { message: expect.stringContaining('https://shop.example/boots') } },
      { reason: 'key_ended' },
    ]);
  });

  test('half of it is no proof: with another site id the answer is that of a stranger', async () => {
    const { api_key: api = '' } = await revoked('track');
    expect((await call('/api/v1/events', basic(`other:${api}`))).json()).toMatchObject({
      meta: { code: 'unauthorized' },
    });
    expect(told()).toEqual([]);
  });

  test('fills no more of the last calls than one per second', async () => {
    const { write_key: secret = '' } = await revoked('server');
    for (let each = 0; each < 20; each++) await call('/v1/track', basic(`${secret}:`));
    expect(told().length).toBeLessThan(20);
    expect(under.live.refusals(workspace)).toMatchObject([{ count: 20 }]);
  });
});

describe('a key of another kind', () => {
  test('its workspace is told the kind, and whoever called is not', async () => {
    const wrong = [
      ['/api/v1/events', basic(`${writeKey}:`), 'server'],
      ['/v1/track', basic(`${siteId}:${apiKey}`), 'track'],
      ['/v1/track', basic(`${appKey}:`), 'app'],
    ] as const;
    for (const [url, authorization, kind] of wrong) {
      const answer = await call(url, authorization);
      expect(answer.json()).toMatchObject({ meta: { code: 'unauthorized' } });
      expect(answer.body).not.toContain(`of kind ${kind};`);
      expect(answer.body).not.toContain('it came with');
    }
    const kinds = under.live
      .refusals(workspace)
      .map((each) => (each as { last: { message: string } }).last.message.split('; it came with ')[1]);
    expect(kinds.sort()).toEqual(['a key of kind app', 'a key of kind server', 'a key of kind track']);
  });
});

test('strangers are counted for an hour, and nothing of theirs is kept', () => {
  const callers = new UnknownCallers();
  const now = 1_800_000_000_000;
  for (const minutesAgo of [0, 0, 30, 59, 61, 600]) callers.count(now - minutesAgo * 60_000);
  expect(callers.lastHour(now)).toBe(4);
  expect(callers.lastHour(now + 31 * 60_000)).toBe(2);
  expect(callers.lastHour(now + 90 * 60_000)).toBe(0);
});
