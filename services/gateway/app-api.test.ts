import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { routes } from '../../schemas/http/routes.ts';
import { adminKey, appAuth, testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer({ testClock: true });
});
afterEach(() => under.server.close());

const app = (options: InjectOptions) =>
  under.server.inject({ ...options, headers: { authorization: appAuth, ...options.headers } });
const segment = { name: 'Carts', type: 'data_driven', when: { event: 'Added to Cart', within: 'P7D' } };

describe('definitions (contract, *Definitions*)', () => {
  const url = '/v1/definitions/segments/carts';

  test('a good PUT answers the stored version, and counts on after a DELETE', async () => {
    const first = await app({ method: 'PUT', url, payload: segment });
    expect(first.statusCode).toBe(200);
    expect(first.json()).toMatchObject({ id: 'carts', version: 1, definition: segment });
    expect((await app({ method: 'PUT', url, payload: segment })).json()).toMatchObject({ version: 2 });
    expect((await app({ method: 'DELETE', url })).json()).toEqual({ id: 'carts', version: 3, deleted: true });
    expect((await app({ method: 'GET', url })).statusCode).toBe(404);
    expect((await app({ method: 'DELETE', url })).statusCode).toBe(404);
    expect((await app({ method: 'PUT', url, payload: segment })).json()).toMatchObject({ version: 4 });
    const list = await app({ method: 'GET', url: '/v1/definitions/segments' });
    expect(list.json()).toMatchObject({ segments: [{ id: 'carts', version: 4 }] });
  });

  test('a bad PUT answers every fault with its JSON pointer and stores nothing', async () => {
    const payload = { type: 'data_driven', when: { event: 'x', within: 'soon' }, extra: 1 };
    const answer = await app({ method: 'PUT', url, payload });
    expect(answer.statusCode).toBe(400);
    const { errors } = answer.json<{ errors: { pointer: string }[] }>();
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/extra', '/name', '/when/within']);
    expect((await app({ method: 'GET', url })).statusCode).toBe(404);
  });

  test('no JSON and no good id are faults too', async () => {
    const text = await app({
      method: 'PUT',
      url,
      payload: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(text.json()).toMatchObject({ errors: [{ code: 'invalid_json' }] });
    const id = await app({ method: 'PUT', url: '/v1/definitions/segments/a%2Fb', payload: segment });
    expect(id.json()).toMatchObject({ errors: [{ code: 'invalid_id' }] });
  });

  test('a definition that would be no record of the log is refused', async () => {
    const values = (control: string) => Array.from({ length: 1_000 }, () => control.repeat(50));
    const payload = (control: string) => ({
      ...segment,
      when: { attribute: 'x', operator: 'in', value: values(control) },
    });
    const small = await app({ method: 'PUT', url, payload: payload('x') });
    expect(small.statusCode).toBe(200);
    const grown = await app({ method: 'PUT', url, payload: payload('\u0001') });
    expect(grown.statusCode).toBe(413);
    expect(grown.json()).toMatchObject({ errors: [{ pointer: '', code: 'body_too_large' }] });
    expect((await app({ method: 'GET', url })).json()).toMatchObject({ version: 1 });
  });

  test('messages are kept like the others, with warnings, and are listed by their state (spec E rows 59, 62 and 86)', async () => {
    const content = { kind: 'modal', title: 'Hello' };
    const put = (id: string, payload: object) =>
      app({ method: 'PUT', url: `/v1/definitions/messages/${id}`, payload });
    const quiet = await put('quiet', { name: 'Quiet', description: 'says hello', state: 'draft', content });
    expect(quiet.json()).toMatchObject({
      version: 1,
      definition: { name: 'Quiet', description: 'says hello' },
      warnings: [{ pointer: '/content', code: 'no_next_step' }],
    });
    const actions = [{ name: 'join', label: 'Join', url: 'https://shop.example/join' }];
    const loud = await put('loud', { name: 'Loud', state: 'running', content: { ...content, actions } });
    expect(loud.json()).not.toHaveProperty('warnings');
    const listed = async (query: string) => {
      const answer = await app({ method: 'GET', url: `/v1/definitions/messages${query}` });
      return answer.json<{ messages: { id: string }[] }>().messages.map(({ id }) => id);
    };
    expect(await listed('')).toEqual(['loud', 'quiet']);
    expect(await listed('?state=running')).toEqual(['loud']);
  });
});

describe('workspaces (contract, *Running it*)', () => {
  const admin = { authorization: `Bearer ${adminKey}` };

  test('settings are answered whole; what is left out has its default', async () => {
    const payload = { anonymous_event_merge: false, guards: { merges_per_minute: 5 } };
    const put = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload });
    expect(put.json()).toMatchObject({
      name: 'shop',
      version: 1,
      settings: {
        anonymous_event_merge: false,
        auto_merge: true,
        guards: { illegal_identifiers: true, merges_per_minute: 5 },
      },
    });
    expect(put.json()).not.toHaveProperty('credentials');
    expect((await app({ method: 'GET', url: '/v1/workspaces/shop' })).json()).toEqual(put.json());
  });

  test('every unknown key and bad value is a fault with its pointer', async () => {
    const payload = { colour: 1, auto_merge: 'yes', guards: { other: 1, illegal_patterns: ['ok', '(?=x)'] } };
    const answer = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload });
    expect(answer.statusCode).toBe(400);
    const { errors } = answer.json<{ errors: { pointer: string; code: string }[] }>();
    expect(Object.fromEntries(errors.map(({ pointer, code }) => [pointer, code]))).toEqual({
      '/colour': 'unknown_key',
      '/auto_merge': 'wrong_type',
      '/guards/other': 'unknown_key',
      '/guards/illegal_patterns/1': 'invalid_pattern',
    });
  });

  test('names of events, moments and schemas are checked: a spelling is one event, a phone needs phones', async () => {
    const good = {
      event_names: { preset: 'storefront', names: { 'Added to Cart': ['add_to_cart'] } },
      normalise_items: true,
      identify_moments: [{ event: 'Email Captured', property: 'email', kind: 'email' }],
      event_schemas: { 'Added to Cart': { required: ['sku'], types: { price: 'number' } } },
    };
    const put = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload: good });
    expect(put.json()).toMatchObject({ settings: good });
    const bad = {
      event_names: { names: { 'Added to Cart': ['x/y'], Other: ['X-Y', 'added_to_cart'] } },
      identify_moments: [{ event: 'SMS', property: 'phone', kind: 'phone' }],
    };
    const answer = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload: bad });
    expect(answer.json()).toMatchObject({
      errors: [
        { pointer: '/event_names/names/Other/0', code: 'ambiguous' },
        { pointer: '/event_names/names/Other/1', code: 'ambiguous' },
        { pointer: '/identify_moments/0/kind', code: 'ambiguous' },
      ],
    });
    const wrong = { event_schemas: { X: { types: { price: 'money' } } }, event_names: { preset: 'other' } };
    const { errors } = (await app({ method: 'PUT', url: '/v1/workspaces/shop', payload: wrong })).json<{
      errors: { pointer: string }[];
    }>();
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/event_names/preset',
      '/event_schemas/X/types/price',
    ]);
  });

  test('the admin key creates a workspace and is answered its keys, once', async () => {
    const first = await app({ method: 'PUT', url: '/v1/workspaces/fresh', payload: {}, headers: admin });
    expect(first.json()).toMatchObject({
      name: 'fresh',
      version: 1,
      credentials: { app_key: expect.stringMatching(/^app_/) },
    });
    const again = await app({ method: 'PUT', url: '/v1/workspaces/fresh', payload: {}, headers: admin });
    expect(again.json()).not.toHaveProperty('credentials');
  });

  test('an app key opens no other workspace and creates none', async () => {
    for (const url of ['/v1/workspaces/fresh', '/v1/workspaces/No%20Name']) {
      expect((await app({ method: 'PUT', url, payload: {} })).statusCode).toBe(401);
      expect((await app({ method: 'GET', url })).statusCode).toBe(401);
    }
  });

  test('a name that is none is a fault', async () => {
    const answer = await app({ method: 'PUT', url: '/v1/workspaces/No%20Name', payload: {}, headers: admin });
    expect(answer.json()).toMatchObject({ errors: [{ code: 'invalid_name' }] });
  });
});

