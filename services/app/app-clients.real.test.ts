/**
 * Customer.io's App API on a whole installation, called by an unmodified client (spec A.5, E rows 12, 105): people,
 * their activities, segments and relationships; manual segments from the call to ClickHouse.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { APIClient, FilterOperator, IdentifierType, TrackClient } from 'customerio-node';
import { startStack, type Stack } from '../testing/stack.ts';
import { StackCalls } from '../testing/stack-calls.ts';

const startMsMax = 300_000;
const testMsMax = 600_000;

let stack: Stack;
let api: APIClient;
let track: TrackClient;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  const keys = stack.credentials.default;
  api = new APIClient(keys.app_key, { url: `${stack.http}/v1` });
  track = new TrackClient(keys.site_id, keys.api_key, { url: `${stack.http}/api/v1` });
  calls = new StackCalls(stack);
}, startMsMax);
afterAll(() => stack.stop(), startMsMax);

interface Activity {
  readonly type: string;
  readonly name?: string;
  readonly processed_at?: number;
  readonly previously_anonymous?: boolean;
  readonly customer_id: string | null;
  readonly anonymous_id?: string;
  readonly data: Readonly<Record<string, unknown>>;
}
const activitiesIn = (answer: Record<string, unknown>) => answer['activities'] as readonly Activity[];
const told = (answer: Record<string, unknown>) =>
  activitiesIn(answer).map(({ type, name }) => (name === undefined ? type : `${type} ${name}`));
const idsIn = (answer: Record<string, unknown>) => answer['ids'] as readonly string[];
const notThere = { statusCode: 404 };

describe('people', () => {
  beforeAll(async () => {
    await track.trackAnonymous('phone', {
      name: 'Product Viewed',
      data: { sku: 'boots' },
      timestamp: 1_700_000_100,
    });
    await track.identify('ann', {
      email: 'Ann@shop.example',
      anonymous_id: 'phone',
      plan: 'pro',
      visits: 3,
      vip: true,
      created_at: 1_700_000_000,
      cio_relationships: {
        action: 'add_relationships',
        relationships: ['acme', 'bolt', 'core'].map((object_id) => ({
          identifiers: { object_type_id: '1', object_id },
          relationship_attributes: { role: 'owner' },
        })),
      },
    });
    await track.track('ann', { name: 'Order Completed', data: { total: 5 }, timestamp: 1_700_000_300 });
    await track.identify('bob', { email: 'bob@shop.example', plan: 'pro' });
    await track.identify('cem@shop.example', { plan: 'free', unsubscribed: true });
    await track.trackAnonymous('tablet', {
      name: 'Product Viewed',
      data: { sku: 'hat' },
      timestamp: 1_700_000_200,
    });
    await track.trackAnonymous('tablet', {
      name: 'Added to Cart',
      data: { sku: 'hat' },
      timestamp: 1_700_000_400,
    });
    await calls.settled();
  }, testMsMax);

  test('getCustomersByEmail: those of this email, whatever its case; none is an empty list', async () => {
    expect(await api.getCustomersByEmail('ANN@shop.example')).toEqual({
      results: [{ cio_id: expect.stringMatching(/^cio_/), id: 'ann', email: 'ann@shop.example' }],
    });
    expect(await api.getCustomersByEmail('nobody@shop.example')).toEqual({ results: [] });
  });

  test('getAttributes: by id, email and cio_id, with all identifiers; nobody is 404', async () => {
    const whole = await api.getAttributes('ann');
    const { customer } = whole as { customer: { identifiers: { cio_id: string } } };
    expect(customer).toMatchObject({
      id: 'ann',
      identifiers: { id: 'ann', email: 'ann@shop.example' },
      attributes: {
        plan: 'pro',
        visits: 3,
        vip: true,
        created_at: 1_700_000_000,
        email: 'ann@shop.example',
        id: 'ann',
      },
      unsubscribed: false,
    });
    const { cio_id: cioId } = customer.identifiers;
    expect(await api.getAttributes('ann@SHOP.example', IdentifierType.Email)).toEqual(whole);
    expect(await api.getAttributes(cioId, IdentifierType.CioId)).toEqual(whole);
    expect(await api.getAttributes('cem@shop.example', IdentifierType.Email)).toMatchObject({
      customer: { id: 'cem@shop.example', identifiers: { id: null }, unsubscribed: true },
    });
    await expect(api.getAttributes('ann', IdentifierType.Email)).rejects.toMatchObject(notThere);
    await expect(api.getAttributes('nobody')).rejects.toMatchObject(notThere);
  });

  test('getCustomersAttributes: several at once; who is not there is left out', async () => {
    const { customers } = (await api.getCustomersAttributes(['bob', 'nobody', 'ann'])) as {
      customers: { id: string }[];
    };
    expect(customers.map(({ id }) => id)).toEqual(['bob', 'ann']);
  });

  test('searchCustomers: by attributes and segments, in pages', async () => {
    const plan = (value: string) => ({ attribute: { field: 'plan', operator: FilterOperator.Eq, value } });
    const has = (field: string) => ({ attribute: { field, operator: FilterOperator.Exists } });
    const who = async (filter: Parameters<APIClient['searchCustomers']>[0]) =>
      [...idsIn(await api.searchCustomers(filter))].sort();
    expect(await who(plan('pro'))).toEqual(['ann', 'bob']);
    expect(await who({ and: [plan('pro'), has('visits')] })).toEqual(['ann']);
    expect(await who({ attribute: { field: 'visits', operator: FilterOperator.Eq, value: '3' } })).toEqual([
      'ann',
    ]);
    expect(await who({ attribute: { field: 'vip', operator: FilterOperator.Eq, value: 'true' } })).toEqual([
      'ann',
    ]);
    expect(await who({ or: [has('visits'), { not: has('visits') }] })).toEqual(['ann', 'bob']);
    expect(await who({ and: [has('email'), { not: has('id') }] })).toEqual([]);
    const nameless = await api.searchCustomers({ not: has('id') });
    expect(nameless['identifiers']).toMatchObject([{ id: null, email: 'cem@shop.example' }]);
    const first = await api.searchCustomers(has('email'), { limit: 2 });
    const second = await api.searchCustomers(has('email'), { limit: 2, start: String(first['next']) });
    const emails = [first, second].flatMap((page) => page['identifiers'] as { email: string }[]);
    expect(emails.map(({ email }) => email).sort()).toEqual([
      'ann@shop.example',
      'bob@shop.example',
      'cem@shop.example',
    ]);
    expect(second['next']).toBe('');
    await expect(api.searchCustomers({ and: [] })).rejects.toMatchObject({ statusCode: 400 });
  });

  test('getCustomerRelationships: the objects that a person belongs to, in pages', async () => {
    const first = await api.getCustomerRelationships('ann', { limit: 2 });
    expect(first['cio_relationships']).toEqual(
      ['acme', 'bolt'].map((object_id) => ({
        object_type_id: '1',
        identifiers: { object_type_id: '1', object_id },
        relationship_attributes: { role: 'owner' },
      })),
    );
    const second = await api.getCustomerRelationships('ann', { start: String(first['next']) });
    expect(second['cio_relationships']).toMatchObject([{ identifiers: { object_id: 'core' } }]);
    expect(second['next']).toBe('');
  });

  test('getCustomerActivities, E row 105: newest first by the event’s own time, before and after the person was known', async () => {
    const all = await api.getCustomerActivities('ann');
    expect(told(all)).toEqual(['anonymous_data_merged', 'event Order Completed', 'event Product Viewed']);
    expect(activitiesIn(all)[2]).toMatchObject({
      customer_id: 'ann',
      anonymous_id: 'phone',
      previously_anonymous: true,
      processed_at: expect.any(Number),
      data: { sku: 'boots' },
    });
    expect(activitiesIn(all)[0]?.data).toMatchObject({
      count: 1,
      oldest: 1_700_000_100,
      anonymous_id: 'phone',
    });
    expect(told(await api.getCustomerActivities('ann', { type: 'event', name: 'Product Viewed' }))).toEqual([
      'event Product Viewed',
    ]);
    expect(told(await api.getCustomerActivities('ann', { type: 'anonymous_data_merged' }))).toEqual([
      'anonymous_data_merged',
    ]);
    expect(told(await api.getCustomerActivities('ann', { type: 'screen' }))).toEqual([]);
    await expect(api.getCustomerActivities('nobody')).rejects.toMatchObject(notThere);
  });

  test('listActivities: of everybody known, in pages; or of one of them', async () => {
    const pages: string[] = [];
    for (let start = ''; ;) {
      const page = await api.listActivities({ type: 'event', limit: 1, ...(start === '' ? {} : { start }) });
      pages.push(...told(page));
      start = String(page['next']);
      if (start === '') break;
    }
    expect(pages).toEqual(['event Order Completed', 'event Product Viewed']);
    const own = await api.listActivities({ customerId: 'ann@shop.example', idType: IdentifierType.Email });
    expect(told(own)).toHaveLength(3);
  });

  test('E row 12: what visitors did whom nobody knows is listed and filtered, without a processed-at', async () => {
    const anonymous = await calls.app('GET', '/v1/activities?anonymous=true');
    const answer = anonymous.body as Record<string, unknown>;
    expect(told(answer)).toEqual(['event Added to Cart', 'event Product Viewed']);
    for (const activity of activitiesIn(answer)) {
      expect(activity).toMatchObject({ customer_id: null, anonymous_id: 'tablet' });
      expect(activity).not.toHaveProperty('processed_at');
    }
    const carts = await calls.app(
      'GET',
      '/v1/activities?anonymous_id=tablet&name=Added%20to%20Cart&type=event',
    );
    expect(told(carts.body as Record<string, unknown>)).toEqual(['event Added to Cart']);
    const claimed = await calls.app('GET', '/v1/activities?anonymous_id=phone');
    expect(told(claimed.body as Record<string, unknown>)).toEqual([]);
  });
});

test('E row 14: a visitor is nobody of those whom the usage counts, until they are identified', async () => {
  const people = async () => ((await calls.app('GET', '/v1/usage')).body as { people: number }).people;
  const before = await people();
  await calls.pipelines('/track', { anonymousId: 'uncounted', event: 'Product Viewed' });
  await calls.settled();
  expect(
    await calls.rows(`SELECT count() AS n FROM anonymous_events WHERE anonymous_id = 'uncounted'`),
  ).toEqual([[1]]);
  expect(await people()).toBe(before);
  await calls.pipelines('/identify', { anonymousId: 'uncounted', userId: 'counted' });
  await calls.settled();
  expect(await people()).toBe(before + 1);
});

describe('segments', () => {
  const byNumber = async (name: string): Promise<number> => {
    const { segment } = (await api.createSegment({ name, description: 'By hand' })) as {
      segment: { id: number };
    };
    expect(segment).toMatchObject({ name, description: 'By hand', type: 'manual', id: expect.any(Number) });
    return segment.id;
  };
  const members = async (id: number | string) => [...idsIn(await api.getSegmentMembership(id))].sort();

  test(
    'a manual segment: made, people put in by id and email, seen in every place, taken out, deleted',
    async () => {
      const id = await byNumber('VIPs');
      const rule = { name: 'Keen VIPs', type: 'data_driven', when: { segment: String(id) } };
      expect((await calls.app('PUT', '/v1/definitions/segments/keen', rule)).status).toBe(200);
      const journey = { name: 'Hello', state: 'running', trigger: { segment: String(id), on: 'enter' } };
      expect((await calls.app('PUT', '/v1/definitions/journeys/hello', journey)).status).toBe(200);
      // The second is not there before the call that makes them, which is acknowledged in another lane.
      await track.identify('dan', { email: 'dan@shop.example', anonymous_id: 'watch' });
      await track.addCustomersToSegment(id, ['dan@shop.example'], IdentifierType.Email);
      await track.identify('eva', {});
      await track.addCustomersToSegment(id, ['eva', 'unknown']);
      await calls.settled();
      expect(await members(id)).toEqual(['dan', 'eva']);
      expect(await api.getSegmentCustomerCount(id)).toEqual({ count: 2 });
      expect(await members('keen')).toEqual(['dan', 'eva']);
      expect(await api.getCustomerSegments('dan')).toMatchObject({
        segments: [
          { id, name: 'VIPs', type: 'manual' },
          { id: 'keen', type: 'dynamic' },
        ],
      });
      expect(await calls.rows(`SELECT DISTINCT id FROM people WHERE id = 'unknown'`)).toEqual([]);
      expect(await calls.rows(`SELECT count() FROM journey_entries WHERE journey_id = 'hello'`)).toEqual([
        [2],
      ]);
      expect(await api.getSegmentUsedBy(id)).toMatchObject({
        used_by: { campaigns: ['hello'], segments: ['keen'] },
      });
      const first = await api.getSegmentMembership(id, { limit: 1 });
      const second = await api.getSegmentMembership(id, { limit: 1, start: String(first['next']) });
      expect([...idsIn(first), ...idsIn(second)].sort()).toEqual(['dan', 'eva']);
      expect(second['next']).toBe('');
      await track.removeCustomersFromSegment(id, ['eva']);
      await calls.settled();
      expect(await members(id)).toEqual(['dan']);
      expect(await members('keen')).toEqual(['dan']);
      await api.deleteSegment(id);
      await expect(api.getSegment(id)).rejects.toMatchObject(notThere);
      await expect(track.addCustomersToSegment(id, ['dan'])).rejects.toMatchObject({ statusCode: 400 });
    },
    testMsMax,
  );

  test(
    'a merge takes them along; somebody deleted is in none; one made anew under the same id begins empty',
    async () => {
      expect(
        (await calls.app('PUT', '/v1/definitions/segments/by-hand', { name: 'By hand', type: 'manual' }))
          .status,
      ).toBe(200);
      for (const name of ['fay', 'gus', 'hal']) await track.identify(name, {});
      await track.addCustomersToSegment('by-hand', ['gus', 'hal']);
      await track.mergeCustomers(IdentifierType.Id, 'fay', IdentifierType.Id, 'gus');
      await calls.settled();
      expect(await members('by-hand')).toEqual(['fay', 'hal']);
      await track.destroy('hal');
      await calls.settled();
      expect(await members('by-hand')).toEqual(['fay']);
      await calls.app('DELETE', '/v1/definitions/segments/by-hand');
      await calls.app('PUT', '/v1/definitions/segments/by-hand', { name: 'Again', type: 'manual' });
      expect(await members('by-hand')).toEqual([]);
      expect(await api.getSegmentCustomerCount('by-hand')).toEqual({ count: 0 });
      await track.addCustomersToSegment('by-hand', ['fay']);
      await calls.settled();
      expect(await members('by-hand')).toEqual(['fay']);
    },
    testMsMax,
  );

  test('listSegments and getSegment: numbers are numbers, names are names; a rule is not deleted here', async () => {
    const id = await byNumber('Listed');
    const { segments } = (await api.listSegments()) as { segments: { id: number | string }[] };
    expect(segments.map((segment) => segment.id)).toEqual(expect.arrayContaining([id, 'keen']));
    expect(await api.getSegment('keen')).toMatchObject({ segment: { id: 'keen', name: 'Keen VIPs' } });
    await expect(api.deleteSegment('keen')).rejects.toMatchObject({ statusCode: 400 });
    await expect(api.getSegmentMembership('none')).rejects.toMatchObject(notThere);
    const blank = await calls.app('POST', '/v1/segments', { segment: { name: '' } });
    expect(blank).toMatchObject({ status: 400, body: { errors: [{ status: '400' }] } });
  });
});

describe('what a visitor says of themselves (C.1 row 18)', () => {
  test(
    'waits and does nothing; at the claim it fills what the person has not set, and segments see it',
    async () => {
      const rule = {
        name: 'Dry',
        type: 'data_driven',
        when: { attribute: 'quiz', operator: 'eq', value: 'dry' },
      };
      expect((await calls.app('PUT', '/v1/definitions/segments/dry', rule)).status).toBe(200);
      const traits = { quiz: 'dry', plan: 'trial', acquisition_source: 'tiktok' };
      expect(await calls.pipelines('/identify', { anonymousId: 'shy', traits })).toMatchObject({
        status: 200,
      });
      await calls.settled();
      expect(await calls.rows(`SELECT id FROM people WHERE attributes LIKE '%tiktok%'`)).toEqual([]);
      expect(idsIn(await api.getSegmentMembership('dry'))).toEqual([]);
      await calls.pipelines('/identify', { anonymousId: 'shy', userId: 'ida', traits: { plan: 'pro' } });
      await calls.settled();
      expect(await api.getAttributes('ida')).toMatchObject({
        customer: { attributes: { quiz: 'dry', plan: 'pro', acquisition_source: 'tiktok' } },
      });
      expect(idsIn(await api.getSegmentMembership('dry'))).toEqual(['ida']);
      expect(told(await api.getCustomerActivities('ida'))).toEqual([]);
    },
    testMsMax,
  );
});

test(
  'devices of a person: of each token what was said last, and none that was deleted; merged people have those of both',
  async () => {
    const devicesOf = async (id: string) =>
      ((await api.getAttributes(id)) as { customer: { devices: unknown } }).customer.devices;
    await track.identify('dee', {});
    await track.identify('dana', {});
    await track.addDevice('dee', 'phone-1', 'android', { last_used: 5, color: 'red' });
    await track.addDevice('dee', 'phone-2', 'ios', {});
    await track.addDevice('dee', 'phone-1', 'ios', { last_used: 7, color: 'blue', digits: 1 });
    await track.deleteDevice('dee', 'phone-2');
    await track.addDevice('dana', 'tablet', 'android', {});
    await calls.settled();
    const phone = { id: 'phone-1', platform: 'ios', last_used: 7, attributes: { color: 'blue', digits: 1 } };
    const tablet = { id: 'tablet', platform: 'android', last_used: null, attributes: {} };
    expect(await devicesOf('dee')).toEqual([phone]);
    expect(await devicesOf('bob')).toEqual([]);
    const several = await api.getCustomersAttributes(['dee', 'dana']);
    const { customers } = several as { customers: { id: string; devices: unknown }[] };
    expect(customers.map(({ id, devices }) => [id, devices])).toEqual([
      ['dee', [phone]],
      ['dana', [tablet]],
    ]);
    await track.mergeCustomers(IdentifierType.Id, 'dee', IdentifierType.Id, 'dana');
    await calls.settled();
    expect(await devicesOf('dee')).toEqual(expect.arrayContaining([phone, tablet]));
  },
  testMsMax,
);
