/** Whoever watches the door sees each call and how it was answered, of their own workspace alone; nobody waits for them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { toWorkspace } from '../../schemas/ids.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Sighting } from '../runtime/sighting.ts';
import { listen, head } from '../testing/raw-connection.ts';
import {
  adminKey,
  appAuth,
  appKey,
  pipelinesAuth,
  testServer,
  trackAuth,
  workspace,
  writeKey,
  type TestServer,
} from '../testing/gateway-server.ts';
import {
  LiveCalls,
  readersPerWorkspaceMax,
  recentCallsMax,
  recentWorkspacesMax,
  toldPerSecondMax,
} from './live/live-calls.ts';
import { RefusalCounts } from './live/refusal-counts.ts';

let under: TestServer;
let url: string;
const following = new AbortController();
beforeEach(async () => {
  under = testServer({ liveReaderBytesMax: 64 * 1_024 });
  url = `http://127.0.0.1:${String(await listen(under.server))}`;
});
afterEach(() => under.server.close());

type Told = Readonly<Record<string, unknown>>;
interface Reader {
  readonly status: number;
  /** Waits for so many calls. */
  next(count: number): Promise<readonly Told[]>;
  readonly text: () => string;
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
}

async function follow(query = '', authorization = appAuth): Promise<Reader> {
  const response = await fetch(`${url}/v1/live${query}`, {
    headers: { authorization },
    signal: following.signal,
  });
  let text = '';
  const ended = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  })();
  const calls = () =>
    [...text.matchAll(/^event: call\ndata: (.*)\n\n/gm)].map((match) => JSON.parse(match[1] ?? '') as Told);
  const next = async (count: number) => {
    while (calls().length < count) await sleep(2);
    return calls();
  };
  return { status: response.status, next, text: () => text, ended };
}

const post = (path: string, payload: object, authorization = pipelinesAuth) =>
  under.server.inject({ method: 'POST', url: path, payload, headers: { authorization } });
const event = (anonymousId: string, rest: object = {}) => ({ event: 'Added to Cart', anonymousId, ...rest });