describe('the test clock (contract, *Running it*)', () => {
  const noon = '2026-12-01T12:00:00.000Z';
  const send = (header?: string) =>
    app({
      method: 'POST',
      url: '/api/v1/events',
      payload: { name: 'x', anonymous_id: 'a' },
      headers: {
        authorization: trackAuth,
        ...(header === undefined ? {} : { 'x-hindsight-received-at': header }),
      },
    });
  const times = () => under.sent.events.map(({ value }) => new Date(value.received_at).toISOString());

  test('a header moves the clock on, an earlier one leaves it, and without one the standing clock counts', async () => {
    await send(noon);
    await send('2026-12-01T11:00:00Z');
    await send();
    expect(times()).toEqual([noon, '2026-12-01T11:00:00.000Z', noon]);
    expect((await app({ method: 'GET', url: '/v1/test-clock' })).json()).toEqual({ now: noon });
  });

  test('an earlier time is at most as far back as lanes keep what they need to recognise a repeat', async () => {
    await send(noon);
    expect((await send('2026-11-30T12:00:00.000Z')).statusCode).toBe(200);
    const refused = await send('2026-11-30T11:59:59.999Z');
    expect([refused.statusCode, refused.body]).toEqual([400, expect.stringContaining('24 hours')]);
    expect(times()).toEqual([noon, '2026-11-30T12:00:00.000Z']);
  });

  test('until first set it is the wall clock', async () => {
    const before = Date.now();
    await send();
    expect(under.sent.events[0]?.value.received_at).toBeGreaterThanOrEqual(before);
  });

  test('a header that is no time is 400', async () => {
    expect((await send('noon')).statusCode).toBe(400);
    expect(under.sent.events).toHaveLength(0);
  });

  test('PUT answers when every task has taken the time', async () => {
    for (const name of ['merger', 'identity', 'trigger', 'in-app'])
      under.statuses[name] = { definitions_offset: 0 };
    const put = app({ method: 'PUT', url: '/v1/test-clock', payload: { now: noon } });
    const first = await Promise.race([put, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]);
    expect(first).toBe('waits');
    for (const name of ['merger', 'identity', 'trigger', 'in-app'])
      under.statuses[name] = { definitions_offset: 1 };
    expect((await put).json()).toEqual({ now: noon });
  });

  test('it never runs backwards', async () => {
    await under.definitions.advanceClockTo(Date.parse(noon));
    const answer = await app({
      method: 'PUT',
      url: '/v1/test-clock',
      payload: { now: '2026-12-01T11:00:00Z' },
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '/now' }] });
  });

  test('without HINDSIGHT_TEST_CLOCK the header is ignored and the route is not there', async () => {
    await under.server.close();
    under = testServer();
    await send(noon);
    expect(under.sent.events[0]?.value.received_at).toBeLessThan(Date.parse(noon) + Date.now());
    expect(times()).not.toEqual([noon]);
    expect((await app({ method: 'PUT', url: '/v1/test-clock', payload: { now: noon } })).statusCode).toBe(
      404,
    );
  });
});

