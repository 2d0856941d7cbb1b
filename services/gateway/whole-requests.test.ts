/** The short way and the ordinary way answer a request alike, byte by byte, and keep the same of it. On real sockets. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { CodedError } from '../runtime/errors.ts';
import { unansweredMax } from './unanswered.ts';
import { eventually } from '../testing/eventually.ts';
import {
  browserAuth,
  pipelinesAuth,
  testServer,
  workspace,
  type TestServer,
} from '../testing/gateway-server.ts';
import { head, listen, TestConnection } from '../testing/raw-connection.ts';
import { runs } from '../testing/runs.ts';

let under: TestServer;
let port: number;
/** Requests that went the ordinary way. */
let ordinary: number;
async function open(server: TestServer): Promise<void> {
  under = server;
  ordinary = 0;
  under.server.addHook('onRequest', (_request, _reply, done) => {
    ordinary += 1;
    done();
  });
  port = await listen(under.server);
}
beforeEach(() => open(testServer()));
afterEach(() => under.server.close());

test('a connection that asks on while nothing is answered is ended, on the short way too', async () => {
  await under.server.close();
  let taken = 0;
  const never = (): Promise<never> => new Promise(() => undefined);
  const take = (): Promise<void> => {
    taken += 1;
    return never();
  };
  await open(testServer({ intake: { take, untilOnLog: never } }));
  const body = JSON.stringify({ event: 'x', anonymousId: 'a' });
  const headers = { authorization: pipelinesAuth, 'content-length': String(body.length) };
  const connection = await TestConnection.open(port);
  await connection.send((head('POST', '/v1/track', headers) + body).repeat(unansweredMax + 1));
  await connection.closed;
  expect({ taken, ordinary }).toEqual({ taken: unansweredMax, ordinary: 0 });
  expect(under.logged.filter(({ fields }) => fields['code'] === 'connection_piles_up')).toHaveLength(1);
});

/** Between a head and its body. */
const PART_MS = 10;

interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

async function answerOf({ path, headers, body }: Call, how: 'whole' | 'in parts'): Promise<string> {
  const bytes = Buffer.from(body);
  const all = { 'content-length': String(bytes.length), connection: 'close', ...headers };
  const first = Buffer.from(head('POST', path, all));
  const connection = await TestConnection.open(port);
  if (how === 'whole') await connection.send(Buffer.concat([first, bytes]));
  else {
    await connection.send(first);
    await sleep(PART_MS); // it has been looked at by then, or it comes whole after all, which changes no answer
    await connection.send(bytes);
  }
  await connection.closed;
  return connection.text.replace(/\r\nDate: [^\r]*/, '');
}

function takeKept(): unknown[] {
  const kept = [...under.sent.events, ...under.sent.dropped].map(
    ({ key, value }) =>
      // What differs between two of the same: times, and ids that were minted.
      JSON.parse(
        JSON.stringify([key, value])
          .replace(/"(received_at|timestamp|at)":\d+/g, '')
          .replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, 'id')
          .replaceAll(/[,{](?=[,}])/g, (text) => (text === '{' ? '{' : ''))
          .replaceAll('{,', '{'),
      ) as unknown,
  );
  under.sent.events.length = 0;
  under.sent.dropped.length = 0;
  return kept;
}

/** Both ways; the answer of the short one, and whether it was short. */
async function both(call: Call): Promise<{ readonly text: string; readonly isShort: boolean }> {
  const before = ordinary;
  const text = await answerOf(call, 'whole');
  const isShort = ordinary === before;
  const kept = takeKept();
  expect(await answerOf(call, 'in parts')).toBe(text);
  expect(takeKept()).toEqual(kept);
  return { text, isShort };
}

const auth = { authorization: pipelinesAuth };
const strict = { ...auth, 'x-strict-mode': '1' };
const track = '{"anonymousId":"v-1","messageId":"m-1","event":"Added to Cart","properties":{"n":1.0}}';

describe('a call that comes whole goes the short way, and is answered as one that comes in parts', () => {
  test.each<[string, Call, number]>([
    ['a call', { path: '/v1/track', headers: auth, body: track }, 200],
    ['with a message id of ours', { path: '/v1/page', headers: auth, body: '{"anonymousId":"a"}' }, 200],
    ['what is no JSON', { path: '/v1/track', headers: auth, body: '{"event":' }, 200],
    ['what is no JSON, strict', { path: '/v1/track', headers: strict, body: '{"event":' }, 400],
    ['a name that is blank, strict', { path: '/v1/track', headers: strict, body: '{"event":" "}' }, 400],
    [
      'a batch with faults',
      {
        path: '/v1/batch',
        headers: auth,
        body: `{"batch":[${track.replace('{', '{"type":"track",')},1,{}]}`,
      },
      200,
    ],
    ['a batch with faults, strict', { path: '/v1/batch', headers: strict, body: '{"batch":[1,2]}' }, 400],
    [
      'what the key may not do',
      {
        path: '/v1/alias',
        headers: { authorization: browserAuth },
        body: '{"userId":"u-1","previousId":"u-2"}',
      },
      403,
    ],
  ])('%s', async (_what, call, status) => {
    const { text, isShort } = await both(call);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
    expect(isShort).toBe(true);
  });

  test('byte by byte, as it was before there was a short way', async () => {
    const { text } = await both({ path: '/v1/track', headers: auth, body: track });
    expect(text.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'access-control-allow-origin: *',
      'cache-control: no-cache, no-store, must-revalidate, max-age=0',
      'content-type: application/json; charset=utf-8',
      'content-length: 3',
      'Connection: close',
      '',
      '{}\n',
    ]);
  });
});

