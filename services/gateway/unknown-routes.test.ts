/** Calls that no route takes: what may have been meant is said, and the workspace of their key sees them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  appKey,
  pipelinesAuth,
  testServer,
  trackAuth,
  workspace,
  writeKey,
  type TestServer,
} from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
async function errorOf(method: Method, url: string, authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await under.server.inject({ method, url, headers });
  expect([url, answer.statusCode]).toEqual([url, 404]);
  return answer.json<{ meta: { error: string; code: string } }>().meta.error;
}
const everything = { key: undefined, visitor: undefined, person: undefined, answered: undefined };
type Told = Readonly<Record<string, unknown>>;
const told = () => under.live.recent(workspace, everything).map((text) => JSON.parse(text) as Told);

describe('the answer says what may have been meant', () => {
  test.each<[Method, string, string]>([
    ['GET', '/v1/track', 'this route takes POST'],
    ['POST', '/api/v1/customers/42', 'this route takes DELETE, PUT'],
    ['PUT', '/customers/wes-root', 'did you mean PUT /api/v1/customers/wes-root?'],
    ['POST', '/v1/v1/track', 'did you mean POST /v1/track?'],
    ['POST', '/track', 'did you mean POST /v1/track?'],
    ['POST', '/api/v1/track', 'did you mean POST /v1/track?'],
    ['POST', '/v1/entity', 'did you mean POST /api/v2/entity?'],
    ['POST', '/v1/trakc?writeKey=x', 'did you mean POST /v1/track?'],
    ['GET', '/openapi.json', 'did you mean GET /v1/openapi.json?'],
    ['POST', '//v1//identfy/', 'did you mean POST /v1/identify?'],
  ])('%s %s', async (method, url, hint) => {
    const path = url.split('?')[0] ?? '';
    expect(await errorOf(method, url)).toBe(`could not find ${method} ${path}; ${hint}`);
  });

  test.each<[Method, string]>([
    ['POST', '/v1/nowhere'],
    ['GET', '/wp-login.php'],
    ['GET', `/${'a/'.repeat(500)}`],
    ['POST', `/v1/${'a'.repeat(3_000)}`],
  ])('and nothing where nothing is like it: %s %s', async (method, url) => {
    expect(await errorOf(method, url)).toBe(`could not find ${method} ${url}`);
  });
});

describe('a watcher sees it', () => {
  test.each([
    ['server', pipelinesAuth],
    ['track', trackAuth],
    ['app', `Bearer ${appKey}`],
  ])('of the workspace whose key of kind %s it came with', async (_kind, authorization) => {
    const error = await errorOf('PUT', '/customers/wes-root?email=a@mail.example', authorization);
    expect(told()).toMatchObject([
      {
        ...{ route: 'PUT /customers/wes-root', status: 404, answered: 'dropped', reason: 'not_found' },
        message: error,
      },
    ]);
    expect(under.live.refusals(workspace)).toMatchObject([{ reason: 'not_found', count: 1 }]);
  });

  test('nobody does where no key came, or one that is none; and many fill nothing', async () => {
    await errorOf('GET', '/v1/track');
    await errorOf('GET', '/v1/track', `Basic ${Buffer.from('wrong:').toString('base64')}`);
    expect([told(), under.live.refusals(null)]).toEqual([[], []]);
    const headers = { authorization: pipelinesAuth };
    const payload = { anonymousId: 'v', event: 'Look', writeKey };
    await under.server.inject({ method: 'POST', url: '/v1/track', headers, payload });
    for (let count = 0; count < 300; count++) await errorOf('GET', `/v1/${String(count)}`, pipelinesAuth);
    expect(told()).toContainEqual(expect.objectContaining({ answered: 'ok', name: 'Look' }));
    expect(under.live.refusals(workspace)).toMatchObject([{ reason: 'not_found', count: 300 }]);
  });
});
