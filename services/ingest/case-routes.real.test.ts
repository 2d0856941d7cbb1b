/**
 * Calls of the real world that need more than ingest, through a whole installation: a long past and the identify behind it
 * (case 3), what proxies, browsers and hand-written clients put around a call (cases 9 to 12, 26, 30), digits to the last
 * reader (case 23), pages in conditions (case 28), what the key of a page may not do (case 29), what a workspace may bring.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { exactNumber } from '../runtime/exact-json.ts';
import { head, rawCall } from '../testing/raw-connection.ts';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

const ok = { status: 200, body: {} };
const define = async (path: string, body: object | string): Promise<void> => {
  expect((await calls.app('PUT', `/v1/definitions/${path}`, body)).status).toBe(200);
};

test(
  'case 3: each of 300 events of a past starts the journey, since each sees what the identify behind it says',
  async () => {
    const journey = {
      name: 'Recovery',
      state: 'running',
      trigger: { event: 'Added to Cart' },
      filters: { attribute: 'plan', operator: 'eq', value: 'gold' },
      frequency: { mode: 'every_rematch' },
    };
    await define('journeys/recovery', journey);
    const events = Array.from({ length: 300 }, (_, index) => ({
      type: 'track',
      anonymousId: 'c3-visitor',
      event: 'Added to Cart',
      messageId: `c3-${String(index)}`,
    }));
    expect(await calls.pipelines('/batch', { batch: events })).toEqual(ok);
    const identify = { anonymousId: 'c3-visitor', userId: 'c3', traits: { plan: 'gold' } };
    expect(await calls.pipelines('/identify', identify)).toEqual(ok);
    await calls.settled();
    const started = `SELECT count(), uniqExact(trigger_message_id) FROM journey_entries WHERE journey_id = 'recovery'`;
    expect(await calls.rows(started)).toEqual([[300, 300]]);
    expect(await calls.rows(`SELECT count() FROM journey_skips WHERE journey_id = 'recovery'`)).toEqual([
      [0],
    ]);
  },
  TEST_MS_MAX,
);

test(
  'case 23: the digits that were sent, in attributes, rules, relationships, answers, and after a merge',
  async () => {
    const [number, thirty, fraction] = [
      '9007199254740993',
      '123456789012345678901234567890',
      '0.1000000000000000055',
    ];
    for (const [id, value] of [
      ['exact', number],
      ['rounded', '9007199254740992'],
    ]) {
      const when = `{"attribute":"account_number","operator":"eq","value":${String(value)}}`;
      await define(`segments/${String(id)}`, `{"name":"S","type":"data_driven","when":${when}}`);
    }
    const traits = `{"account_number":${number},"long":${thirty},"plan":"gold"}`;
    expect(await calls.pipelines('/identify', `{"userId":"c23","traits":${traits}}`)).toEqual(ok);
    expect(await calls.track('PUT', '/v1/customers/c23b', `{"fraction":${fraction},"huge":1e400}`)).toEqual(
      ok,
    );
    const group = `{"userId":"c23","groupId":"acme","traits":{"tax":${thirty},"text":"n1","relationshipAttributes":{"no":${number}}}}`;
    expect(await calls.pipelines('/group', group)).toEqual(ok);
    expect(await calls.pipelines('/group', { userId: 'c23', groupId: 'bolt', traits: { a: '"s1' } })).toEqual(
      ok,
    );
    const sides = { primary: { id: 'c23' }, secondary: { id: 'c23b' } };
    expect(await calls.track('POST', '/v1/merge_customers', sides)).toEqual(ok);
    await calls.settled();

    const kept = `"account_number":${number},"long":${thirty},"plan":"gold","fraction":${fraction},"huge":1e400`;
    expect(await calls.rows(`SELECT attributes FROM people WHERE id = 'c23'`)).toEqual([[`{${kept}}`]]);
    expect(
      await calls.rows(
        `SELECT segment_id FROM segment_memberships WHERE person_id = (SELECT person_id FROM people WHERE id = 'c23')`,
      ),
    ).toEqual([['exact']]);
    expect(
      await calls.rows(
        'SELECT object_id, attributes, object_attributes FROM relationships ORDER BY object_id',
      ),
    ).toEqual([
      ['acme', `{"no":${number}}`, `{"tax":${thirty},"text":"n1"}`],
      ['bolt', '{}', '{"a":"\\"s1"}'],
    ]);
    expect((await calls.app('GET', '/v1/customers/c23/attributes')).body).toMatchObject({
      customer: { attributes: { account_number: exactNumber(number), fraction: exactNumber(fraction) } },
    });
    expect((await calls.app('GET', '/v1/customers/c23/relationships')).body).toMatchObject({
      cio_relationships: [
        { relationship_attributes: { no: exactNumber(number) } },
        { relationship_attributes: {} },
      ],
    });
    const found = (value: string) =>
      calls.app(
        'POST',
        '/v1/customers',
        `{"filter":{"attribute":{"field":"account_number","operator":"eq","value":${value}}}}`,
      );
    expect((await found(number)).body).toMatchObject({ ids: ['c23'] });
    expect((await found('9007199254740992')).body).toMatchObject({ ids: [] });
    const gold = { filter: { attribute: { field: 'plan', operator: 'eq', value: 'gold' } } };
    expect((await calls.app('POST', '/v1/customers', gold)).body).toMatchObject({
      ids: expect.arrayContaining(['c23']),
    });
    for (const n of [number, '9007199254740992']) {
      expect(await calls.pipelines('/track', `{"userId":"c23","event":"Numbered","messageId":${n}}`)).toEqual(
        ok,
      );
    }
    await calls.settled();
    expect(await calls.rows(`SELECT count() FROM events WHERE name = 'Numbered'`)).toEqual([[2]]);
  },
  TEST_MS_MAX,
);

test(
  'case 28: a condition finds a page by its address, by a part of its name, and without what an advertiser puts behind it',
  async () => {
    const pricing = 'https://shop.example/pricing';
    const conditions = {
      address: { type: 'page', where: [{ property: 'address', operator: 'eq', value: pricing }] },
      begins: { event: { operator: 'starts_with', value: pricing }, type: 'page' },
      contains: { event: { operator: 'contains', value: '/pricing' }, type: 'page' },
      matches: { event: { operator: 'matches', value: '^https://[a-z.]+/pricing([?#]|$)' }, type: 'page' },
      whole: { event: pricing, type: 'page' },
    };
    for (const [id, when] of Object.entries(conditions)) {
      await define(`segments/page-${id}`, { name: id, type: 'data_driven', when });
    }
    for (const [userId, url] of [
      ['c28-ad', `${pricing}?gclid=1#top`],
      ['c28-other', 'https://shop.example/prices'],
    ]) {
      expect(await calls.pipelines('/page', { userId, properties: { url } })).toEqual(ok);
      expect(
        await calls.track('POST', `/v1/customers/${String(userId)}-t/events`, { type: 'page', name: url }),
      ).toEqual(ok);
    }
    await calls.settled();
    const members = await calls.rows(
      `SELECT p.id, m.segment_id FROM segment_memberships AS m INNER JOIN people AS p ON m.person_id = p.person_id
       WHERE startsWith(m.segment_id, 'page-') ORDER BY ALL`,
    );
    const found = ['address', 'begins', 'contains', 'matches'].map((id) => `page-${id}`);
    expect(members).toEqual(['c28-ad', 'c28-ad-t'].flatMap((id) => found.map((segment) => [id, segment])));
  },
  TEST_MS_MAX,
);

test(
  'case 29: the key of a page deletes, suppresses and merges nobody by any route, until the workspace says that it may',
  async () => {
    for (const userId of ['c29', 'c29-other']) {
      expect(await calls.browser('/identify', { userId, traits: { plan: 'gold' } })).toEqual(ok);
    }
    const refused = { status: 403, body: { meta: { code: 'key_not_allowed' } } };
    const semantic = ['User Deleted', ' User Deleted ', 'User Suppressed', 'User Unsuppressed'].map(
      (event) => ({
        type: 'track',
        userId: 'c29',
        event,
      }),
    );
    const aliases = ['c29-other', 'c29-visitor'].map((previousId) => ({
      type: 'alias',
      userId: 'c29',
      previousId,
    }));
    for (const call of [...semantic, ...aliases]) {
      for (const route of [`/${call.type}`, `/${call.type.charAt(0)}`]) {
        expect(await calls.browser(route, call)).toMatchObject(refused);
      }
      expect(await calls.browser('/batch', { batch: [call] })).toMatchObject(refused);
    }
    const mixed = {
      batch: [semantic[0], { type: 'track', userId: 'c29', event: 'Look', messageId: 'c29-look' }],
    };
    expect(await calls.browser('/batch', mixed, { strict: true })).toMatchObject(refused);
    expect(await calls.browser('/batch', mixed)).toEqual(ok);
    const writeKey = stack.credentials.default.browser_key;
    const inBody = await fetch(`${stack.http}/v1/t`, {
      method: 'POST',
      body: JSON.stringify({ ...semantic[0], writeKey }),
    });
    expect(inBody.status).toBe(403);
    await calls.settled();
    const people = `SELECT id FROM people WHERE startsWith(ifNull(id, ''), 'c29') ORDER BY id`;
    expect(await calls.rows(people)).toEqual([['c29'], ['c29-other']]);
    expect(await calls.rows(`SELECT message_id FROM events WHERE name = 'Look'`)).toEqual([['c29-look']]);
    expect(await calls.rows(`SELECT count() FROM dropped WHERE reason = 'key_not_allowed'`)).toEqual([[1]]);

    const allowed = { browser_keys_may_delete: true };
    expect((await calls.app('PUT', '/v1/workspaces/default', allowed)).status).toBe(200);
    expect(await calls.browser('/track', semantic[0] ?? {})).toEqual(ok);
    expect(await calls.browser('/alias', aliases[0] ?? {})).toMatchObject(refused);
    await calls.settled();
    expect(await calls.rows(people)).toEqual([['c29-other']]);
  },
  TEST_MS_MAX,
);

type Sent = string | Uint8Array;

/** As it is given, over a socket: what no client library would send. */
async function send(method: string, path: string, headers: Record<string, string> = {}, body?: Sent) {
  const bytes = Buffer.from(body ?? '');
  const all = {
    connection: 'close',
    ...(body !== undefined && { 'content-length': String(bytes.length) }),
    ...headers,
  };
  const port = Number(new URL(stack.http).port);
  return await rawCall(port, Buffer.concat([Buffer.from(head(method, path, all)), bytes]));
}
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const asServer = () => ({ authorization: basic(`${stack.credentials.default.write_key}:`) });
const asTrack = () => {
  const { site_id, api_key } = stack.credentials.default;
  return { authorization: basic(`${site_id}:${api_key}`) };
};
const taken = async (path: string, headers: Record<string, string>, body: Sent): Promise<void> => {
  const answer = await send('POST', path, headers, body);
  expect([path, headers['content-encoding'], answer.status]).toEqual([
    path,
    headers['content-encoding'],
    200,
  ]);
};
/** Names of visitors' events, in order. */
const seenOf = (visitor: string) =>
  calls.rows(`SELECT name FROM anonymous_events WHERE anonymous_id = '${visitor}' ORDER BY name`);

