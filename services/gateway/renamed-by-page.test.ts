/** A key that stands in every page gives nobody another email: by it they would be written to, and found. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  browserAuth,
  browserKey,
  pipelinesAuth,
  testServer,
  workspace,
  type TestServer,
} from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const person = 'cio_0123456789abcdef0123';
const renaming = { userId: person, traits: { email: 'mallory@evil.example', unsubscribed: true } };
const post = (url: string, body: object, headers: Record<string, string> = {}) =>
  under.server.inject({ method: 'POST', url, payload: JSON.stringify(body), headers });
const emails = () => under.sent.events.map(({ value }) => value.email);

describe('an identify by cio_id with an email', () => {
  test.each([
    ['/v1/identify', renaming, { authorization: browserAuth }],
    ['/v1/i', { ...renaming, writeKey: browserKey }, {}],
    ['/v1/batch', { batch: [{ type: 'identify', ...renaming }] }, { authorization: browserAuth }],
    ['/v1/b', { batch: [{ type: 'identify', ...renaming }], writeKey: browserKey }, {}],
  ])('by the key of a page leaves the email as it is, and a row says so: %s', async (url, body, headers) => {
    expect((await post(url, body, headers)).statusCode).toBe(200);
    expect(emails()).toEqual([null]);
    const [row] = under.sent.dropped;
    expect(row?.value).toMatchObject({
      reason: 'corrected',
      detail: expect.stringContaining('key_not_allowed'),
    });
  });

  test('is refused in strict mode', async () => {
    const answer = await post('/v1/identify', renaming, { authorization: browserAuth, 'x-strict-mode': '1' });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('browser_keys_may_alias');
    expect(emails()).toEqual([]);
  });

  test('renames by a key of a server, and by that of a page where the workspace says so', async () => {
    await post('/v1/identify', renaming, { authorization: pipelinesAuth });
    await under.definitions.put('workspace', workspace, workspace, {
      body: { browser_keys_may_alias: true },
    });
    await post('/v1/identify', renaming, { authorization: browserAuth });
    expect(emails()).toEqual(['mallory@evil.example', 'mallory@evil.example']);
  });
});

test('an identify by id or email says an email as ever', async () => {
  await post(
    '/v1/identify',
    { userId: 'ada', traits: { email: 'ada@shop.example' } },
    { authorization: browserAuth },
  );
  await post('/v1/identify', { traits: { email: 'bob@shop.example' } }, { authorization: browserAuth });
  expect(emails()).toEqual(['ada@shop.example', 'bob@shop.example']);
});