describe('the report of fragmentation, spec E rows 89 and 103', () => {
  const url = '/v1/workspaces/shop/fragmentation';

  test('names the canonical identifier in force and the worst cases', async () => {
    under.rows['FROM people'] = [{ people: '12', without: '3' }];
    under.rows['FROM identities'] = [{ person_id: 'cio_1', names: '7' }];
    under.rows['FROM events'] = [{ anonymous_id: 'a', names: '2' }];
    await app({ method: 'PUT', url: '/v1/workspaces/shop', payload: { canonical_identifier: 'email' } });
    expect((await app({ method: 'GET', url })).json()).toMatchObject({
      canonical_identifier: 'email',
      people: 12,
      people_without_canonical_identifier: { count: 3 },
      people_with_many_anonymous_ids: { at_least: 3, cases: [{ person_id: 'cio_1', count: 7 }] },
      anonymous_ids_of_many_people: { at_least: 2, cases: [{ anonymous_id: 'a', count: 2 }] },
    });
  });

  test('is the workspace’s own', async () => {
    const other = '/v1/workspaces/other/fragmentation';
    expect((await app({ method: 'GET', url: other })).statusCode).toBe(401);
    const admin = { authorization: `Bearer ${adminKey}` };
    expect((await app({ method: 'GET', url: other, headers: admin })).statusCode).toBe(404);
    expect((await app({ method: 'GET', url, headers: { authorization: '' } })).statusCode).toBe(401);
  });
});

