/** What the door refuses: in the envelope, with CORS, and without a line in the log for each. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { head, listen, rawCall, TestConnection } from '../testing/raw-connection.ts';
import { appAuth, pipelinesAuth, testServer, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
let port: number;
beforeEach(async () => {
  under = testServer();
  port = await listen(under.server);
});
afterEach(() => under.server.close());

const closing = { connection: 'close' };
const segment = { name: 'Carts', type: 'data_driven', when: { event: 'Added to Cart', within: 'P7D' } };

describe('security 10: refusals of Node and of the framework', () => {
  test.each([
    ['no HTTP at all', 'nonsense\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
    ],
    ['a header of 20 kB', head('GET', '/health/live', { x: 'x'.repeat(20_000) }), 431],
    ['a method that does not exist', 'FETCH / HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['no host', 'GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    [
      'an expectation of its own',
      head('POST', '/v1/track', { ...closing, expect: 'wonders', 'content-length': '2' }),
      417,
    ],
    ['a broken path', head('GET', '/v1/definitions/segments/%zz', closing), 400],
    [
      'a path parameter of 5,000 characters',
      head('PUT', `/api/v1/customers/${'x'.repeat(5_000)}`, closing),
      414,
    ],
  ])('%s is a 4xx with CORS and the envelope', async (_name, bytes, status) => {
    const answer = await rawCall(port, bytes);
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(JSON.parse(answer.body)).toMatchObject({
      meta: { error: expect.any(String), code: expect.any(String) },
    });
  });

  test.each(['..', '.', '%2e%2e', '%2E', 'a.b', 'a:b', 'a%20b', 'a%2Fb', '%C3%A9', 'x'.repeat(101)])(
    'the definition id %s is 400',
    async (id) => {
      for (const kind of ['segments', 'journeys', 'messages']) {
        for (const method of ['PUT', 'GET', 'DELETE']) {
          const body = JSON.stringify(segment);
          const headers = { ...closing, authorization: appAuth, 'content-length': String(body.length) };

          const answer = await rawCall(port, head(method, `/v1/definitions/${kind}/${id}`, headers) + body);
          expect([method, kind, answer.status]).toEqual([method, kind, 400]);
        }
      }
    },
  );

  test('bodies that are cut off, and calls that are put off, are counted and make one line a minute', async () => {
    for (let count = 0; count < 20; count++) {
      const connection = await TestConnection.open(port);
      await connection.post('/v1/track', { authorization: pipelinesAuth, 'content-length': '100' }, 'x');
      connection.reset();
      await connection.closed;
    }
    await rawCall(port, head('GET', '/health/live', closing));
    expect(under.logged.filter(({ level }) => level === 'error')).toEqual([]);
    expect(under.logged.length).toBeLessThanOrEqual(1);
  });
});

describe('case 30: what the framework refuses is never 500', () => {
  test.each(['QUERY', 'PROPFIND', 'TRACE', 'PURGE', 'SEARCH', 'REPORT', 'PATCH', 'HEAD'])(
    '%s',
    async (method) => {
      const paths = [
        '/v1/track',
        '/api/v1/customers/1',
        '/api/v2/batch',
        '/v1/definitions/segments/a',
        '/v1/nowhere',
      ];
      for (const path of paths) {
        for (const extra of [
          {},
          { 'content-type': 'application/json', 'content-length': '2' },
          { 'content-type': ';' },
        ]) {
          const answer = await rawCall(
            port,
            head(method, path, { ...closing, ...extra }) + ('content-length' in extra ? '{}' : ''),
          );
          expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true]);
          expect(answer.headers['access-control-allow-origin']).toBe('*');
          if (method !== 'HEAD') expect(JSON.parse(answer.body)).toHaveProperty('meta.error');
        }
      }
    },
  );
});

describe('case 11: a preflight', () => {
  const ask = async (asked?: string, path = '/v1/t') => {
    const headers = asked === undefined ? {} : { 'access-control-request-headers': asked };
    return await rawCall(port, head('OPTIONS', path, { ...closing, ...headers }));
  };
  test.each(['baggage,content-type,sentry-trace', 'Authorization, X-Amzn-Trace-Id', 'x-_!#$%&|~'])(
    'allows what was asked for: %s',
    async (asked) => {
      for (const path of ['/v1/t', '/api/v1/customers/a%2Fb', '/nowhere']) {
        const answer = await ask(asked, path);
        expect(answer.status).toBe(204);
        const allowed = answer.headers['access-control-allow-headers']?.split(/, ?/);
        expect(allowed).toEqual(asked.split(/, ?/));
        expect(answer.headers.vary?.toLowerCase()).toContain('access-control-request-headers');
      }
    },
  );
  test('asked for nothing, names what our clients send', async () => {
    expect((await ask()).headers['access-control-allow-headers']).toContain('authorization');
  });
  test('leaves out what is no header name, and what is too much', async () => {
    const answer = await ask(`good,bad name,<x>,"y",,${'z'.repeat(200)}`);
    expect(answer.headers['access-control-allow-headers']).toBe('good');
    const many = await ask(Array.from({ length: 500 }, (_, index) => `x-${String(index)}`).join(','));
    expect(many.headers['access-control-allow-headers']?.split(',').length).toBeLessThanOrEqual(64);
  });
});

describe('readiness, which anybody may ask', () => {
  test.each(['/health/ready', '/health/settled'])('%s: a hundred at once look around twice', async (url) => {
    under.statuses['sink'] = {
      definitions_offset: Number.MAX_SAFE_INTEGER,
      inputs: { eventsMerged: [0] },
    };
    const ask = async (count: number) => {
      const before = under.asked.length;
      const answers = await Promise.all(
        Array.from({ length: count }, () => under.server.inject({ method: 'GET', url })),
      );
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(count).fill(200));
      return under.asked.length - before;
    };
    const ofOne = await ask(1);
    expect(ofOne).toBeGreaterThan(0);
    expect(await ask(100)).toBeLessThanOrEqual(2 * ofOne);
  });
});
