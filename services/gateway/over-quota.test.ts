/** What a workspace brings is counted as it is kept, and over its quota it is answered 429 until the hour or the day ends. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CodedError } from '../runtime/errors.ts';
import { listen, head, TestConnection } from '../testing/raw-connection.ts';
import {
  appAuth,
  browserKey,
  pipelinesAuth,
  siteId,
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

const quota = (quotas: object) =>
  under.definitions.put('workspace', workspace, workspace, { body: { quotas } });
const call = (method: 'PUT' | 'POST' | 'DELETE' | 'GET', url: string, authorization?: string, payload = {}) =>
  under.server.inject({
    method,
    url,
    headers: authorization === undefined ? {} : { authorization },
    ...(method !== 'GET' && { payload }),
  });
const event = { event: 'x', anonymousId: 'a' };
interface Shown {
  readonly brought: Readonly<Record<'hour' | 'day', { readonly bytes: number; readonly ends_at: string }>>;
  readonly over_quota: boolean;
}
const usage = async (): Promise<Shown> => (await call('GET', '/v1/usage', appAuth)).json();
const hourEnds = () => 3_600 - (Math.floor(Date.now() / 1_000) % 3_600);

describe('a workspace over its quota', () => {
  test.each([
    ['PUT', '/api/v1/customers/1', trackAuth, 'error'],
    ['DELETE', '/api/v1/customers/1', trackAuth, 'error'],
    ['POST', '/api/v1/customers/1/events', trackAuth, 'errors'],
    ['POST', '/api/v1/events', trackAuth, 'errors'],
    ['POST', '/api/v2/entity', trackAuth, 'v2'],
    ['POST', '/api/v2/batch', trackAuth, 'v2'],
    ['POST', '/v1/track', pipelinesAuth, 'error'],
    ['POST', '/v1/b', pipelinesAuth, 'error'],
  ] as const)(
    'is answered 429 by %s %s until the hour ends',
    async (method, url, authorization, envelope) => {
      await quota({ hour_bytes: 10 });
      expect((await call('POST', '/v1/track', pipelinesAuth, event)).statusCode).toBe(200);
      const answer = await call(method, url, authorization);
      expect(answer.statusCode).toBe(429);
      const text = expect.stringContaining('as much as its quota allows');
      expect(answer.json()).toEqual(
        {
          error: { meta: { error: text, code: 'workspace_over_quota' } },
          errors: { meta: { errors: [text], code: 'workspace_over_quota' } },
          v2: { errors: [{ reason: 'workspace_over_quota', field: '', message: text }] },
        }[envelope],
      );
      expect(Math.abs(Number(answer.headers['retry-after']) - hourEnds())).toBeLessThanOrEqual(2);
      expect(under.sent.order).toEqual(['eventsCollected']);
    },
  );

  test('brings nothing by a key in a body, no body is read, and its app key can raise the quota', async () => {
    await quota({ day_bytes: 10 });
    const page = { ...event, writeKey: browserKey };
    expect((await call('POST', '/v1/t', undefined, page)).statusCode).toBe(200);
    expect((await call('POST', '/v1/t', undefined, page)).statusCode).toBe(429);
    const port = await listen(under.server);
    const connection = await TestConnection.open(port);
    const headers = { authorization: pipelinesAuth, 'content-length': '1000000', connection: 'close' };
    await connection.send(head('POST', '/v1/track', headers));
    expect((await connection.answer()).status).toBe(429);
    expect(under.budgets.known.state).toMatchObject({ held_bytes: 0, bodies: 0 });
    expect((await usage()).over_quota).toBe(true);
    const raised = { quotas: { day_bytes: 1_000_000 } };
    expect((await call('PUT', '/v1/workspaces/shop', appAuth, raised)).statusCode).toBe(200);
    expect((await call('POST', '/v1/t', undefined, page)).statusCode).toBe(200);
    expect(await usage()).toMatchObject({ over_quota: false, brought: { day: { quota_bytes: 1_000_000 } } });
  });

  test('brings no word on consent either, for which a page needs no key', async () => {
    await quota({ hour_bytes: 10 });
    await call('POST', '/v1/track', pipelinesAuth, event);
    const said = { site_id: siteId, anonymous_id: 'ann', consent: false };
    const answer = await call('POST', '/v1/in-app/consent', undefined, said);
    expect(answer.statusCode).toBe(429);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(under.sent.order).toEqual(['eventsCollected']);
  });

  test('is seen by who watches the door as limited, with the reason', async () => {
    await quota({ hour_bytes: 1 });
    await call('POST', '/v1/track', pipelinesAuth, event);
    await call('POST', '/v1/track', pipelinesAuth, event);
    const refusals = (await call('GET', '/v1/refusals', appAuth)).json<{ refusals: readonly object[] }>();
    expect(refusals.refusals).toMatchObject([
      { reason: 'workspace_over_quota', count: 1, last: { answered: 'limited', status: 429 } },
    ]);
  });

  test.each([
    { hour_bytes: 0 },
    { day_bytes: -1 },
    { day_bytes: 1.5 },
    { hour_bytes: '7' },
    { week_bytes: 7 },
  ])('cannot have the quota %j', async (quotas) => {
    expect((await call('PUT', '/v1/workspaces/shop', appAuth, { quotas })).statusCode).toBe(400);
  });
});

describe('what is counted', () => {
  const brought = async () => (await usage()).brought.day.bytes;

  test('is what is kept: events, rows about calls that were left out, control calls and their markers', async () => {
    let before = 0;
    for (const [method, url, authorization, body] of [
      ['POST', '/v1/track', pipelinesAuth, event],
      ['POST', '/v1/track', pipelinesAuth, {}],
      ['DELETE', '/api/v1/customers/1', trackAuth, {}],
    ] as const) {
      expect((await call(method, url, authorization, body)).statusCode).toBe(200);
      const now = await brought();
      expect(now).toBeGreaterThan(before);
      before = now;
    }
    expect(under.sent.order).toEqual(['eventsCollected', 'eventsDropped', 'marker', 'identityRequests']);
    await call('POST', '/v1/track', pipelinesAuth, { ...event, properties: { note: 'x'.repeat(10_000) } });
    expect((await brought()) - before).toBeGreaterThan(10_000);
  });

  test('is not what was refused, nor what could not be kept', async () => {
    await call('POST', '/v1/track', trackAuth, event);
    await call('POST', '/api/v1/events', trackAuth, { nothing: 1 });
    under.sent.fault = new CodedError('log_unavailable', 'no broker');
    expect((await call('POST', '/v1/track', pipelinesAuth, event)).statusCode).toBe(503);
    expect((await call('DELETE', '/api/v1/customers/1', trackAuth)).statusCode).toBe(503);
    expect(await brought()).toBe(0);
  });
});

describe('a disk that is nearly full', () => {
  test('takes nothing more, says so, and the rest goes on', async () => {
    await under.server.close();
    const fault = new CodedError('disk_low', 'could not take the call: the disk has 7 bytes left');
    under = testServer({
      disk: {
        check: () => {
          throw fault;
        },
      },
    });
    for (const [method, url, authorization] of [
      ['POST', '/v1/track', pipelinesAuth],
      ['POST', '/api/v1/events', trackAuth],
      ['DELETE', '/api/v1/customers/1', trackAuth],
    ] as const) {
      const answer = await call(method, url, authorization, { ...event, name: 'x', anonymous_id: 'a' });
      expect([url, answer.statusCode]).toEqual([url, 503]);
      expect(answer.json()).toMatchObject({ meta: { code: 'disk_low' } });
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect(under.sent.order).toEqual([]);
    expect((await call('PUT', '/v1/workspaces/shop', appAuth, {})).statusCode).toBe(200);
    expect((await call('GET', '/v1/segments', appAuth)).statusCode).toBe(200);
  });
});