describe('the report of an on-site message', () => {
  const url = '/v1/definitions/messages/hello/report';
  const message = {
    ...{ name: 'Hello', state: 'draft' },
    content: { kind: 'modal', title: 'Hello', actions: [{ name: 'ok', label: 'OK', close: true }] },
  };

  test('has the arms with numbers as numbers, also when the message is deleted', async () => {
    expect((await app({ method: 'GET', url })).statusCode).toBe(404);
    const stored = await app({ method: 'PUT', url: '/v1/definitions/messages/hello', payload: message });
    expect(stored.statusCode).toBe(200);
    expect((await app({ method: 'GET', url })).json()).toEqual({ id: 'hello', arms: [], refusals: [] });
    const row = { variant: 'default', version: '1', people: '31', converted: '4', value: { EUR: 30.5 } };
    under.rows['FROM message_report'] = [{ ...row, rate: 0.129, lift: null }];
    const refused = { version: '1', reason: 'bot', refused: '24', visitors: '3' };
    under.rows['FROM message_events'] = [refused];
    await app({ method: 'DELETE', url: '/v1/definitions/messages/hello' });
    const arm = { variant: 'default', version: 1, people: 31, converted: 4, value: { EUR: 30.5 } };
    expect((await app({ method: 'GET', url })).json()).toEqual({
      id: 'hello',
      arms: [{ ...arm, rate: 0.129, lift: null }],
      refusals: [{ version: 1, reason: 'bot', refused: 24, visitors: 3 }],
    });
  });

  test('asks for an app key', async () => {
    const answer = await app({ method: 'GET', url, headers: { authorization: '' } });
    expect(answer.statusCode).toBe(401);
  });
});

describe('the published description', () => {
  test('A.0 row 1: describes every route that is mounted, and no other', async () => {
    const described = routes.flatMap(({ method, path, aliases = [] }) =>
      [path, ...aliases].map((each) => `${method.toUpperCase()} ${each}`),
    );
    const mounted: string[] = [];
    under.server.addHook('onRoute', ({ method, path }) => {
      const methods = Array.isArray(method) ? method : [method];
      for (const each of methods)
        if (each !== 'HEAD') mounted.push(`${each} ${path.replace(/:(\w+)/g, '{$1}')}`);
    });
    await under.server.ready();
    expect(mounted.sort()).toEqual(described.sort());
  });

  test('is served as OpenAPI, with the schemas that check the calls', async () => {
    const document = (await app({ method: 'GET', url: '/v1/openapi.json' })).json<{
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    }>();
    expect(document.openapi).toBe('3.1.0');
    expect(document.paths['/v1/batch']?.['post']).toMatchObject({
      requestBody: { content: { 'application/json': { schema: { required: ['batch'] } } } },
    });
  });
});

