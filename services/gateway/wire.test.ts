import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { gzipSync } from 'node:zlib';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import { CodedError } from '../runtime/errors.ts';
import { appAuth, pipelinesAuth, testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const track = (options: InjectOptions) =>
  under.server.inject({ ...options, headers: { authorization: trackAuth, ...options.headers } });
const pipelines = (options: InjectOptions) =>
  under.server.inject({ ...options, headers: { authorization: pipelinesAuth, ...options.headers } });
const json = { 'content-type': 'application/json' };

describe('answers, spec A.0', () => {
  test('row 2: success is 200 with an empty object, a new line and the headers of the real server', async () => {
    const answer = await track({
      method: 'POST',
      url: '/api/v1/events',
      payload: { name: 'x', anonymous_id: 'a' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('{}\n');
    expect(answer.headers).toMatchObject({
      'content-length': '3',
      'content-type': 'application/json; charset=utf-8',
      'access-control-allow-origin': '*',
      'cache-control': 'no-cache, no-store, must-revalidate, max-age=0',
    });
  });

  test('row 3: a route that is not built answers 404 with JSON', async () => {
    const answer = await track({ method: 'POST', url: '/v1/forms', payload: {} });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ meta: { code: 'not_found' } });
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  test.each([
    ['standard base64', Buffer.from('site_123:key_abc').toString('base64')],
    ['URL-safe base64', Buffer.from('site_123:key_abc').toString('base64url')],
    ['unpadded base64', Buffer.from('site_123:key_abc').toString('base64').replace(/=+$/, '')],
  ])('row 4: Track takes %s', async (_name, pair) => {
    const answer = await track({ method: 'GET', url: '/auth', headers: { authorization: `Basic ${pair}` } });
    expect(answer.statusCode).toBe(200);
  });

  test.each([
    ['PUT', '/api/v1/customers/1', `Basic ${Buffer.from('site_123:wrong').toString('base64')}`],
    ['PUT', '/api/v1/customers/1', undefined],
    ['PUT', '/api/v1/customers/1', appAuth],
    ['POST', '/api/v2/batch', pipelinesAuth],
    ['POST', '/v1/track', trackAuth],
    ['POST', '/v1/people/1/split', trackAuth],
    ['GET', '/v1/definitions/segments', pipelinesAuth],
  ] as const)('a wrong key is 401 with JSON and CORS: %s %s', async (method, url, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await under.server.inject({ method, url, headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toHaveProperty('meta.error');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  test('row 5: a browser sends its key in the body, as text/plain, without a header', async () => {
    const answer = await under.server.inject({
      method: 'POST',
      url: '/v1/p',
      headers: { 'content-type': 'text/plain' },
      payload: JSON.stringify({
        type: 'page',
        anonymousId: 'a',
        name: 'home',
        writeKey: 'wk_1',
        userId: null,
      }),
    });
    expect(answer.statusCode).toBe(200);
    expect(under.sent.events[0]?.value).toMatchObject({ type: 'page', name: 'home', anonymous_id: 'a' });
    const batch = { batch: [{ type: 'track', event: 'x', anonymousId: 'a', writeKey: 'wk_1' }] };
    expect((await under.server.inject({ method: 'POST', url: '/v1/b', payload: batch })).statusCode).toBe(
      200,
    );
    const wrong = { ...batch, writeKey: 'wk_2' };
    expect((await under.server.inject({ method: 'POST', url: '/v1/b', payload: wrong })).statusCode).toBe(
      401,
    );
  });

  test('row 7: JSON type without a body on GET and DELETE', async () => {
    expect((await track({ method: 'DELETE', url: '/api/v1/customers/42', headers: json })).body).toBe('{}\n');
    const region = await track({ method: 'GET', url: '/api/v1/accounts/region', headers: json });
    expect(region.json()).toMatchObject({ region: 'us', environment_id: expect.any(Number) });
  });

  test('row 7: a DELETE with an empty object, and an empty form', async () => {
    expect((await track({ method: 'DELETE', url: '/api/v1/customers/42', payload: {} })).statusCode).toBe(
      200,
    );
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' };
    const answer = await track({ method: 'POST', url: '/api/v1/customers/42/suppress', headers: form });
    expect(answer.statusCode).toBe(200);
    expect(under.sent.requests.map(({ value }) => value.kind)).toEqual(['delete', 'suppress']);
  });

  test('row 7: gzip', async () => {
    const payload = gzipSync(JSON.stringify({ batch: [{ type: 'track', event: 'x', anonymousId: 'a' }] }));
    const headers = { ...json, 'content-encoding': 'gzip' };
    expect((await pipelines({ method: 'POST', url: '/v1/batch', headers, payload })).statusCode).toBe(200);
    expect(under.sent.events).toHaveLength(1);
    const broken = await pipelines({ method: 'POST', url: '/v1/batch', headers, payload: 'no gzip' });
    expect(broken.statusCode).toBe(400);
  });

  test.each([
    ['u%2F1%20a%40b', 'id', 'u/1 a@b'],
    ['a@b.c', 'email', 'a@b.c'],
    ['a%40b.c', 'email', 'a@b.c'],
    ['%252F', 'id', '%2F'],
    ['cio_1', 'cio_id', 'cio_1'],
    ['%E2%82%AC', 'id', '€'],
  ])('row 8: the path segment %s is decoded once', async (segment, kind, value) => {
    await track({ method: 'PUT', url: `/api/v1/customers/${segment}`, payload: {} });
    expect(under.sent.events[0]?.value).toMatchObject({ identifier_kind: kind, identifier: value });
  });

  test.each(['%zz', '%C3', '%'])(
    'row 8: the broken path segment %s is 400 with JSON and CORS',
    async (segment) => {
      const answer = await track({ method: 'PUT', url: `/api/v1/customers/${segment}`, payload: {} });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toHaveProperty('meta.error');
      expect(answer.headers['access-control-allow-origin']).toBe('*');
    },
  );

  test('row 9: a log that cannot take more is 503 with Retry-After, for Track and Pipelines', async () => {
    under.sent.fault = new CodedError('log_overloaded', 'could not take more');
    const one = await track({ method: 'POST', url: '/api/v1/events', payload: { name: 'x' } });
    const two = await pipelines({
      method: 'POST',
      url: '/v1/track',
      payload: { event: 'x', anonymousId: 'a' },
    });
    for (const answer of [one, two]) {
      expect(answer.statusCode).toBe(503);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.json()).toMatchObject({ meta: { code: 'log_overloaded' } });
    }
  });

  test('a fault of ours is 500 without its inside', async () => {
    under.sent.fault = new Error('secret detail');
    const answer = await track({ method: 'POST', url: '/api/v1/events', payload: { name: 'x' } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
  });

  test('row 10: a preflight is answered', async () => {
    const answer = await under.server.inject({ method: 'OPTIONS', url: '/v1/t' });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*' });
  });

  test('a body over the limit is 413, sent whole or after decompression', async () => {
    const large = JSON.stringify({ batch: [], pad: 'x'.repeat(bodyBytesMax) });
    const whole = await pipelines({ method: 'POST', url: '/v1/batch', headers: json, payload: large });
    const headers = { ...json, 'content-encoding': 'gzip' };
    const packed = await pipelines({ method: 'POST', url: '/v1/batch', headers, payload: gzipSync(large) });
    expect([whole.statusCode, packed.statusCode]).toEqual([413, 413]);
    expect(whole.json()).toMatchObject({ meta: { code: 'body_too_large' } });
  });
});
