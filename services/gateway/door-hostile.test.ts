/** What nobody sends by accident: each is a clear 4xx, and the next call is taken. */
import { gzipSync } from 'node:zlib';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  under.server.inject({
    method: 'POST',
    url: '/api/v1/events',
    payload,
    headers: { authorization: trackAuth, ...headers },
  });
const event = (data: string) => `{"name":"x","anonymous_id":"a","data":${data}}`;
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('hostile input', () => {
  test.each<[string, string | Buffer, Record<string, string>, number]>([
    ['a zip bomb', gzipSync(Buffer.alloc(100 * 1_024 * 1_024, 32)), { 'content-encoding': 'gzip' }, 413],
    ['JSON of a hundred thousand levels', event(`{"a":${deep(100_000)}}`), {}, 400],
    ['bytes that are not UTF-8', Buffer.from(event('{"a":"\u00ff"}'), 'latin1'), {}, 400],
    ['half an object', '{"name":', {}, 400],
  ])('%s', async (_what, payload, headers, status) => {
    const answer = await post(payload, headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toHaveProperty('meta');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect((await post(event('{}'))).statusCode).toBe(200);
  });

  test('members called __proto__ are data, and no object gets anything from them', async () => {
    const data = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    expect((await post(event(data))).statusCode).toBe(200);
    expect(under.sent.events[0]?.value.properties).toBe(data);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const own = await post('{"__proto__":{"name":"x","anonymous_id":"a"}}');
    expect(own.statusCode).toBe(400);
  });

  test('of a key that comes twice the last counts, and the data stays as it was sent', async () => {
    const twice = '{"name":"first","name":"x","anonymous_id":"a","data":{"k":1,"k":2}}';
    expect((await post(twice)).statusCode).toBe(200);
    expect(under.sent.events[0]?.value).toMatchObject({ name: 'x', properties: '{"k":1,"k":2}' });
  });

  test('ten thousand headers', async () => {
    const url = new URL(await under.server.listen({ host: '127.0.0.1', port: 0 }));
    const headers = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`x-${String(at)}`, 'v']));
    const status = await new Promise((done, fail) => {
      request({ hostname: url.hostname, port: url.port, method: 'POST', headers, agent: false }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      })
        .on('error', fail)
        .end();
    });
    expect(status).toBe(431);
  });
});
