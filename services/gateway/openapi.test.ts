/** The published description is a good OpenAPI document, and no call, however odd, is answered otherwise than it says. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import {
  adminKey,
  appAuth,
  browserAuth,
  pipelinesAuth,
  testServer,
  trackAuth,
  writeKey,
  type TestServer,
} from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer({ testClock: true, inForceWaitMsMax: 100 });
});
afterEach(() => under.server.close());

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
const published = async (): Promise<Document> =>
  (await under.server.inject({ method: 'GET', url: '/v1/openapi.json' })).json();

describe('the published description', () => {
  test('is valid OpenAPI 3.1, and every reference in it leads somewhere', async () => {
    const document = await published();
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...document });
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    const references: string[] = [];
    JSON.stringify(document, (key, value: unknown) => {
      if (key === '$ref' && typeof value === 'string') references.push(value);
      return value;
    });
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((reference) => targetOf(document, reference) === undefined)).toEqual([]);
    expect(validator.resolveRefs()).toHaveProperty('paths');
  });
});

test('what refuses a name that no route takes has the members that are said', async () => {
  const document = await published();
  let refused = 0;
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!path.startsWith('/v1/') || !path.includes('{')) continue;
    for (const method of ['get', 'delete'] as const) {
      const said = methods[method]?.responses['400'];
      if (said === undefined) continue;
      const url = path.replace(/\{\w+\}/g, '%C3%9B%C3%9D');
      const { statusCode, body } = await under.server.inject({
        method: method.toUpperCase() as 'GET',
        url,
        headers: { authorization: appAuth },
      });
      if (statusCode !== 400) continue;
      refused += 1;
      const [member = ''] = Object.keys(JSON.parse(body) as object);
      expect({ method, path, members: membersOf(document, said) }).toEqual({
        method,
        path,
        members: expect.arrayContaining([member]),
      });
    }
  }
  expect(refused).toBeGreaterThan(5);
});

/** Of the body that a response is said to have; any, where nothing is said. */
function membersOf(document: unknown, response: unknown): readonly string[] {
  const { $ref } = response as { $ref?: string };
  const said = $ref === undefined ? response : targetOf(document, $ref);
  const { content } = said as {
    content?: Record<string, { schema: { properties?: Record<string, unknown> } }>;
  };
  const properties = content?.['application/json']?.schema.properties;
  return properties === undefined ? ['errors', 'meta'] : Object.keys(properties);
}

/** What a JSON pointer within the document leads to. */
function targetOf(document: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined;
  const parts = reference.slice(2).split('/');
  return parts.reduce<unknown>((at, part) => {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }, document);
}

const NAMES =
  'type action identifiers attributes name id email cio_id anonymous_id data timestamp batch event properties traits context userId anonymousId messageId groupId previousId primary secondary device token platform delivery_id metric payload unsubscribe ids items products sentAt writeKey when filter segment kind guards rate_limits quotas event_names identify_moments event_schemas old_valid_s cio_relationships object_id __proto__ constructor'.split(
    ' ',
  );
const TEXTS =
  'person object identify event track page 42 cio_1 a@b.c add_device delete merge 2026-01-01 1700000000'.split(
    ' ',
  );
const leaf = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, writeKey, '', null, true, 0, -1, 1.5, 1e300, 1_700_000_000),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.double(),
);
const { value: sentValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 8, noNullPrototype: false }),
  ),
}));
const body = fc.oneof(
  { weight: 8, arbitrary: sentValue.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('', '{', '[]', 'NaN', '{"a":NaN}', '\ufeff{}')
      .map((text) => Buffer.from(text)),
  },
);
const headers = fc.record(
  {
    'content-type': fc.constantFrom(
      'application/json',
      'text/plain',
      'text/csv',
      'x',
      'application/x-www-form-urlencoded',
    ),
    'content-encoding': fc.constantFrom('gzip', 'identity', 'br', 'x', ''),
    'x-strict-mode': fc.constantFrom('1', '0', 'x'),
    'x-hindsight-received-at': fc.constantFrom('noon', '2026-01-01T00:00:00Z'),
    'if-none-match': fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
    'user-agent': fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
  },
  { requiredKeys: [] },
);
const segment = fc.oneof(
  fc.constantFrom('42', 'a@b.c', 'x%2Fy', '%ff', '%00', '%E0%A4%A', 'shop', 'other'),
  fc.string({ maxLength: 12 }).map((text) => `x${encodeURIComponent(text)}`),
);
const authorization = fc.constantFrom(
  ...[trackAuth, pipelinesAuth, browserAuth, appAuth, `Bearer ${adminKey}`, 'Basic !', '', 'Bearer '],
);

describe('any call', () => {
  test('is answered as the description says, never with a fault of ours', async () => {
    const { paths } = await published();
    const operations = Object.entries(paths)
      .filter(([path]) => path !== '/v1/live') // a stream, which ends with the server
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { responses }]) => ({ path, method, responses })),
      );
    const call = fc.record({
      operation: fc.constantFrom(...operations),
      segments: fc.array(segment, { minLength: 3, maxLength: 3 }),
      query: fc.oneof(
        fc.constant(''),
        fc.webQueryParameters().map((text) => `?${text}`),
      ),
      authorization,
      headers,
      body,
    });
    await fc.assert(
      fc.asyncProperty(call, async (made) => {
        const { operation, segments, query } = made;
        let next = 0;
        const path = operation.path.replace(/\{\w+\}/g, () => segments[next++] ?? 'x');
        const hasBody = operation.method !== 'get' && operation.method !== 'delete';
        const {
          statusCode,
          payload,
          headers: told,
        } = await under.server.inject({
          method: operation.method.toUpperCase() as 'GET',
          url: `${path}${query}`,
          headers: { ...made.headers, authorization: made.authorization },
          ...(hasBody && { payload: made.body }),
        });
        const what = `${operation.method} ${path}: ${String(statusCode)} ${payload.slice(0, 200)}`;
        const isSaid = String(statusCode) in operation.responses;
        expect({ what, isSaid, isOurs: statusCode === 500 }).toEqual({ what, isSaid: true, isOurs: false });
        // The page, and what signs in to it, are for this origin alone.
        const isForOthers = operation.path !== '/' && operation.path !== '/v1/sign-in';
        expect(told['access-control-allow-origin']).toBe(isForOthers ? '*' : undefined);
      }),
      { numRuns: runs(40) },
    );
  });
});
