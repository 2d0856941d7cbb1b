import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  appAuth,
  browserAuth,
  pipelinesAuth,
  testServer,
  trackAuth,
  type TestServer,
} from '../testing/gateway-server.ts';
import { batchBytesMax, batchCallsMax } from '../../schemas/http/limits.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const post = (url: string, payload: object | string, headers: Record<string, string> = {}) => {
  const authorization = url.startsWith('/api/') ? trackAuth : pipelinesAuth;
  return under.server.inject({ method: 'POST', url, payload, headers: { authorization, ...headers } });
};
const strict = { 'x-strict-mode': '1' };
const names = () => under.sent.events.map(({ value }) => value.name);
const reasons = () => under.sent.dropped.map(({ value }) => value.reason);

describe('who calls, as the user agent says', () => {
  const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
  const event = { anonymousId: 'a', event: 'x' };
  const marks = () => under.sent.events.map(({ value }) => [value.bot, value.waits]);
  const put = (settings: object) =>
    under.server.inject({
      method: 'PUT',
      url: '/v1/workspaces/shop',
      payload: settings,
      headers: { authorization: appAuth },
    });

  test('a browser’s header counts, a server’s is its library’s and does not, by its route or its key; a batch’s context is its calls’', async () => {
    await post('/v1/t', event, { authorization: browserAuth, 'user-agent': GOOGLEBOT });
    await post('/v1/t', event, { 'user-agent': 'curl/8.9.1' });
    await post('/v1/track', event, { 'user-agent': GOOGLEBOT });
    const context = { userAgent: GOOGLEBOT };
    await post('/v1/batch', { context, batch: [{ type: 'track', ...event }] });
    expect(marks()).toEqual([
      [true, true],
      [false, true],
      [false, true],
      [true, true],
    ]);
  });

  test('with bot_events_wait off it is marked as waiting for nobody', async () => {
    expect((await put({ bot_events_wait: false })).statusCode).toBe(200);
    await post('/v1/t', event, { authorization: browserAuth, 'user-agent': GOOGLEBOT });
    await post('/v1/t', event, { authorization: browserAuth, 'user-agent': 'Mozilla/5.0' });
    expect(marks()[0]).toEqual([true, false]);
  });
});