describe('GET /v1/live', () => {
  test('tells each call, how it was answered and why', async () => {
    const reader = await follow();
    await post('/v1/track', event('a', { messageId: 'm1' }));
    await post('/v1/identify', { userId: 'ada', anonymousId: 'a', traits: { email: ' Ada@Mail.example ' } });
    await post('/v1/track', { anonymousId: 'a' });
    await post('/api/v1/events', { name: '' }, trackAuth);
    const broken = { type: 'person', identifiers: {}, action: 'event', name: 'x' };
    await post('/api/v2/batch', { batch: [{ ...broken, identifiers: { id: '1' } }, broken] }, trackAuth);
    under.sent.fault = new CodedError('log_overloaded', 'could not take more');
    await post('/v1/track', event('b'));
    under.sent.fault = undefined;
    await under.definitions.put('workspace', workspace, workspace, {
      body: { rate_limits: { key_calls: { per_second: 0.001 } } },
    });
    await post('/v1/track', event('c'));
    await post('/v1/track', event('c'));
    const told = await reader.next(9);
    expect(told.map(({ route, status, answered, reason }) => [route, status, answered, reason])).toEqual([
      ['POST /v1/track', 200, 'ok', null],
      ['POST /v1/identify', 200, 'corrected', 'corrected'],
      ['POST /v1/track', 200, 'dropped', 'invalid_call'],
      ['POST /api/v1/events', 400, 'dropped', 'invalid_call'],
      ['POST /api/v2/batch', 207, 'ok', null],
      ['POST /api/v2/batch', 207, 'dropped', 'invalid_call'],
      ['POST /v1/track', 503, 'retry', 'log_overloaded'],
      ['POST /v1/track', 200, 'ok', null],
      ['POST /v1/track', 429, 'limited', 'rate_limited'],
    ]);
    expect(told[0]).toMatchObject({
      type: 'event',
      name: 'Added to Cart',
      message_id: 'm1',
      anonymous_id: 'a',
      key: expect.stringMatching(/^key_[0-9a-f]{16}$/),
    });
    expect(told[1]).toMatchObject({ identifier: 'ada' });
    expect(told[1]?.['message']).toMatch(/^traits\.email: canonical_form\. A name/);
  });

  test('no secret is in it, nor what was sent', async () => {
    const reader = await follow();
    await post('/v1/t', { ...event('a'), writeKey, properties: { card: '4111-1111' } }, '');
    await post('/v1/track', event('a', { properties: { card: '4111-1111' } }), `Basic ${'x'.repeat(20)}`);
    await post('/v1/track', event('b', { properties: { card: '4111-1111' } }));
    await reader.next(2);
    for (const secret of [writeKey, appKey, '4111', 'Basic']) expect(reader.text()).not.toContain(secret);
  });

  test('is filtered by visitor, person, key and answer, for the past as for what comes', async () => {
    await post('/v1/track', event('a'));
    await post('/v1/track', event('b'));
    await post('/v1/identify', { userId: 'ada', anonymousId: 'a' });
    const [visitor, person, answered] = [
      await follow('?visitor=a'),
      await follow('?person=ada'),
      await follow('?answered=dropped'),
    ];
    await post('/v1/track', { anonymousId: 'a' });
    await post('/v1/track', event('b'));
    await post('/v1/track', event('a'));
    const [first] = await visitor.next(4);
    await person.next(1);
    await answered.next(1);
    const byKey = await follow(`?key=${String(first?.['key'])}&visitor=b`);
    expect(await byKey.next(2)).toMatchObject([{ anonymous_id: 'b' }, { anonymous_id: 'b' }]);
    expect(await visitor.next(4)).toMatchObject(Array.from({ length: 4 }, () => ({ anonymous_id: 'a' })));
    expect(await person.next(1)).toMatchObject([{ identifier: 'ada' }]);
    expect(await answered.next(1)).toMatchObject([{ answered: 'dropped' }]);
    expect((await follow('?answered=fine')).status).toBe(400);
    expect((await follow('?key=a&key=b')).status).toBe(400);
  });

  test('a write key, a track key and nobody are 401; the admin names a workspace', async () => {
    for (const authorization of [pipelinesAuth, trackAuth, `Bearer ${writeKey}`, '']) {
      expect((await follow('', authorization)).status).toBe(401);
    }
    expect((await follow('?workspace=other')).status).toBe(401);
    expect((await follow('', `Bearer ${adminKey}`)).status).toBe(401);
    expect((await follow('?workspace=shop', `Bearer ${adminKey}`)).status).toBe(200);
  });

  test('one more reader than there may be is 429', async () => {
    for (let count = 0; count < readersPerWorkspaceMax; count++) expect((await follow()).status).toBe(200);
    expect((await follow()).status).toBe(429);
  });

  test('a server that stops ends its readers', async () => {
    const reader = await follow();
    await under.server.close();
    await reader.ended;
    expect(reader.text()).toContain('"stopping"');
  });

  test('a reader who does not read is cut off with a record, and ingest answers all the while', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(head('GET', '/v1/live', { authorization: appAuth }));
    while (under.live.readers === 0) await sleep(2);
    socket.pause();
    const batch = Array.from({ length: 400 }, (_, at) => ({
      type: 'track',
      ...event(`${'v'.repeat(100)}${String(at)}`),
    }));
    while (under.live.readers > 0) {
      expect((await post('/v1/batch', { batch })).statusCode).toBe(200);
      await sleep(1);
    }
    const answer = await under.server.inject({ url: '/v1/refusals', headers: { authorization: appAuth } });
    expect(answer.json()).toMatchObject({ refusals: [{ reason: 'live_reader_cut', count: 1 }] });
    expect(under.logged.map(({ fields }) => fields['code'])).toContain('live_reader_cut');
    socket.destroy();
  });
});

