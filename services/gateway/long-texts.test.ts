/** A text that a caller chose costs what its length says and no more: none, however it is made up, holds the door for others. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import { InAppRig, T0 } from '../testing/scenarios/in-app-rig.ts';
import {
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

/** What costs the square of such a length takes minutes; what costs its length, a tenth of a second. */
const msMax = 15_000;
const room = bodyBytesMax - 200;
const filled = (piece: string, bytes = room): string =>
  piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));

/** Bytes at most; texts that are dear when they are looked at from each of their places. */
const texts: readonly (readonly [what: string, text: (bytes: number) => string])[] = [
  ['joiners that join', (bytes) => `é${filled('\u200d', bytes - 4)}é`],
  [
    'accents out of their order',
    (bytes) => `a${filled('\u0315', bytes / 2)}${filled('\u0323', bytes / 2 - 4)}`,
  ],
  ['unseen marks', (bytes) => `é${filled('\u200b', bytes - 4)}é`],
  ['quotes', (bytes) => `${filled('"', bytes / 2)}é${filled('"', bytes / 2 - 4)}`],
  ['white space', (bytes) => `1${filled(' ', bytes - 2)}x`],
  ['backslashes', (bytes) => `${filled('\\', bytes - 8)}"`],
  ['zeros', (bytes) => `1${filled('0', bytes - 2)}1`],
];

/** Of this process, so that it says the same on a machine that others use. */
async function cpuMs(work: () => PromiseLike<{ readonly statusCode: number }>): Promise<number> {
  const began = process.cpuUsage();
  const { statusCode } = await work();
  expect(statusCode).toBeLessThan(500);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}

describe.each(texts)('%s', (_what, textOf) => {
  const send = (url: string, authorization: string, body: (text: string) => object) => {
    // JSON writes quotes and backslashes with another one before each.
    const text = textOf(room / 2);
    const payload = JSON.stringify(body(text));
    return under.server.inject({ method: 'POST', url, payload, headers: { authorization } });
  };
  const routes: readonly (readonly [string, string, string, (text: string) => object])[] = [
    ['an anonymous id', '/v1/track', pipelinesAuth, (anonymousId) => ({ anonymousId, event: 'x' })],
    ['a user id', '/v1/identify', pipelinesAuth, (userId) => ({ userId, traits: { email: userId } })],
    ['a message id', '/v1/page', pipelinesAuth, (messageId) => ({ anonymousId: 'a', messageId })],
    ['a time', '/v1/track', pipelinesAuth, (timestamp) => ({ anonymousId: 'a', event: 'x', timestamp })],
    [
      'a user agent',
      '/v1/track',
      pipelinesAuth,
      (userAgent) => ({ userId: 'a', event: 'x', context: { userAgent } }),
    ],
    ['a name', '/v1/page', pipelinesAuth, (name) => ({ anonymousId: 'a', name })],
    ['an id of Track', '/api/v1/events', trackAuth, (id) => ({ name: 'x', anonymous_id: id, id })],
  ];
  test.each(routes)('as %s', async (_field, url, authorization, body) => {
    expect(await cpuMs(() => send(url, authorization, body))).toBeLessThan(msMax);
  });

  test('as an amount of an item that is to be read as a number', async () => {
    await under.definitions.put('workspace', workspace, workspace, { body: { normalise_items: true } });
    const price = textOf(95_000);
    const data = { items: [{ price }] };
    const body = { name: 'x', anonymous_id: 'a', data };
    const payload = JSON.stringify(body);
    const headers = { authorization: trackAuth };
    const took = await cpuMs(() =>
      under.server.inject({ method: 'POST', url: '/api/v1/events', payload, headers }),
    );
    expect(took).toBeLessThan(msMax);
  });
});

const half = room / 2;
test.each<[what: string, body: string]>([
  ['digits', `{"anonymousId":1${'0'.repeat(half)}1,"event":"x"}`],
  ['halves of pairs', `{"anonymousId":"a","event":"x","properties":{"a":"${filled('\\ud800', half)}"}}`],
  [
    'names',
    `{"userId":"a","traits":{${Array.from({ length: 60_000 }, (_, i) => `"a${String(i)}":1`).join()}}}`,
  ],
  [
    'names that are escaped',
    `{"userId":"a","traits":{${Array.from({ length: 40_000 }, (_, i) => `"\\u0061${String(i)}":1`).join()}}}`,
  ],
  ['what is no number', `{"anonymousId":"a","event":"x","properties":{"a":[${filled('NaN,', half)}1]}}`],
  ['quotes that do not close', `{"anonymousId":"${filled('\\"', half)}`],
  ['brackets', '['.repeat(half)],
  [
    'white space before a colon',
    `{"anonymousId":"a","event":"x","properties":{"items"${' '.repeat(90_000)}:"items"}}`,
  ],
])('a body of %s', async (_what, payload) => {
  const headers = { authorization: pipelinesAuth };
  const post = (url: string) => under.server.inject({ method: 'POST', url, payload, headers });
  expect(await cpuMs(() => post('/v1/track'))).toBeLessThan(msMax);
  expect(await cpuMs(() => post('/v1/identify'))).toBeLessThan(msMax);
});

test('a list of tags that a page says it has, without any key', async () => {
  const rig = new InAppRig().message('hello');
  try {
    const url = `/v1/in-app/queue?site_id=${siteId}&anonymous_id=ann`;
    const headers = {
      'if-none-match': `"a"${' '.repeat(300_000)}"b"`,
      'x-hindsight-received-at': new Date(T0).toISOString(),
    };
    expect(await cpuMs(() => rig.server.inject({ method: 'GET', url, headers }))).toBeLessThan(msMax);
  } finally {
    await rig.close();
  }
});