describe('the trace', () => {
  test('tells a visitor in order', async () => {
    const at = (minute: number) => Date.UTC(2026, 10, 22, 12, minute);
    under.rows['FROM identities'] = [{ person_id: 'cio_1' }];
    under.rows['FROM events'] = [
      {
        message_id: 'm1',
        type: 'page',
        name: 'home',
        anonymous_id: 'a',
        received_at: String(at(0)),
        merged_at: at(2),
        previously_anonymous: true,
        person_id: 'cio_1',
        place: 1,
      },
    ];
    under.rows['FROM stored_facts'] = [
      {
        kind: 'anonymous_claimed',
        number: 2,
        message_id: 'm2',
        person_id: 'cio_1',
        identifier: 'a',
        at: at(2),
      },
      { kind: 'person_created', number: 1, message_id: 'm2', person_id: 'cio_1', at: at(2) },
    ];
    under.rows['FROM segment_changes'] = [
      { segment_id: 's', person_id: 'cio_1', change: 'entered', message_id: 'm1', at: at(2) },
    ];
    under.rows['FROM stored_dropped'] = [
      { reason: 'duplicate_message', stage: 'merger', message_id: 'm1', at: at(1), detail: '{}' },
    ];
    const answer = await app({ method: 'GET', url: '/v1/trace?anonymous_id=a' });
    const { steps } = answer.json<{ steps: { stage: string; message_id?: string }[] }>();
    expect(steps.map(({ stage, message_id }) => `${stage} ${message_id ?? ''}`)).toEqual([
      'received m1',
      'waiting m1',
      'dropped m1',
      'asked m2',
      'claimed m2',
      'merged m1',
      'segment m1',
    ]);
  });

  test('wants one subject', async () => {
    expect((await app({ method: 'GET', url: '/v1/trace' })).statusCode).toBe(400);
    expect((await app({ method: 'GET', url: '/v1/trace?anonymous_id=a&person=b' })).statusCode).toBe(400);
    expect((await app({ method: 'GET', url: '/v1/trace?anonymous_id=a&order=name' })).statusCode).toBe(400);
  });

  test.each(['person=nobody', 'anonymous_id=nobody'])('of somebody unknown is 404: %s', async (who) => {
    const answer = await app({ method: 'GET', url: `/v1/trace?${who}` });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ meta: { code: 'not_found' } });
  });

  test('has each event’s own time, goes by it where that is asked for, and tells what led to no entry', async () => {
    const at = (minute: number) => Date.UTC(2026, 10, 22, 12, minute);
    const event = (id: string, came: number, own: number) => ({
      message_id: id,
      type: 'event',
      name: id,
      received_at: at(came),
      own_time: String(at(own)),
      merged_at: at(came),
      previously_anonymous: false,
      person_id: 'cio_1',
      place: came,
    });
    under.rows['FROM identities'] = [{ person_id: 'cio_1' }];
    under.rows['FROM person_events'] = [event('early', 3, 1), event('late', 2, 2)];
    under.rows['FROM system.tables'] = [{ name: 'journey_skips' }];
    under.rows['FROM journey_skips'] = [
      {
        journey_id: 'j',
        person_id: 'cio_1',
        reason: 'frequency',
        message_id: 'late',
        rule_version: 4,
        at: at(4),
      },
    ];
    const told = async (query: string) => {
      const answer = await app({ method: 'GET', url: `/v1/trace?person=1${query}` });
      const { steps } = answer.json<{ steps: Record<string, unknown>[] }>();
      return steps;
    };
    const byReceipt = await told('');
    expect(byReceipt.map(({ stage, message_id }) => `${String(stage)} ${String(message_id)}`)).toEqual([
      'received late',
      'merged late',
      'received early',
      'merged early',
      'skipped late',
    ]);
    expect(byReceipt[2]).toMatchObject({
      at: '2026-11-22T12:03:00.000Z',
      timestamp: '2026-11-22T12:01:00.000Z',
    });
    expect(byReceipt[4]).toMatchObject({ name: 'j', reason: 'frequency', detail: { rule_version: 4 } });
    expect((await told('&order=timestamp')).map(({ message_id }) => message_id)).toEqual([
      'early',
      'early',
      'late',
      'late',
      'late',
    ]);
  });
});

describe('what names somebody in a query is bounded as any identifier is', () => {
  test.each(['anonymous_id', 'person'])('%s', async (name) => {
    const of = (value: string) =>
      app({ method: 'GET', url: `/v1/trace?${name}=${encodeURIComponent(value)}` });
    for (const value of ['é'.repeat(76), 'Ⱥ'.repeat(70) + '@b.example'].slice(0, name === 'person' ? 2 : 1)) {
      const answer = await of(value);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ errors: [{ pointer: `/${name}`, code: 'limit_exceeded' }] });
    }
    expect((await of('é'.repeat(75))).statusCode).not.toBe(400);
  });
});