describe('what is anything else goes the ordinary way, though it comes whole', () => {
  test.each<[string, Call, number]>([
    [
      'no key that is known',
      { path: '/v1/track', headers: { authorization: 'Basic eDo=' }, body: track },
      401,
    ],
    ['no key', { path: '/v1/track', headers: {}, body: track }, 401],
    ['a query', { path: '/v1/track?x=1', headers: auth, body: track }, 200],
    ['two slashes', { path: '/v1//track', headers: auth, body: track }, 200],
    ['a browser route', { path: '/v1/t', headers: auth, body: track }, 200],
    ['no body', { path: '/v1/track', headers: auth, body: '' }, 200],
    ['white space first', { path: '/v1/track', headers: auth, body: ` ${track}` }, 200],
    ['a byte-order mark', { path: '/v1/track', headers: auth, body: `\uFEFF${track}` }, 200],
    [
      'gzip that says so',
      { path: '/v1/track', headers: { ...auth, 'content-encoding': 'gzip' }, body: gzipSync(track) },
      200,
    ],
    ['gzip that does not', { path: '/v1/track', headers: auth, body: gzipSync(track) }, 200],
    ['a list', { path: '/v1/track', headers: strict, body: '[1]' }, 400],
    ['another route', { path: '/api/v1/events', headers: auth, body: track }, 401],
  ])('%s', async (_what, call, status) => {
    const { text, isShort } = await both(call);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
    expect(isShort).toBe(false);
  });
});

describe('the bounds of the door hold on the short way', () => {
  test('a key that calls too fast is answered 429, and is charged once for each call', async () => {
    const rate = { per_second: 0.001, burst: 2 };
    const body = { rate_limits: { key_calls: rate } };
    await under.definitions.put('workspace', workspace, workspace, { body });
    const call: Call = { path: '/v1/track', headers: auth, body: track };
    const answers = [];
    for (let each = 0; each < 4; each += 1) answers.push((await answerOf(call, 'whole')).slice(9, 12));
    expect(answers).toEqual(['200', '200', '429', '429']);
    expect(under.sent.events).toHaveLength(2);
  });

  test('what a body holds of the budget is given back with its answer', async () => {
    let [answer, asked] = [(): void => undefined, false];
    const held = new Promise<void>((done) => (answer = done));
    const take = (): Promise<void> => {
      asked = true;
      return held;
    };
    await under.server.close();
    await open(testServer({ intake: { take, untilOnLog: () => Promise.resolve() } }));
    const answered = answerOf({ path: '/v1/track', headers: auth, body: track }, 'whole');
    await eventually(() => asked);
    expect(under.budgets.known.state).toMatchObject({ held_bytes: track.length, bodies: 1 });
    answer();
    expect(await answered).toMatch(/^HTTP\/1.1 200 /);
    expect(under.budgets.known.state).toMatchObject({ held_bytes: 0, bodies: 0 });
    expect(ordinary).toBe(0);
  });

  test('what cannot be kept is 503 with Retry-After, by either way, and is seen', async () => {
    under.sent.fault = new CodedError('queue_full', 'could not take events: too many wait to be kept');
    const { text, isShort } = await both({ path: '/v1/track', headers: auth, body: track });
    expect(isShort).toBe(true);
    expect(text).toMatch(/^HTTP\/1.1 503 [^]*\r\nretry-after: 1\r\n[^]*"code":"queue_full"/);
    expect(under.live.refusals(workspace)).toMatchObject([{ reason: 'queue_full', count: 2 }]);
  });

  test('a connection whose client has gone costs nothing and nobody', async () => {
    const connection = await TestConnection.open(port);
    await connection.post('/v1/track', { ...auth, 'content-length': String(track.length) }, track);
    connection.reset();
    await eventually(() => under.sent.events.length === 1);
    await eventually(() => under.doors.state.open === 0);
    expect(under.budgets.known.state).toMatchObject({ held_bytes: 0, bodies: 0 });
  });

  test('calls one behind the other on a connection are answered in their order', async () => {
    const connection = await TestConnection.open(port);
    const length = String(track.length);
    const call = head('POST', '/v1/track', { ...auth, 'content-length': length }) + track;
    const wrong = head('POST', '/v1/track', { ...strict, 'content-length': '2' }) + '{}';
    const last =
      head('POST', '/v1/track', { ...auth, 'content-length': length, connection: 'close' }) + track;
    await connection.send(call + wrong + call + last);
    await connection.closed;
    expect([...connection.text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '400',
      '200',
      '200',
    ]);
  });
});

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const member = fc.constantFrom(
  'event',
  'anonymousId',
  'userId',
  'messageId',
  'properties',
  'type',
  'batch',
  'sentAt',
);
const value = fc.oneof(
  fc.constantFrom<unknown>(
    'Cart',
    'v-1',
    '',
    ' ',
    null,
    7,
    true,
    [],
    {},
    'cio_1',
    'a@b.example',
    'undefined',
    '\ud83d',
  ),
  fc.array(fc.dictionary(member, fc.constantFrom<unknown>('track', 'v-1', 'Cart', 1, null)), {
    maxLength: 3,
  }),
);
const path = fc.constantFrom('track', 'identify', 'page', 'screen', 'group', 'alias', 'batch');

test(`any body is answered and kept alike by both ways, seed ${String(seed)}`, async () => {
  await fc.assert(
    fc.asyncProperty(path, fc.boolean(), fc.dictionary(member, value), async (route, isStrict, body) => {
      const { isShort } = await both({
        path: `/v1/${route}`,
        headers: isStrict ? strict : auth,
        body: JSON.stringify(body),
      });
      expect(isShort).toBe(true);
    }),
    { numRuns: runs(25), seed },
  );
});