test(
  'cases 9, 10, 12: what a client or a proxy puts around a body or into a path is no part of the call',
  async () => {
    const bom = '\uFEFF';
    const event = (visitor: string, name: string) => JSON.stringify({ event: name, anonymousId: visitor });
    await taken('/v1/track', asServer(), bom + event('c9', 'mark'));
    await taken('/v1/track', asServer(), Buffer.from(bom + event('c9', 'wide mark'), 'utf16le'));
    await taken('/api/v1/events', asTrack(), `${bom}{"name":"track mark","anonymous_id":"c9"}`);
    const entity = {
      type: 'person',
      action: 'identify',
      identifiers: { id: 'c9' },
      attributes: { plan: 'gold' },
    };
    await taken('/api/v2/entity', asTrack(), bom + JSON.stringify(entity));

    await taken('/v1/track/', asServer(), event('c10', 'behind'));
    await taken('//v1///track', asServer(), event('c10', 'between'));
    for (const path of ['/api/v1//customers/c10', '/api/v1/customers/c10%2Fb/', '/api/v1/customers/c10%2F']) {
      expect((await send('PUT', path, asTrack(), '{}')).status).toBe(200);
    }

    const packed = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
    for (const [encoding, pack] of Object.entries(packed)) {
      await taken('/v1/track', { ...asServer(), 'content-encoding': encoding }, pack(event('c12', encoding)));
      const inflated = event('c12', `${encoding}, inflated`);
      await taken('/v1/track', { ...asServer(), 'content-encoding': encoding }, inflated);
    }
    const raw = deflateRawSync(event('c12', 'raw deflate'));
    await taken('/v1/track', { ...asServer(), 'content-encoding': 'deflate' }, raw);
    const unknown = await send('POST', '/v1/track', { ...asServer(), 'content-encoding': 'zstd' }, '{}');
    expect(unknown.status).toBe(415);
    await calls.settled();

    expect(await seenOf('c9')).toEqual([['mark'], ['track mark'], ['wide mark']]);
    expect(await calls.rows(`SELECT attributes FROM people WHERE id = 'c9'`)).toEqual([['{"plan":"gold"}']]);
    expect(await seenOf('c10')).toEqual([['behind'], ['between']]);
    const people = `SELECT id FROM people WHERE startsWith(ifNull(id, ''), 'c10') ORDER BY id`;
    expect(await calls.rows(people)).toEqual([['c10'], ['c10/'], ['c10/b']]);
    const names = Object.keys(packed).flatMap((encoding) => [encoding, `${encoding}, inflated`]);
    expect(await seenOf('c12')).toEqual([...names, 'raw deflate'].toSorted().map((name) => [name]));
  },
  TEST_MS_MAX,
);

