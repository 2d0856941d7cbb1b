/**
 * Paths as they come from concatenated texts, scanners and proxies, as bytes on a connection (a client's URL would tidy them
 * up): `..`, `//`, encoded slashes, broken percent signs. None is a fault of ours, none reaches another route than the one
 * that it names, and what a segment names is what it decodes to, once.
 */
import { toUSVString } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalName } from '../../schemas/identifiers.ts';
import { isPlaceholder } from '../../schemas/placeholders.ts';
import { testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';
import { head, listen, rawCall } from '../testing/raw-connection.ts';
import { runs } from '../testing/runs.ts';

let under: TestServer;
let port: number;
beforeEach(async () => {
  under = testServer();
  port = await listen(under.server);
});
afterEach(() => under.server.close());

const ODD =
  '.. . ... %2e%2e %2E. %2f %2F%2f %5c .%2e%2f %00 %0d%0a % %zz %C3 %ff %25 %252e%252e ; ;x=1 * : @ ~ + %20 customers events __proto__ %F0%9F%9B%92 a%2Fb'.split(
    ' ',
  );
const segment = fc.oneof(
  fc.constantFrom(...ODD),
  fc.array(fc.constantFrom(...ODD, 'x', '42'), { minLength: 2, maxLength: 4 }).map((parts) => parts.join('')),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 8 })
    .map((text) => encodeURIComponent(toUSVString(text))),
);
const slashes = fc.constantFrom('/', '/', '/', '//', '///', '/./');
const DOORS = [
  '/api/v1/customers',
  '/api/v1/segments',
  '/v1/analytics-js',
  '/v1/projects',
  '/v1',
  '/api',
  '',
  '/page',
];

function call(method: string, path: string) {
  const body = '{"name":"Seen","anonymous_id":"visitor"}';
  const headers = {
    authorization: trackAuth,
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(body.length),
  };
  return rawCall(port, `${head(method, path, headers)}${body}`);
}

test('whatever stands in a path, the answer is no fault of ours, has CORS, and is JSON where it refuses', async () => {
  const path = fc
    .tuple(fc.constantFrom(...DOORS), fc.array(fc.tuple(slashes, segment), { maxLength: 5 }), fc.boolean())
    .map(([door, parts, isOpen]) => `${door}${parts.flat().join('')}${isOpen ? '/' : ''}` || '/');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'), path, async (method, url) => {
      const { status, headers, body } = await call(method, url);
      expect({ url, isOurs: status >= 500 || status === 0 }).toEqual({ url, isOurs: false });
      if (status >= 400 && body !== '') expect(() => JSON.parse(body) as unknown).not.toThrow();
      if (status >= 400)
        expect({ url, cors: headers['access-control-allow-origin'] }).toEqual({ url, cors: '*' });
    }),
    { numRuns: runs(150) },
  );
});

const ofVisitor = { type: 'traits', identifier: null };

test('a segment is one name, decoded once: it leads out of no folder and into no other route', async () => {
  await fc.assert(
    fc.asyncProperty(segment, async (sent) => {
      const before = under.sent.events.length;
      const { status } = await call('PUT', `/api/v1/customers/${sent}`);
      const taken = under.sent.events.slice(before).map(({ value }) => value);
      if (status !== 200) {
        expect({ sent, taken }).toEqual({ sent, taken: [] });
        return;
      }
      const name = canonicalName(decodeURIComponent(sent.split(/[?#]/)[0] ?? ''));
      expect({ sent, taken: taken.map(({ type, identifier }) => ({ type, identifier })) }).toEqual({
        sent,
        // The call names a visitor, too: beside one a placeholder is as if absent.
        taken: [isPlaceholder(name) ? ofVisitor : { type: 'identify', identifier: name }],
      });
    }),
    { numRuns: runs(150) },
  );
});