describe('Pipelines, permissive and strict (spec A.3)', () => {
  const bad = { type: 'track', anonymousId: 'a', messageId: 'm1' };
  const good = { type: 'track', anonymousId: 'a', event: 'x', messageId: 'm2' };

  test('permissive: a call that breaks a rule is 200 and a row that says why', async () => {
    expect((await post('/v1/track', bad)).body).toBe('{}\n');
    expect(under.sent.dropped).toHaveLength(1);
    expect(under.sent.dropped[0]).toMatchObject({
      key: 'shop:a:a',
      value: {
        workspace: 'shop',
        reason: 'invalid_call',
        stage: 'ingest',
        message_id: 'm1',
        anonymous_id: 'a',
      },
    });
    expect(JSON.parse(under.sent.dropped[0]?.value.detail ?? '')).toMatchObject({
      source: 'pipelines.track',
      message: 'event name must not be blank',
    });
  });

  test('strict: the same call is 400 and leaves no row', async () => {
    const answer = await post('/v1/track', bad, strict);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ meta: { error: 'event name must not be blank' } });
    expect(under.sent.dropped).toHaveLength(0);
  });

  test('permissive: the good calls of a batch are taken', async () => {
    expect((await post('/v1/batch', { batch: [good, bad, 7, good] })).statusCode).toBe(200);
    expect(names()).toEqual(['x', 'x']);
    expect(reasons()).toEqual(['invalid_call', 'invalid_call']);
  });

  test('strict: nothing of a batch with a bad call is taken, and every fault is named', async () => {
    const answer = await post('/v1/batch', { batch: [good, bad, 7] }, strict);
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ meta: { errors: string[] } }>().meta.errors).toHaveLength(2);
    expect(under.sent.events).toHaveLength(0);
  });

  test('an identify with only an anonymousId is 200 in both modes, and a row', async () => {
    for (const headers of [{}, strict]) {
      expect((await post('/v1/identify', { anonymousId: 'a' }, headers)).statusCode).toBe(200);
    }
    expect(reasons()).toEqual(['identify_without_identifier', 'identify_without_identifier']);
    expect(under.sent.events).toHaveLength(0);
  });

  test('a batch over 500 KB or with too many calls is dropped whole, or 400 in strict mode', async () => {
    const large = { batch: [{ ...good, properties: {} }], pad: 'x'.repeat(batchBytesMax) };
    const many = { batch: Array.from({ length: batchCallsMax + 1 }, () => 0) };
    for (const body of [large, many]) {
      expect((await post('/v1/batch', body)).statusCode).toBe(200);
      expect((await post('/v1/batch', body, strict)).statusCode).toBe(400);
    }
    expect(reasons()).toEqual(['limit_exceeded', 'limit_exceeded']);
    expect(under.sent.events).toHaveLength(0);
  });

  test.each([
    ['over 32 kB', 1, 40_000],
    ['over 8 MB in all its calls', 9_000, 1_000],
  ])(
    'a context of a batch that is %s is left out with a row, or 400 in strict mode',
    async (_, calls, bytes) => {
      const call = { type: 'track', anonymousId: 'a', event: 'x' };
      const body = { batch: Array.from({ length: calls }, () => call), context: { pad: 'x'.repeat(bytes) } };
      const refusal = await post('/v1/batch', body, strict);
      expect(refusal.statusCode).toBe(400);
      expect(under.sent.events).toHaveLength(0);
      expect((await post('/v1/batch', body)).statusCode).toBe(200);
      expect(under.sent.events).toHaveLength(calls);
      expect(under.sent.events[0]?.value.context).toBeNull();
      expect(reasons()).toEqual(['limit_exceeded']);
      expect(JSON.parse(under.sent.dropped[0]?.value.detail ?? '')).toMatchObject({ field: 'context' });
    },
  );

  test('a body that is not JSON is a row, or 400 in strict mode', async () => {
    const json = { 'content-type': 'application/json' };
    expect((await post('/v1/track', '{', json)).statusCode).toBe(200);
    expect((await post('/v1/track', '{', { ...json, ...strict })).statusCode).toBe(400);
    expect(reasons()).toEqual(['invalid_call']);
  });

  test('an empty batch is nothing to do', async () => {
    expect((await post('/v1/batch', { batch: [] })).body).toBe('{}\n');
  });
});

describe('lanes and order', () => {
  test('the key is the anonymous id, else the identifier in its canonical form, else the message id', async () => {
    await post('/v1/track', { userId: 'A@b.c', anonymousId: 'a', event: 'x' });
    await post('/v1/track', { userId: 'A@B.c', event: 'x' });
    await post('/v1/track', { userId: 'cio_1', event: 'x' });
    await post('/api/v1/events', { name: 'invite', id: 'm', data: { recipient: 'x@y.z' } });
    expect(under.sent.events.map(({ key }) => key)).toEqual([
      'shop:a:a',
      'shop:e:a@b.c',
      'shop:c:cio_1',
      'shop:n:m',
    ]);
  });

  test('events go out in the order of the batch', async () => {
    const batch = Array.from({ length: 50 }, (_, index) => ({
      type: 'track',
      anonymousId: 'a',
      event: `e${String(index)}`,
    }));
    await post('/v1/batch', { batch });
    expect(names()).toEqual(batch.map(({ event }) => event));
  });

  test('a control call in a batch covers what stands before it and precedes what stands behind it', async () => {
    const { sent } = under;
    under.ends.eventsCollected = [0, 0, 0];
    const send = sent.send.bind(sent);
    sent.send = async (...record) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return send(...record);
    };
    const event = { type: 'track', userId: '1', event: 'x' };
    await post('/v1/batch', { batch: [event, event, { ...event, event: 'User Deleted' }, event] });
    const events = ['eventsCollected', 'eventsCollected'];
    const control = ['marker', 'marker', 'marker', 'identityRequests'];
    expect(sent.order).toEqual([...events, ...control, 'eventsCollected']);
    // One past its marker in each partition.
    expect(sent.requests[0]?.value).toMatchObject({ kind: 'delete', positions: [3, 4, 5] });
    const number = String(sent.requests[0]?.value.request_number);
    expect(sent.markers).toEqual([0, 1, 2].map((partition) => [partition, number]));
  });

  test('a call that is sent again has markers of its own', async () => {
    const { sent } = under;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await post('/v1/track', { userId: '1', event: 'User Deleted', messageId: 'm' });
    }
    expect(new Set(sent.markers.map(([, number]) => number)).size).toBe(2);
  });
});

