/** What is told of a call that was not taken as it was sent: which one of a batch it was, what it was called, how large it was. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { correctionCodes } from '../../schemas/correction-codes.ts';
import {
  pipelinesAuth,
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

const everything = { key: undefined, visitor: undefined, person: undefined, answered: undefined };
type Told = Readonly<Record<string, unknown>>;
const told = () => under.live.recent(workspace, everything).map((text) => JSON.parse(text) as Told);
const rows = () =>
  under.sent.dropped.map(
    ({ value }) => JSON.parse(value.detail ?? '{}') as Readonly<Record<string, unknown>>,
  );

function post(url: string, payload: object, headers: Readonly<Record<string, string>> = {}) {
  const authorization = url.startsWith('/api/') ? trackAuth : pipelinesAuth;
  return under.server.inject({ method: 'POST', url, payload, headers: { authorization, ...headers } });
}
const strict = { 'x-strict-mode': '1' };
const good = { type: 'track', anonymousId: 'v', event: 'Look' };

describe('a batch says which of its calls it is about', () => {
  test('strict mode refuses it whole, and names the call', async () => {
    const one = await post('/v1/batch', { batch: [good, good, { ...good, event: ' ' }] }, strict);
    expect(one.statusCode).toBe(400);
    expect(one.json()).toEqual({
      meta: { error: 'batch[2]: event name must not be blank', batch_indexes: [2] },
    });
    const batch = [{ ...good, event: '' }, good, 7, { ...good, type: 'wish' }];
    const three = await post('/v1/batch', { batch }, strict);
    expect(three.json()).toEqual({
      meta: {
        errors: [
          'batch[0]: event name must not be blank',
          'batch[2]: a call must be an object',
          'batch[3]: type wish is not known: it is one of identify, track, page, screen, alias, group',
        ],
        batch_indexes: [0, 2, 3],
      },
    });
    expect(under.sent.events).toEqual([]);
    expect(told()[0]).toMatchObject({ status: 400, message: 'batch[2]: event name must not be blank' });
  });

  test('a single call is answered as ever', async () => {
    const answer = await post('/v1/track', { anonymousId: 'v' }, strict);
    expect(answer.json()).toEqual({ meta: { error: 'event name must not be blank' } });
  });

  test('permissive: in what watchers are told and in the row', async () => {
    const batch = [good, { type: 'track', event: 'Look', userId: 'undefined', messageId: 'm1' }];
    expect((await post('/v1/batch', { batch })).statusCode).toBe(200);
    expect(told()).toMatchObject([
      { answered: 'ok' },
      { answered: 'dropped', type: 'track', name: 'Look', message_id: 'm1' },
    ]);
    expect(told()[1]?.['message']).toMatch(/^batch\[1\]: .*undefined is a placeholder/);
    expect(rows()).toMatchObject([{ type: 'track', name: 'Look', batch_index: 1, field: 'userId' }]);
  });

  test('Track v2 likewise', async () => {
    const bad = { type: 'person', action: 'event', identifiers: { id: '42' }, name: '' };
    const answer = await post('/api/v2/batch', { batch: [{ ...bad, name: 'Look' }, bad] });
    expect(answer.statusCode).toBe(207);
    expect(told()).toMatchObject([
      { answered: 'ok' },
      {
        answered: 'dropped',
        type: 'event',
        identifier: '42',
        message: 'batch[1]: event name must not be blank',
      },
    ]);
  });
});

describe('what a refused call was', () => {
  test('Track: who and what, by path and body', async () => {
    await under.server.inject({
      method: 'PUT',
      url: '/api/v1/customers/undefined',
      payload: { plan: 'gold' },
      headers: { authorization: trackAuth },
    });
    await post('/api/v1/events', { name: '', anonymous_id: 'v' });
    expect(told()).toMatchObject([
      { status: 400, reason: 'identifier_illegal', type: 'identify', identifier: 'undefined' },
      { status: 400, reason: 'invalid_call', type: 'anonymous_event', anonymous_id: 'v' },
    ]);
  });

  test('who, where it is answered 200 or cannot be kept for its size: it is found by them, and its row has them', async () => {
    const large = { userId: 'wes-1', event: 'Look', properties: { x: 'x'.repeat(40_000) } };
    await post('/v1/track', { userId: 'wes-1', event: ' ' });
    await post('/v1/track', large);
    await post('/v1/batch', { batch: [{ ...large, type: 'track', anonymousId: 'v' }] });
    await post('/v1/identify', { traits: 7, userId: 'wes-1', type: 'wish' }, strict);
    await post('/v1/track', { userId: 'other', event: '' });
    const ofWes = { ...everything, person: 'wes-1', answered: 'dropped' } as const;
    const found = under.live.recent(workspace, ofWes).map((text) => JSON.parse(text) as Told);
    expect(found.map(({ status }) => status)).toEqual([200, 200, 200, 400]);
    expect(rows().map(({ identifier }) => identifier)).toEqual(['wes-1', 'wes-1', 'wes-1', 'other']);
  });

  test('a call whose traits alone name somebody is found by the email', async () => {
    await post('/v1/page', { userId: ' ', traits: { email: 'ada@shop.example' } });
    expect(told()).toMatchObject([{ answered: 'dropped', identifier: 'ada@shop.example' }]);
  });

  test('a name that the other API has is said not to be read', async () => {
    const named = async (payload: object) => (await post('/v1/track', payload, strict)).json<unknown>();
    expect(await named({ userId: '1', name: 'Look' })).toEqual({
      meta: { error: 'event name must not be blank: it has name, and Pipelines has it in event' },
    });
    expect(await named({ user_id: '1', event: 'Look' })).toEqual({
      meta: { error: 'userId or anonymousId must be present; user_id is not read' },
    });
    await post('/v1/track', { userId: '1', event: '' });
    expect(rows()).toMatchObject([{ field: 'event' }]);
  });

  test('what is taken and may not have been meant is told, and is ok: nobody’s event, an id that looks like an email', async () => {
    await post('/api/v1/events', { name: 'Look', anonymous_id: '' });
    await post('/api/v1/events', { name: 'Look', anonymous_id: 'v' });
    const headers = { authorization: trackAuth };
    for (const path of ['grace@shop,example', 'grace@mail.example', 'grace']) {
      const url = `/api/v1/customers/${encodeURIComponent(path)}`;
      await under.server.inject({ method: 'PUT', url, payload: {}, headers });
    }
    await post('/v1/track', { userId: 'grace@shop', event: 'Look' });
    expect(told().map(({ answered, reason, message }) => [answered, reason, message])).toEqual([
      ['ok', null, expect.stringMatching(/^it has no anonymous_id/)],
      ['ok', null, null],
      ['ok', null, expect.stringMatching(/^an id: /)],
      ['ok', null, null],
      ['ok', null, null],
      ['ok', null, expect.stringMatching(/^an id: /)],
    ]);
    expect(rows()).toEqual([]);
  });

  test('where its body stops being JSON, and nothing of it', async () => {
    const body = '{"anonymousId": "v",\n "event": "Look",}';
    const send = (url: string, authorization: string) =>
      under.server.inject({ method: 'POST', url, payload: body, headers: { authorization, ...strict } });
    const message = 'the body is not valid JSON at line 2, column 18';
    expect((await send('/v1/track', pipelinesAuth)).json()).toEqual({ meta: { error: message } });
    expect((await send('/api/v1/events', trackAuth)).json()).toEqual({ meta: { errors: [message] } });
    expect((await send('/api/v2/entity', trackAuth)).json()).toMatchObject({ errors: [{ message }] });
    expect(told().map((each) => each['message'])).toEqual([message, message, message]);
  });

  test('its name and its size, where it was too large', async () => {
    const payload = { anonymousId: 'v', event: 'Look', properties: { x: 'x'.repeat(40_000) } };
    await post('/v1/track', payload);
    const bytes = String(JSON.stringify(payload).length);
    expect(told()).toMatchObject([
      {
        type: 'track',
        name: 'Look',
        anonymous_id: 'v',
        message: `a call cannot be larger than 32768 bytes: it has ${bytes}`,
      },
    ]);
  });

  test('an email that is none, on Pipelines, Track and among people of a segment', async () => {
    await post('/v1/identify', { userId: 'ws-p4', traits: { email: 'grace@walkshop,example' } });
    await under.server.inject({
      method: 'PUT',
      url: '/api/v1/customers/ws-p4',
      payload: { email: 'grace@walkshop' },
      headers: { authorization: trackAuth },
    });
    expect(told()).toMatchObject([
      {
        answered: 'corrected',
        message: `traits.email: not_a_name. ${correctionCodes.not_a_name}`,
        identifier: 'ws-p4',
      },
      {
        answered: 'corrected',
        message: `email: not_a_name. ${correctionCodes.not_a_name}`,
        identifier: 'ws-p4',
      },
    ]);
    const answer = await post('/v1/identify', { userId: '1', traits: { email: 'grace' } }, strict);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ meta: { error: 'traits.email is not an email address' } });
  });
});
