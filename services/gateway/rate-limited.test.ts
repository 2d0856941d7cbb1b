/** A key that calls faster than it may is answered 429, in the envelope of its route, with Retry-After. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listen, head, TestConnection } from '../testing/raw-connection.ts';
import {
  appAuth,
  browserKey,
  pipelinesAuth,
  testServer,
  trackAuth,
  workspace,
  type TestServer,
} from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const limit = (limits: object) =>
  under.definitions.put('workspace', workspace, workspace, { body: { rate_limits: limits } });
type Method = 'PUT' | 'POST' | 'DELETE' | 'GET';
const call = (method: Method, url: string, authorization?: string, payload: object = {}) =>
  under.server.inject({
    method,
    url,
    headers: authorization === undefined ? {} : { authorization },
    ...(method !== 'GET' && { payload }),
  });
const once = { per_second: 0.001 };

describe('rate limits over HTTP', () => {
  const text = expect.stringContaining('calls faster than it may');
  const inError = { meta: { error: text, code: 'rate_limited' } };
  const inErrors = { meta: { errors: [text], code: 'rate_limited' } };
  const inV2 = { errors: [{ reason: 'rate_limited', field: '', message: text }] };

  test.each([
    ['PUT', '/api/v1/customers/1', trackAuth, inError],
    ['DELETE', '/api/v1/customers/1?x=/events', trackAuth, inError],
    ['POST', '/api/v1/customers/1/events', trackAuth, inErrors],
    ['POST', '/api/v1/events', trackAuth, inErrors],
    ['POST', '/api/v2/entity', trackAuth, inV2],
    ['POST', '/api/v2/batch', trackAuth, inV2],
    ['POST', '/v1/track', pipelinesAuth, inError],
    ['POST', '/v1/b', pipelinesAuth, inError],
    ['GET', '/auth', trackAuth, inError],
  ] as const)('%s %s', async (method, url, authorization, body) => {
    await limit({ key_calls: once });
    expect((await call(method, url, authorization)).statusCode).not.toBe(429);
    const answer = await call(method, url, authorization);
    expect(answer.statusCode).toBe(429);
    expect(answer.json()).toEqual(body);
    expect(Number(answer.headers['retry-after'])).toBe(1_000);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  test('a key in the body counts as one in a header, and another key of the workspace is not held up', async () => {
    await limit({ key_calls: once });
    const page = { event: 'x', anonymousId: 'a', writeKey: browserKey };
    expect((await call('POST', '/v1/t', undefined, page)).statusCode).toBe(200);
    expect((await call('POST', '/v1/t', undefined, page)).statusCode).toBe(429);
    expect((await call('POST', '/v1/track', pipelinesAuth, page)).statusCode).toBe(200);
    expect(under.sent.events).toHaveLength(2);
  });

  test('calls of a batch count each, and so do bytes', async () => {
    await limit({ key_calls: { per_second: 1, burst: 10 } });
    const batch = Array.from({ length: 20 }, (_, at) => ({
      type: 'track',
      event: 'x',
      anonymousId: String(at),
    }));
    expect((await call('POST', '/v1/batch', pipelinesAuth, { batch })).statusCode).toBe(200);
    const after = await call('POST', '/v1/batch', pipelinesAuth, { batch });
    expect([after.statusCode, after.headers['retry-after']]).toEqual([429, '11']);
    const operation = { type: 'person', identifiers: { id: '1' }, action: 'event', name: 'x' };
    const operations = { batch: Array.from({ length: 20 }, () => operation) };
    expect((await call('POST', '/api/v2/batch', trackAuth, operations)).statusCode).toBe(200);
    expect((await call('POST', '/api/v2/batch', trackAuth, operations)).statusCode).toBe(429);
    await limit({ key_bytes: { per_second: 1_000 } });
    const large = { event: 'x', anonymousId: 'a', properties: { text: 'x'.repeat(3_000) } };
    expect((await call('POST', '/v1/track', pipelinesAuth, large)).statusCode).toBe(200);
    expect((await call('POST', '/v1/track', pipelinesAuth, large)).statusCode).toBe(429);
  });

  test('the app key is not held up by what its workspace’s other keys do, so limits can be changed', async () => {
    await limit({ workspace_calls: once });
    await call('POST', '/v1/track', pipelinesAuth, { event: 'x', anonymousId: 'a' });
    expect((await call('POST', '/v1/track', pipelinesAuth)).statusCode).toBe(429);
    expect((await call('PUT', '/v1/workspaces/shop', appAuth, {})).statusCode).toBe(200);
    expect(
      (await call('POST', '/v1/track', pipelinesAuth, { event: 'x', anonymousId: 'a' })).statusCode,
    ).toBe(200);
  });

  test('a body is not read, and not held, of a call that is over the limit', async () => {
    await limit({ key_calls: once });
    await call('POST', '/v1/track', pipelinesAuth, { event: 'x', anonymousId: 'a' });
    const port = await listen(under.server);
    const connection = await TestConnection.open(port);
    const headers = { authorization: pipelinesAuth, 'content-length': '1000000', connection: 'close' };
    await connection.send(head('POST', '/v1/track', headers));
    expect((await connection.answer()).status).toBe(429);
    expect(under.budgets.known.state).toMatchObject({ held_bytes: 0, bodies: 0 });
  });
});
