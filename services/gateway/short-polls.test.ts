/** The short way of polls and the ordinary one answer alike, byte by byte. On real sockets. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InAppView } from '../on-site/plugin.ts';
import { inApp } from './in-app-view.ts';
import { unavailable } from './service-asker.ts';
import { unansweredMax } from './unanswered.ts';
import { siteId, testServer, type TestServer } from '../testing/gateway-server.ts';
import { noInApp } from '../testing/no-services.ts';
import { head, listen, TestConnection } from '../testing/raw-connection.ts';
import { runs } from '../testing/runs.ts';

type Asked = Parameters<InAppView['poll']>[0];
type Polled = Awaited<ReturnType<InAppView['poll']>>;

let under: TestServer;
let port: number;
/** Requests that went the ordinary way, of those that have one. */
let ordinary: number;
let asked: (Omit<Asked, 'moment'> & { readonly moment: Omit<Asked['moment'], 'at'> })[];
let answerWith: () => Promise<Polled>;

const nothing: Polled = { messages: [], pollSeconds: 10, hasNews: false, unfilled: [], linkedId: null };
const offer = {
  message_id: 'cart',
  version: 3,
  variant: 'default',
  priority: 0,
  content: { kind: 'modal', position: 'center', title: 'Grüezi “Ann” 🙂' },
};

beforeEach(async () => {
  asked = [];
  ordinary = 0;
  answerWith = () => Promise.resolve(nothing);
  const view: InAppView = {
    ...noInApp.view,
    poll: (one) => {
      const { page, agent, isIdentified } = one.moment; // all but the clock's
      asked.push({ ...one, moment: { page, agent, isIdentified } });
      return answerWith();
    },
  };
  under = testServer({ onSite: { ...noInApp, view } });
  under.server.addHook('onRequest', (_request, _reply, done) => {
    ordinary += 1;
    done();
  });
  port = await listen(under.server);
});
afterEach(() => under.server.close());

type Headers = Readonly<Record<string, string>>;

async function answerOf(query: string, headers: Headers): Promise<string> {
  const connection = await TestConnection.open(port);
  await connection.send(head('GET', `/v1/in-app/queue?${query}`, { connection: 'close', ...headers }));
  await connection.closed;
  return connection.text.replace(/\r\nDate: [^\r]*/, '');
}

/** Both ways: a length of no bytes makes a poll an ordinary one. */
async function both(query: string, headers: Headers = {}): Promise<string> {
  ordinary = 0;
  asked = [];
  const short = await answerOf(query, headers);
  expect(ordinary).toBe(0);
  const askedBefore = asked;
  asked = [];
  expect(await answerOf(query, { ...headers, 'content-length': '0' })).toBe(short);
  expect(ordinary).toBe(1);
  expect(asked).toEqual(askedBefore);
  return short;
}

const ann = `site_id=${siteId}&anonymous_id=ann`;

