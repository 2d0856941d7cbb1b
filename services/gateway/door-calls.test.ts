/** Calls as proxies, browsers and hand-written clients really send them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import {
  appAuth,
  pipelinesAuth,
  testServer,
  trackAuth,
  writeKey,
  type TestServer,
} from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const post = (url: string, payload: string | Buffer, headers: InjectOptions['headers'] = {}) => {
  const authorization = url.startsWith('/api/') ? trackAuth : pipelinesAuth;
  return under.server.inject({ method: 'POST', url, payload, headers: { authorization, ...headers } });
};
const call = JSON.stringify({ event: 'x', anonymousId: 'a', properties: { note: 'ä'.repeat(40) } });
const names = () => under.sent.events.map(({ value }) => value.name);
const bom = '\uFEFF';

describe('case 9: a byte-order mark', () => {
  test('is no part of the body, on every route', async () => {
    const answers = [
      await post('/v1/track', bom + call),
      await post('/v1/batch', `${bom}{"batch":[{"type":"track","event":"x","anonymousId":"a"}]}`),
      await post('/v1/track', gzipSync(bom + call), { 'content-encoding': 'gzip' }),
      await post('/v1/t', `${bom}{"event":"x","anonymousId":"a","writeKey":"${writeKey}"}`),
      await post('/api/v1/events', `${bom}{"name":"x","anonymous_id":"a"}`),
      await post(
        '/api/v2/entity',
        `${bom}{"type":"person","action":"event","name":"x","identifiers":{"id":"1"}}`,
      ),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(names()).toEqual(['x', 'x', 'x', 'x', 'x', 'x']);
    const put = await under.server.inject({
      method: 'PUT',
      url: '/v1/definitions/segments/carts',
      payload: `${bom}{"name":"Carts","type":"data_driven","when":{"event":"Added to Cart","within":"P7D"}}`,
      headers: { authorization: appAuth },
    });
    expect(put.statusCode).toBe(200);
  });
  test('of UTF-16 says which of two orders its bytes are in', async () => {
    const little = Buffer.from(bom + call, 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big, gzipSync(little)]) {
      expect((await post('/v1/track', bytes)).statusCode).toBe(200);
      expect((await post('/api/v1/events', bytes)).statusCode).toBe(400); // it has no name, and was read
    }
    expect(names()).toEqual(['x', 'x', 'x']);
    expect(under.sent.events[0]?.value.properties).toBe(JSON.stringify({ note: 'ä'.repeat(40) }));
    const wide = Buffer.from(`${bom}{"event":"${'世'.repeat(400_000)}"}`, 'utf16le');
    expect((await post('/v1/track', wide)).statusCode).toBe(413);
  });
  test('alone is an empty body', async () => {
    const answer = await post('/v1/track', bom, { 'x-strict-mode': '1' });
    expect(answer.json()).toEqual({ meta: { error: 'event name must not be blank' } });
  });
});

describe('case 10: slashes', () => {
  test.each([
    ['POST', '/api/v1/events/', '{"name":"x","anonymous_id":"a"}', undefined],
    ['POST', '//api//v1///events', '{"name":"x","anonymous_id":"a"}', undefined],
    ['PUT', '/api/v1//customers/x', '{}', 'x'],
    ['PUT', '/api/v1/customers/x/', '{}', 'x'],
    ['PUT', '/api/v1/customers/a%2Fb/', '{}', 'a/b'],
    ['PUT', '/api/v1/customers/a%2F', '{}', 'a/'],
    ['PUT', '/api/v1/customers/a%2F%2Fb', '{}', 'a//b'],
    ['PUT', '/api/v1/customers/%2F', '{}', '/'],
    ['PUT', '/api/v1/customers/a%252F', '{}', 'a%2F'],
  ] as const)('%s %s', async (method, url, payload, identifier) => {
    const answer = await under.server.inject({ method, url, payload, headers: { authorization: trackAuth } });
    expect(answer.statusCode).toBe(200);
    if (identifier !== undefined) expect(under.sent.events[0]?.value.identifier).toBe(identifier);
    else expect(names()).toEqual(['x']);
  });
  test('those of a query stay', async () => {
    const url = '/v1/trace?anonymous_id=https://shop.example//a/';
    under.rows['FROM anonymous_events'] = [{ message_id: 'm', type: 'event', received_at: 1, own_time: 1 }];
    const answer = await under.server.inject({ method: 'GET', url, headers: { authorization: appAuth } });
    expect(answer.statusCode).toBe(200);
  });
  test('an identifier that is missing names nobody', async () => {
    for (const url of ['/api/v1/customers//', '/api/v1/customers//events', '/api/v1/customers//suppress']) {
      const headers = { authorization: trackAuth };
      expect((await under.server.inject({ method: 'POST', url, payload: '{}', headers })).statusCode).toBe(
        404,
      );
    }
    expect(under.sent.order).toEqual([]);
  });
});

describe('case 12: the encoding is what the bytes say', () => {
  const packed = { gzip: gzipSync(call), deflate: deflateSync(call), br: brotliCompressSync(call) };
  test.each(Object.entries(packed))('%s is read', async (encoding, bytes) => {
    expect((await post('/v1/track', bytes, { 'content-encoding': encoding })).statusCode).toBe(200);
    expect((await post('/v1/track', bytes, { 'content-encoding': encoding.toUpperCase() })).statusCode).toBe(
      200,
    );
    expect(names()).toEqual(['x', 'x']);
  });
  test('deflate without its header, x-gzip, and gzip that nobody announced', async () => {
    await post('/v1/track', deflateRawSync(call), { 'content-encoding': 'deflate' });
    await post('/v1/track', packed.gzip, { 'content-encoding': 'x-gzip' });
    await post('/v1/track', packed.gzip);
    await post('/v1/track', call, { 'content-encoding': 'identity' });
    expect(names()).toEqual(['x', 'x', 'x', 'x']);
  });
  test.each(['gzip', 'deflate', 'br', 'gzip, br'])('a proxy inflated what says %s', async (encoding) => {
    for (const text of [call, bom + call, ` \n${call} `]) {
      expect((await post('/v1/track', text, { 'content-encoding': encoding })).statusCode).toBe(200);
    }
    expect(names()).toEqual(['x', 'x', 'x']);
  });
  test('one over the other is read in turn', async () => {
    await post('/v1/track', gzipSync(packed.br), { 'content-encoding': 'br, gzip' });
    expect(names()).toEqual(['x']);
  });
  test.each(['zstd', 'compress', 'aes128gcm', 'gzip, zstd', 'gzip, gzip, gzip, gzip'])(
    '%s is 415',
    async (encoding) => {
      const answer = await post('/v1/track', call, { 'content-encoding': encoding });
      expect(answer.statusCode).toBe(415);
      expect(answer.json()).toMatchObject({ meta: { code: 'encoding_unsupported' } });
      expect(answer.headers['access-control-allow-origin']).toBe('*');
    },
  );
  test.each(['gzip', 'deflate', 'br'])('what is neither %s nor text is 400', async (encoding) => {
    const answer = await post('/v1/track', Buffer.from([1, 2, 3, 4, 250]), { 'content-encoding': encoding });
    expect([answer.statusCode, answer.json<{ meta: { code: string } }>().meta.code]).toEqual([
      400,
      'body_malformed',
    ]);
  });
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('a bomb of %s is 413', async (encoding, pack) => {
    for (const bytes of [32 * bodyBytesMax, bodyBytesMax - 100]) {
      const bomb = pack(Buffer.alloc(bytes, 32));
      expect((await post('/v1/track', bomb, { 'content-encoding': encoding })).statusCode).toBe(413);
    }
  });
});

describe('case 26: the key in the body of a browser', () => {
  const body = (extra: object) => JSON.stringify({ event: 'x', anonymousId: 'a', ...extra });
  const riding = [
    `Basic ${Buffer.from('staff:secret').toString('base64')}`,
    'Bearer abc',
    'Digest x="y"',
    '',
  ];
  test.each(riding)('counts, whatever header rides along: %s', async (authorization) => {
    for (const url of ['/v1/t', '/v1/b']) {
      const payload =
        url === '/v1/t' ? body({ writeKey }) : `{"batch":[${body({ type: 'track', writeKey })}]}`;
      const answer = await under.server.inject({ method: 'POST', url, payload, headers: { authorization } });
      expect([url, answer.statusCode]).toEqual([url, 200]);
    }
    expect(names()).toEqual(['x', 'x']);
  });
  test('a wrong one is 401, and so is none beside a wrong header', async () => {
    for (const payload of [body({ writeKey: 'wk_2' }), body({}), '{']) {
      const headers = { authorization: riding[0] };
      expect((await under.server.inject({ method: 'POST', url: '/v1/t', payload, headers })).statusCode).toBe(
        401,
      );
    }
  });
  test('a header with the key is enough', async () => {
    expect((await post('/v1/t', body({}))).statusCode).toBe(200);
  });
  test('does not open the routes of servers to a wrong header', async () => {
    expect((await post('/v1/track', body({ writeKey }), { authorization: riding[0] })).statusCode).toBe(401);
  });
});
