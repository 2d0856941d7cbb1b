/** The budget of bodies in memory: taken by who is known, given back on every way out. On real sockets. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { BodyBudget, browserLimits, knownLimits } from './body-budget.ts';
import { eventually } from '../testing/eventually.ts';
import { runs } from '../testing/runs.ts';
import { listen, rawCall, TestConnection, head } from '../testing/raw-connection.ts';
import {
  pipelinesAuth,
  testServer,
  trackAuth,
  writeKey,
  type TestServer,
  type TestServerOptions,
} from '../testing/gateway-server.ts';

let under: TestServer;
let port: number;
beforeEach(async () => {
  under = testServer();
  port = await listen(under.server);
});
afterEach(() => under.server.close());

const large = 1_048_570;
const stalled = { 'content-length': '1048576' };
const event = JSON.stringify({ event: 'x', anonymousId: 'a' });
const small = (extra: Record<string, string>, path = '/v1/track', body = event) =>
  head('POST', path, { connection: 'close', 'content-length': String(body.length), ...extra }) + body;
const known = { authorization: pipelinesAuth };

const isFree = () =>
  [under.budgets.known, under.budgets.browser].every(
    ({ state, accounts }) => state.held_bytes === 0 && state.bodies === 0 && accounts === 0,
  );
const restart = async (options: TestServerOptions) => {
  await under.server.close();
  under = testServer(options);
  port = await listen(under.server);
};
const limits = { ...knownLimits, bytesMax: 40_000, clientBytesMax: 10_000, workspaceBytesMax: 20_000 };
const smallBudgets = () => ({ known: new BodyBudget(limits), browser: new BodyBudget(limits) });

describe('security 2: the memory budget of bodies', () => {
  test('140 bodies that are cut off leave room for the next call', async () => {
    for (let count = 0; count < 140; count++) {
      const connection = await TestConnection.open(port);
      await connection.post('/v1/track', { ...stalled, ...known }, Buffer.alloc(large, 32));
      connection.close();
      await connection.closed;
    }
    const answer = await rawCall(port, small(known, '/v1/track', event + ' '.repeat(1_000_000)));
    expect([answer.status, answer.body]).toEqual([200, '{}\n']);
    await eventually(isFree);
  });

  test('a call whose key is not known is answered before its body is read', async () => {
    const headers = { ...stalled, connection: 'close' };
    for (const authorization of ['Basic d3Jvbmc6', trackAuth]) {
      const answer = await rawCall(port, head('POST', '/v1/track', { ...headers, authorization }));
      expect(answer.status).toBe(401);
    }
    for (const [method, path, status] of [
      ['POST', '/api/v1/events', 401],
      ['PUT', '/api/v1/customers/1', 401],
      ['DELETE', '/api/v1/customers/1', 401],
      ['POST', '/api/v2/batch', 401],
      ['POST', '/v1/people/x/split', 401],
      ['PUT', '/v1/workspaces/x', 401],
      ['PUT', '/v1/definitions/segments/a', 401],
      ['POST', '/v1/nowhere', 404],
    ] as const) {
      expect([path, (await rawCall(port, head(method, path, headers))).status]).toEqual([path, status]);
    }
    expect(isFree()).toBe(true);
  });

  test('1,500 stalled bodies of one client do not shut the door for others', async () => {
    const stall = async (extra: Record<string, string>, path: string) => {
      const connection = await TestConnection.open(port);
      void connection.post(path, { ...stalled, ...extra }, Buffer.alloc(60_000, 32));
      return connection;
    };
    const connections: TestConnection[] = [];
    for (let count = 0; count < 750; count++) {
      connections.push(await stall(known, '/v1/track'), await stall({}, '/v1/t'));
    }
    const browser = JSON.stringify({ event: 'x', anonymousId: 'a', writeKey });
    await eventually(() => under.budgets.known.state.held_bytes > knownLimits.clientBytesMax * 0.9);
    await eventually(() => under.budgets.browser.state.held_bytes > browserLimits.clientBytesMax * 0.9);
    expect((await rawCall(port, small(known), '127.0.0.2')).status).toBe(200);
    expect((await rawCall(port, small({}, '/v1/t', browser), '127.0.0.2')).status).toBe(200);
    for (const connection of connections) connection.reset();
    await eventually(isFree);
  });

  test.each([
    ['known', '/v1/track', known],
    ['browser', '/v1/t', {}],
  ] as const)(
    'a few who send slowly what fills all of %s make room for others',
    async (name, path, extra) => {
      const all = { ...limits, workspaceBytesMax: 2 * limits.bytesMax };
      const budgets = { known: new BodyBudget(all), browser: new BodyBudget(all) };
      await restart({ budgets });
      const slow: TestConnection[] = [];
      for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']) {
        for (let each = 0; each < 2; each++) {
          const connection = await TestConnection.open(port, address);
          await connection.post(path, { ...stalled, ...extra, connection: 'close' }, 'x'.repeat(5_000));
          slow.push(connection);
        }
      }
      await eventually(() => budgets[name].state.held_bytes === all.bytesMax);
      const body = JSON.stringify({ event: 'x', anonymousId: 'a', writeKey });
      for (let each = 0; each < 3; each++) {
        expect((await rawCall(port, small(extra, path, body))).status).toBe(200);
      }
      expect(budgets[name].state.ended).toBeGreaterThan(0);
      const [first] = slow;
      expect(await first?.answer()).toMatchObject({ status: 503 });
      for (const connection of slow) connection.reset();
      await eventually(() => budgets[name].state.held_bytes === 0 && budgets[name].accounts === 0);
    },
  );

  test('a body that stalls is ended, with an answer, and what it held is given back', async () => {
    await restart({ bodyMsMax: 50 });
    for (const [path, extra] of [
      ['/v1/track', known],
      ['/v1/t', {}],
    ] as const) {
      const connection = await TestConnection.open(port);
      await connection.post(path, { ...stalled, ...extra }, 'x'.repeat(1_000));
      const answer = await connection.answer();
      expect([path, answer.status]).toEqual([path, 408]);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(JSON.parse(answer.body)).toMatchObject({ meta: { code: 'body_too_late' } });
    }
    await eventually(isFree);
  });

  test('readiness shows what is held and what may be', async () => {
    const connection = await TestConnection.open(port);
    await connection.post('/v1/track', { ...stalled, ...known }, 'x'.repeat(1_000));
    await eventually(() => under.budgets.known.state.held_bytes === 1_000);
    const answer = await under.server.inject({ method: 'GET', url: '/health/ready' });
    expect(answer.json()).toMatchObject({
      budgets: {
        bodies: { held_bytes: 1_000, bytes_max: knownLimits.bytesMax, bodies: 1 },
        browser_bodies: { held_bytes: 0, bytes_max: browserLimits.bytesMax, bodies: 0 },
      },
    });
    connection.reset();
    await eventually(isFree);
  });

  test('whatever clients do, in whatever order, the budgets end at zero', async () => {
    const open = fc.record({
      path: fc.constantFrom('/v1/track', '/v1/t', '/api/v1/events', '/v1/batch', '/v1/nowhere'),
      authorization: fc.constantFrom(pipelinesAuth, trackAuth, undefined),
      framing: fc.constantFrom('length', 'chunked', 'short', 'too long', 'bad chunk'),
      encoding: fc.constantFrom('gzip', 'br', 'zstd', undefined),
      body: fc.constantFrom('{}', event, event + ' '.repeat(9_000), '{', ' '.repeat(30_000)),
      isPacked: fc.boolean(),
    });
    const step = fc.record({
      of: fc.nat(),
      act: fc.constantFrom('send', 'send', 'rest', 'rest', 'reset', 'close', 'finish', 'wait'),
      bytes: fc.integer({ min: 1, max: 12_000 }),
    });
    const plan = fc.record({
      opens: fc.array(open, { minLength: 1, maxLength: 8 }),
      steps: fc.array(step, { maxLength: 40 }),
      isLogDown: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ opens, steps, isLogDown }) => {
        await restart({ bodyMsMax: 200, budgets: smallBudgets() });
        if (isLogDown) under.sent.fault = new Error('the broker is gone');
        const clients = await Promise.all(
          opens.map(async (how) => ({ connection: await TestConnection.open(port), rest: requestOf(how) })),
        );
        for (const { of, act, bytes } of steps) {
          const client = clients[of % clients.length];
          if (client === undefined) continue;
          const { connection } = client;
          if (act === 'reset' || act === 'close' || act === 'finish') connection[act]();
          else if (act === 'wait') await sleep(1);
          else {
            const count = act === 'rest' ? client.rest.length : bytes;
            void connection.send(client.rest.subarray(0, count));
            client.rest = client.rest.subarray(count);
          }
        }
        await sleep(1);
        for (const { connection } of clients) connection.close();
        await eventually(isFree);
      }),
      { numRuns: runs(10) },
    );
  });
});

interface Request {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly framing: string;
  readonly encoding: string | undefined;
  readonly body: string;
  readonly isPacked: boolean;
}

function requestOf({ path, authorization, framing, encoding, body, isPacked }: Request): Buffer {
  const bytes = isPacked ? gzipSync(body) : Buffer.from(body);
  const isChunked = framing === 'chunked' || framing === 'bad chunk';
  const length = framing === 'short' ? bytes.length + 7 : framing === 'too long' ? 2_000_000 : bytes.length;
  const headers = head('POST', path, {
    ...(authorization !== undefined && { authorization }),
    ...(encoding !== undefined && { 'content-encoding': encoding }),
    ...(isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
  });
  if (!isChunked) return Buffer.concat([Buffer.from(headers), bytes]);
  const end = framing === 'chunked' ? '\r\n0\r\n\r\n' : '\r\nno chunk';
  return Buffer.concat([Buffer.from(`${headers}${bytes.length.toString(16)}\r\n`), bytes, Buffer.from(end)]);
}