describe('a poll goes the short way and is answered as on the ordinary one', () => {
  test('byte by byte, as it was before there was a short way', async () => {
    const text = await both(`${ann}&page=https%3A%2F%2Fshop.example%2F`);
    expect(text.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'access-control-allow-origin: *',
      'cache-control: private, no-cache',
      'x-gist-queue-polling-interval: 10',
      'etag: "ER-EKVQbDYrYTl1oAWL5xq"',
      'access-control-expose-headers: ETag, X-Gist-Queue-Polling-Interval, X-CIO-Use-SSE, X-CIO-Inbox-Enabled',
      'content-type: application/json; charset=utf-8',
      'content-length: 34',
      'Connection: close',
      '',
      '{"messages":[],"poll_seconds":10}\n',
    ]);
    expect(asked).toEqual([
      {
        workspace: 'shop',
        lane: 'shop:a:ann',
        anonymousId: 'ann',
        moment: { page: { name: 'https://shop.example/', path: '/' }, agent: null, isIdentified: false },
      },
    ]);
  });

  test('with a message in it', async () => {
    answerWith = () => Promise.resolve({ ...nothing, messages: [offer], pollSeconds: 2 });
    expect(await both(ann, { 'user-agent': 'Firefox' })).toContain('Gr\xc3\xbcezi');
  });

  test('what the client has already is 304', async () => {
    const tag = /etag: ([^\r]*)/.exec(await both(ann))?.[1] ?? '';
    for (const has of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const text = await both(ann, { 'if-none-match': has });
      expect(text).toMatch(/^HTTP\/1.1 304 /);
      expect(text).not.toMatch(/content-(length|type)/i);
    }
    expect(await both(ann, { 'if-none-match': '"other"' })).toMatch(/^HTTP\/1.1 200 /);
  });

  test.each<[string, string, number]>([
    ['a site that nobody knows', 'site_id=nobody&anonymous_id=ann', 401],
    ['no site', 'anonymous_id=ann', 401],
    ['nobody', `site_id=${siteId}`, 400],
    ['a placeholder', `site_id=${siteId}&anonymous_id=undefined`, 400],
    ['two visitors', `${ann}&anonymous_id=bob`, 400],
    ['somebody who is known', `${ann}&user_id=42`, 200],
    ['a path of its own', `${ann}&page=Cart&path=%2Fcart`, 200],
    ['an escape that is none', `${ann}&page=%zz%e4+x`, 200],
    ['a part behind the query', `${ann}#top`, 200],
  ])('%s', async (_what, query, status) => {
    expect(await both(query)).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
  });

  test('in-app that does not answer is 503 with Retry-After', async () => {
    answerWith = () => Promise.reject(unavailable(inApp, 'it has not started'));
    const text = await both(ann);
    expect(text).toMatch(/^HTTP\/1.1 503 [^]*\r\nretry-after: 1\r\n[^]*"code":"in_app_unavailable"/);
  });

  test('a fault of ours is 500 and says nothing of it', async () => {
    answerWith = () => Promise.reject(new Error('of the inside'));
    const text = await both(ann);
    expect(text).toMatch(/^HTTP\/1.1 500 /);
    expect(text).not.toContain('inside');
  });

  test('any query', async () => {
    const part = fc.oneof(
      fc.constantFrom('site_id', 'anonymous_id', 'page', 'path', 'user_id', siteId, 'ann', '=', '&', '%'),
      fc.constantFrom('%20', '%C3%A4', '%zz', '+', '?', '#', ';', '[]', '__proto__', '%00', '/'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.boolean(), async (parts, isAnn) => {
        await both(`${isAnn ? `${ann}&` : ''}${parts.join('')}`);
      }),
      { numRuns: runs(100) },
    );
  });
});

test('polls one behind the other on a connection are answered in their order', async () => {
  let seconds = 0;
  answerWith = () => Promise.resolve({ ...nothing, pollSeconds: (seconds += 1) });
  const connection = await TestConnection.open(port);
  const poll = (headers: Headers) => head('GET', `/v1/in-app/queue?${ann}`, headers);
  await connection.send(poll({}) + poll({ 'content-length': '0' }) + poll({ connection: 'close' }));
  await connection.closed;
  expect([...connection.text.matchAll(/"poll_seconds":(\d+)/g)].map(([, each]) => each)).toHaveLength(3);
  expect([...connection.text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual([
    '200',
    '200',
    '200',
  ]);
});

test('a connection that polls on while nothing is answered is ended', async () => {
  answerWith = () => new Promise(() => undefined);
  const connection = await TestConnection.open(port);
  await connection.send(head('GET', `/v1/in-app/queue?${ann}`, {}).repeat(unansweredMax + 1));
  await connection.closed;
  expect({ asked: asked.length, ordinary }).toEqual({ asked: unansweredMax, ordinary: 0 });
});

test('what is not plainly a poll goes the ordinary way', async () => {
  const ways = [
    head('GET', '/v1/in-app/queue', { connection: 'close' }),
    head('GET', `/v1//in-app/queue?${ann}`, { connection: 'close' }),
    head('HEAD', `/v1/in-app/queue?${ann}`, { connection: 'close' }),
    `GET /v1/in-app/queue?${ann} HTTP/1.0\r\nhost: localhost\r\n\r\n`,
  ];
  for (const [index, bytes] of ways.entries()) {
    const connection = await TestConnection.open(port);
    await connection.send(bytes);
    await connection.closed;
    expect({ index, ordinary }).toEqual({ index, ordinary: index + 1 });
  }
  const connection = await TestConnection.open(port);
  await connection.send(`GET /v1/in-app/queue?${ann} HTTP/1.1\r\nconnection: close\r\n\r\n`);
  await connection.closed;
  expect(connection.text).toMatch(/^HTTP\/1.1 400 [^]*names no host/);
});