describe('GET /v1/refusals', () => {
  const ask = async (query = '', authorization = appAuth) =>
    (await under.server.inject({ url: `/v1/refusals${query}`, headers: { authorization } })).json<{
      refusals: readonly Told[];
    }>().refusals;

  test('counts what was not taken by key and reason, with the last of each', async () => {
    for (const anonymousId of ['a', 'b', 'c']) await post('/v1/track', { anonymousId });
    await post('/v1/track', event('d'));
    await post('/api/v1/events', { name: '' }, trackAuth);
    const refusals = await ask();
    expect(refusals.map(({ reason, count }) => [reason, count]).sort()).toEqual([
      ['invalid_call', 1],
      ['invalid_call', 3],
    ]);
    expect(refusals.find(({ count }) => count === 3)).toMatchObject({ last: { anonymous_id: 'c' } });
  });

  test('callers who are not known are counted for the admin, and for nobody else', async () => {
    await post('/v1/track', event('a'), 'Basic eDo=');
    expect(await ask()).toEqual([]);
    const answer = await under.server.inject({ url: '/v1/refusals', headers: { authorization: appAuth } });
    expect(answer.json()).toMatchObject({ unknown_key_calls_last_hour: 1 });
    expect(await ask('', `Bearer ${adminKey}`)).toMatchObject([
      { reason: 'unauthorized', count: 1, key: null },
    ]);
  });
});

describe('bounds of what is kept', () => {
  const sighting: Sighting = {
    at: 1,
    workspace: toWorkspace('shop'),
    key: 'key_1',
    route: 'POST /v1/track',
    status: 200,
    answered: 'ok',
    reason: null,
    message: null,
    type: 'event',
    name: null,
    messageId: null,
    anonymousId: null,
    identifier: null,
  };
  const all = { key: undefined, visitor: undefined, person: undefined, answered: undefined };

  test('the last calls only, and of one request no more than its share', () => {
    const live = new LiveCalls({ refusals: new RefusalCounts() });
    live.saw(Array.from({ length: recentCallsMax }, () => sighting));
    expect(live.recent(toWorkspace('shop'), all)).toHaveLength(100);
    for (let at = 0; at < 2 * recentCallsMax; at++) live.saw([{ ...sighting, at }]);
    const recent = live.recent(toWorkspace('shop'), all);
    expect(recent).toHaveLength(recentCallsMax);
    expect(recent.at(-1)).toContain(new Date(2 * recentCallsMax - 1).toISOString());
    expect(live.recent(toWorkspace('other'), all)).toEqual([]);
  });

  test('a loud workspace pushes out no other’s last calls, and of too many whoever was heard longest ago goes', () => {
    const live = new LiveCalls({ refusals: new RefusalCounts() });
    const heard = (name: string) => live.recent(toWorkspace(name), all).length;
    live.saw([sighting]);
    for (let at = 0; at < 3 * recentCallsMax; at++)
      live.saw([{ ...sighting, workspace: toWorkspace('loud') }]);
    expect([heard('shop'), heard('loud')]).toEqual([1, recentCallsMax]);
    live.saw([sighting]);
    for (let at = 1; at < recentWorkspacesMax; at++) {
      live.saw([{ ...sighting, workspace: toWorkspace(`w${String(at)}`) }]);
    }
    expect([heard('shop'), heard('loud'), heard('w1')]).toEqual([2, 0, 1]);
  });

  test('a reader is told so many a second; the rest is counted', () => {
    let nowMs = 0;
    const live = new LiveCalls({ refusals: new RefusalCounts(), monotonicMs: () => nowMs });
    const told: string[] = [];
    const skipped: number[] = [];
    live.follow(toWorkspace('shop'), all, {
      call: (text) => void told.push(text),
      skipped: (count) => void skipped.push(count),
    });
    live.saw(Array.from({ length: toldPerSecondMax + 7 }, () => sighting));
    expect([told.length, skipped]).toEqual([toldPerSecondMax, []]);
    nowMs = 1_000;
    live.saw([sighting]);
    expect([told.length, skipped]).toEqual([toldPerSecondMax + 1, [7]]);
  });
});
