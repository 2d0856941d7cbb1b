/**
 * Calls that a shop makes in its first week, through a whole installation: what was sent is there, first under the
 * visitor and then on the person's profile, text for text.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

interface Sent {
  readonly event: string;
  readonly properties: object;
}
const commerce = { product_id: 'p-boots', variant_id: 'p-boots-42', price: 129.9, category: 'Shoes' };
const standard = { quantity: 2, cart_value: 259.8, currency: 'EUR', item_count: 2, shipping_country: 'AT' };
const story: readonly Sent[] = [
  { event: 'product_viewed', properties: commerce },
  { event: 'collection_viewed', properties: { collection: 'Winter', position: 3 } },
  { event: 'add_to_cart', properties: { ...commerce, ...standard } },
  { event: 'checkout_started', properties: { ...standard, items: [{ sku: 'p-boots', qty: 2 }] } },
  { event: 'Email Captured', properties: { source: 'popup' } },
  { event: 'Products Searched', properties: { query: 'warm boots', results: 0 } },
  { event: 'Quiz Completed', properties: { answers: { terrain: 'snow', size: '42' }, result: ['p-boots'] } },
];

async function sendStory(anonymousId: string): Promise<void> {
  for (const { event, properties } of story) {
    expect(await calls.pipelines('/track', { anonymousId, event, properties })).toEqual(ok);
  }
}
/** `[name, properties as sent]`, in the order of the topic. */
const kept = (from: string) =>
  calls.rows(`SELECT name, properties FROM ${from} ORDER BY _partition, _offset`);
const sent = story.map(({ event, properties }) => [event, JSON.stringify(properties)]);

test(
  'E rows 3, 4, 5, 117: a visitor’s product, collection, cart, checkout, capture, search and quiz keep every property, before the identify and on the profile after it',
  async () => {
    await sendStory('shopper');
    await calls.settled();
    expect(await kept(`anonymous_events WHERE anonymous_id = 'shopper'`)).toEqual(sent);
    await calls.pipelines('/identify', { anonymousId: 'shopper', userId: 'shopper-1' });
    await calls.settled();
    const person = `(SELECT person_id FROM people WHERE id = 'shopper-1')`;
    expect(await kept(`events WHERE person_id IN ${person}`)).toEqual(sent);
    expect(
      await calls.rows(
        `SELECT JSONExtractString(assumeNotNull(properties), 'answers', 'terrain'),
           JSONExtractString(assumeNotNull(properties), 'result', 1)
         FROM events WHERE person_id IN ${person} AND name = 'Quiz Completed'`,
      ),
    ).toEqual([['snow', 'p-boots']]);
  },
  TEST_MS_MAX,
);

test(
  'E row 17: a PUT to the path of an email, with another email and an anonymous_id in its body, merges to the path’s person',
  async () => {
    const body = { name: 'Search', anonymous_id: 'abc123', data: { query: 'boots' } };
    expect(await calls.track('POST', '/v1/events', body)).toEqual(ok);
    const claim = { email: 'user@example.com', anonymous_id: 'abc123' };
    expect(await calls.track('PUT', '/v1/customers/person@example.com', claim)).toEqual(ok);
    await calls.settled();
    expect(
      await calls.rows(
        `SELECT p.email, e.name, e.previously_anonymous FROM events AS e INNER JOIN people AS p ON e.person_id = p.person_id
         WHERE e.anonymous_id = 'abc123'`,
      ),
    ).toEqual([['person@example.com', 'Search', true]]);
  },
  TEST_MS_MAX,
);

test(
  'E row 45: a form, a new account and a login on another device each merge what came before them',
  async () => {
    for (const device of ['form', 'account', 'login']) {
      await calls.track('POST', '/v1/events', { name: `On ${device}`, anonymous_id: `device-${device}` });
    }
    const traits = { email: 'dora@shop.example' };
    await calls.pipelines('/identify', { anonymousId: 'device-form', userId: '', traits });
    await calls.settled();
    const account = { email: 'dora@shop.example', anonymous_id: 'device-account' };
    expect(await calls.track('PUT', '/v1/customers/dora', account)).toEqual(ok);
    await calls.settled();
    await calls.pipelines('/identify', { anonymousId: 'device-login', userId: 'dora' });
    await calls.settled();
    expect(
      await calls.rows(
        `SELECT p.id, p.email, arraySort(groupArray(e.name)) FROM events AS e INNER JOIN people AS p ON e.person_id = p.person_id
         WHERE startsWith(assumeNotNull(e.anonymous_id), 'device-') GROUP BY p.id, p.email`,
      ),
    ).toEqual([['dora', 'dora@shop.example', ['On account', 'On form', 'On login']]]);
  },
  TEST_MS_MAX,
);

test(
  'E row 12: the anonymous lines of the activity log are asked for by kind and time, and have no processed_at',
  async () => {
    const at = Date.now() / 1_000;
    await calls.track('POST', '/v1/events', { name: 'Look', anonymous_id: 'log', timestamp: at - 86_400 });
    await calls.track('POST', '/v1/events', { name: 'Home', anonymous_id: 'log', type: 'page' });
    await calls.settled();
    const lines = (rest: string) =>
      calls.rows(
        `SELECT kind, JSONExtractString(assumeNotNull(detail), 'name'), processed_at FROM activities
         WHERE person_id IS NULL AND anonymous_id = 'log' ${rest} ORDER BY timestamp`,
      );
    expect(await lines('')).toEqual([
      ['Event', 'Look', null],
      ['Page', 'Home', null],
    ]);
    expect(await lines(`AND kind = 'Page'`)).toEqual([['Page', 'Home', null]]);
    expect(await lines('AND timestamp < now() - INTERVAL 12 HOUR')).toEqual([['Event', 'Look', null]]);
  },
  TEST_MS_MAX,
);

test(
  'E row 103: the report of fragmentation names a person of three devices and a device of two people',
  async () => {
    for (const device of ['a', 'b', 'c']) {
      const claim = { anonymous_id: `many-${device}` };
      expect(await calls.track('PUT', '/v1/customers/many', claim)).toEqual(ok);
    }
    for (const userId of ['sister', 'brother']) {
      await calls.pipelines('/track', { anonymousId: 'tablet', userId, event: 'Look' });
    }
    await calls.settled();
    const rows = await calls.rows(`SELECT person_id FROM people WHERE id = 'many'`);
    const { status, body } = await calls.app('GET', '/v1/workspaces/default/fragmentation');
    expect(status).toBe(200);
    const { people_with_many_anonymous_ids: people, anonymous_ids_of_many_people: devices } = body as Report;
    expect(people.cases).toContainEqual({ person_id: rows[0]?.[0], count: 3 });
    expect(devices.cases).toContainEqual({ anonymous_id: 'tablet', count: 2 });
  },
  TEST_MS_MAX,
);

interface Report {
  readonly people_with_many_anonymous_ids: { readonly cases: readonly object[] };
  readonly anonymous_ids_of_many_people: { readonly cases: readonly object[] };
}