describe('Track v2 (spec A.2)', () => {
  const good = { type: 'person', action: 'event', identifiers: { id: '1' }, name: 'x' };
  const bad = { type: 'person', action: 'event', identifiers: { id: '1' } };

  test('200 when all are taken, 207 when some are, 400 when none is', async () => {
    expect((await post('/api/v2/batch', { batch: [good, good] })).body).toBe('{}\n');
    const some = await post('/api/v2/batch', { batch: [good, bad] });
    expect(some.statusCode).toBe(207);
    expect(some.json()).toEqual({
      errors: [{ batch_index: 1, reason: 'invalid', field: 'name', message: 'event name must not be blank' }],
    });
    expect((await post('/api/v2/batch', { batch: [bad] })).statusCode).toBe(400);
    expect((await post('/api/v2/batch', { batch: good })).statusCode).toBe(400);
    expect(names()).toEqual(['x', 'x', 'x']);
  });

  test('an entity that breaks a rule is 400 with reason, field and message', async () => {
    const answer = await post('/api/v2/entity', bad);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({
      errors: [{ reason: 'invalid', field: 'name', message: 'event name must not be blank' }],
    });
  });
});

describe('envelopes of Track v1 (spec A.0)', () => {
  test('events answer meta.errors, merges and identifies meta.error', async () => {
    const event = await post('/api/v1/events', {});
    const merge = await post('/api/v1/merge_customers', {});
    expect(event.json()).toEqual({ meta: { errors: ['event name must not be blank'] } });
    expect(merge.json()).toEqual({ meta: { error: 'primary must be an object' } });
  });
});