test(
  'cases 11, 26, 30: a page may ask for what its tools add, its key counts in the body, and no method is 500',
  async () => {
    const asked = 'baggage,content-type,sentry-trace';
    for (const path of ['/v1/t', '/v1/i', '/api/v1/customers/x']) {
      const answer = await send('OPTIONS', path, {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked,
      });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, '*']);
      expect(answer.headers['access-control-allow-headers']?.split(/, ?/)).toEqual(asked.split(','));
      expect(answer.headers['vary']?.toLowerCase()).toContain('access-control-request-headers');
    }

    const writeKey = stack.credentials.default.browser_key;
    const staff = { authorization: basic('staff:secret') };
    await taken('/v1/t', staff, JSON.stringify({ event: 'riding', anonymousId: 'c26', writeKey }));
    const beacon = { type: 'track', event: 'beacon', anonymousId: 'c26' };
    await taken('/v1/b', staff, JSON.stringify({ batch: [beacon], writeKey }));
    const wrong = JSON.stringify({ event: 'wrong', anonymousId: 'c26', writeKey: 'none' });
    expect((await send('POST', '/v1/t', staff, wrong)).status).toBe(401);
    expect((await send('POST', '/v1/track', staff, wrong)).status).toBe(401);

    for (const method of ['QUERY', 'PROPFIND', 'TRACE', 'SEARCH', 'PATCH']) {
      for (const path of [
        '/v1/track',
        '/api/v1/customers/1',
        '/v1/definitions/segments/a',
        '/nowhere',
        '/',
      ]) {
        const answer = await send(method, path, asServer());
        expect([method, path, answer.status >= 400 && answer.status < 500]).toEqual([method, path, true]);
        expect(JSON.parse(answer.body)).toHaveProperty('meta.error');
      }
    }
    await calls.settled();
    expect(await seenOf('c26')).toEqual([['beacon'], ['riding']]);
  },
  TEST_MS_MAX,
);

