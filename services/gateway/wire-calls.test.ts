import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appAuth, pipelinesAuth, testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';
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
});