describe('an event that would be no record of the log', () => {
  const put = (attributes: object) =>
    under.server.inject({
      method: 'PUT',
      url: '/api/v1/customers/1',
      payload: attributes,
      headers: { authorization: trackAuth },
    });
  const attributes = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${String(at)}`, '\u0001'.repeat(1_000)]));
  const relationships = (count: number) => ({
    cio_relationships: {
      action: 'add_relationships',
      relationships: Array.from({ length: count }, () => ({ identifiers: { object_id: '1' } })),
    },
  });

  test('is refused, by its bytes as they are kept, and what is within every documented limit is not', async () => {
    expect((await put(attributes(140))).statusCode).toBe(200);
    const answer = await put(attributes(170));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({
      meta: { error: expect.stringMatching(/^an event cannot be larger than 980000 bytes: it has \d+$/) },
    });
    expect(under.sent.events).toHaveLength(1);
  });

  test('nor does a list of relationships grow past it on its way', async () => {
    expect((await put(relationships(5_000))).statusCode).toBe(200);
    expect((await put(relationships(26_000))).statusCode).toBe(400);
  });
});

describe('POST /v1/people/{id}/split', () => {
  const split = (payload: object) =>
    under.server.inject({
      method: 'POST',
      url: '/v1/people/cio_1/split',
      payload,
      headers: { authorization: appAuth },
    });

  test('is a control call with all that it says', async () => {
    const body = {
      anonymous_ids: ['a'],
      identifiers: ['b@c.d', { kind: 'id', value: '7' }],
      by: 'Ann',
      why: 'shared',
    };
    expect((await split(body)).statusCode).toBe(200);
    const request = under.sent.requests[0]?.value;
    expect(request).toMatchObject({
      kind: 'split',
      identifier_kind: 'cio_id',
      identifier: 'cio_1',
      positions: [1],
    });
    expect(JSON.parse(request?.detail ?? '')).toEqual({
      ...body,
      identifiers: [
        { kind: 'email', value: 'b@c.d' },
        { kind: 'id', value: '7' },
      ],
      into: null,
    });
  });

  test.each([
    [{ by: 'Ann', why: 'x' }],
    [{ anonymous_ids: ['a'], why: 'x' }],
    [{ anonymous_ids: ['a'], by: 'Ann' }],
    [{ anonymous_ids: ['a'], by: 'Ann', why: 'x', other: 1 }],
  ])('must name something, who asks and why: %j', async (body) => {
    expect((await split(body)).statusCode).toBe(400);
    expect(under.sent.requests).toHaveLength(0);
  });

  /** Bytes count after normalisation, so a letter that grows in lower case is measured as it is kept. */
  const grows = `${'Ⱥ'.repeat(70)}@b.example`;
  const ok = { anonymous_ids: ['a'], by: 'Ann', why: 'x' };
  test.each<[string, string, object]>([
    ['/why', 'limit_exceeded', { ...ok, why: 'é'.repeat(501) }],
    ['/by', 'limit_exceeded', { ...ok, by: 'x'.repeat(1_001) }],
    ['/into', 'limit_exceeded', { ...ok, into: 'é'.repeat(76) }],
    ['/into', 'limit_exceeded', { ...ok, into: grows }],
    ['/into', 'identifier_illegal', { ...ok, into: 'a\0' }],
    ['/anonymous_ids/1', 'limit_exceeded', { ...ok, anonymous_ids: ['a', 'x'.repeat(151)] }],
    ['/anonymous_ids/0', 'identifier_illegal', { ...ok, anonymous_ids: ['\ud800'] }],
    ['/identifiers/0', 'limit_exceeded', { ...ok, identifiers: ['x'.repeat(151)] }],
    [
      '/identifiers/1/value',
      'limit_exceeded',
      { ...ok, identifiers: ['a', { kind: 'email', value: grows }] },
    ],
    ['/identifiers/0/value', 'invalid_call', { ...ok, identifiers: [{ kind: 'id', value: '' }] }],
    ['/anonymous_ids', 'invalid_call', { ...ok, anonymous_ids: Array(1_001).fill('a') }],
    ['/identifiers', 'invalid_call', { ...ok, identifiers: Array(101).fill('a') }],
    ['/why', 'invalid_call', { ...ok, why: 7 }],
    ['/by', 'invalid_call', { anonymous_ids: ['a'], why: 'x' }],
    [
      '',
      'limit_exceeded',
      { ...ok, anonymous_ids: Array.from({ length: 1_000 }, () => '\u0001'.repeat(150)) },
    ],
  ])('security 4: %s is refused as %s, with its pointer', async (pointer, code, body) => {
    const answer = await split(body);
    expect(answer.statusCode).toBe(400);
    const { errors } = answer.json<{ errors: { pointer: string; code: string; message: string }[] }>();
    expect(errors[0]).toMatchObject({ pointer, code });
    expect(errors[0]?.message).not.toBe('');
    expect(under.sent.requests).toHaveLength(0);
  });

  test('the path is measured as it is kept, and its fault names no member', async () => {
    const url = `/v1/people/${encodeURIComponent(grows)}/split`;
    const headers = { authorization: appAuth };
    const answer = await under.server.inject({ method: 'POST', url, payload: ok, headers });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '', code: 'limit_exceeded' }] });
  });

  test('what is at its limits is taken', async () => {
    const body = {
      anonymous_ids: Array.from({ length: 1_000 }, (_, at) => String(at).padEnd(150, 'x')),
      identifiers: ['é'.repeat(75)],
      into: 'x'.repeat(150),
      by: 'x'.repeat(1_000),
      why: 'é'.repeat(500),
    };
    expect((await split(body)).statusCode).toBe(200);
  });
});