test(
  'a workspace over its quota is told so, sees it, goes on when it is raised, and what was kept is whole',
  async () => {
    const quotas = async (day_bytes: number | null) => {
      expect((await calls.app('PUT', '/v1/workspaces/default', { quotas: { day_bytes } })).status).toBe(200);
    };
    const usage = async () => (await calls.app('GET', '/v1/usage')).body;
    const bring = (name: string) => calls.pipelines('/track', { anonymousId: 'quota', event: name });
    await quotas(1);
    expect(await bring('over')).toMatchObject({
      status: 429,
      body: { meta: { code: 'workspace_over_quota' } },
    });
    expect(await usage()).toMatchObject({ over_quota: true, brought: { day: { quota_bytes: 1 } } });
    // Another workspace of the same installation does not notice.
    const sample = new StackCalls(stack, stack.credentials.sample);
    expect(await sample.pipelines('/track', { anonymousId: 'quota', event: 'elsewhere' })).toEqual(ok);
    // Nor does a restart make a new day of it.
    await stack.restart('gateway');
    expect((await bring('over')).status).toBe(429);
    await quotas(null);
    expect(await bring('under')).toEqual(ok);
    await calls.settled();
    expect(await usage()).toMatchObject({ over_quota: false });
    expect(await seenOf('quota')).toEqual([['elsewhere'], ['under']]);
    // The gateway that stopped wrote how often it had said no, in one row.
    const rows = `SELECT count(), sum(JSONExtractInt(assumeNotNull(detail), 'calls')) FROM dropped WHERE reason = 'workspace_over_quota'`;
    expect(await calls.rows(rows)).toEqual([[1, 1]]);
  },
  TEST_MS_MAX,
);
