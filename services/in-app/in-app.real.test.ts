/** A whole installation: what was shown is known after `kill -9`, a claim and a merge, and analysts find it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../testing/eventually.ts';
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

const siteId = (): string => stack.credentials.default.site_id;

interface Queue {
  /** Absent while in-app does not answer. */
  readonly messages?: readonly {
    readonly message_id: string;
    readonly content: { readonly title?: string };
  }[];
  readonly poll_seconds: number;
}

/** Node's own agent is a program's. */
const asBrowser = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
};

async function poll(visitor: string): Promise<Queue> {
  const query = new URLSearchParams({
    site_id: siteId(),
    anonymous_id: visitor,
    page: 'https://shop.example/',
  });
  const response = await fetch(`${stack.http}/v1/in-app/queue?${query.toString()}`, { headers: asBrowser });
  return (await response.json()) as Queue;
}

async function post(
  path: string,
  body: object,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${stack.http}${path}`, {
    method: 'POST',
    headers: asBrowser,
    body: JSON.stringify({ site_id: siteId(), ...body }),
  });
  return { status: response.status, body: await response.json() };
}

const show = (visitor: string, exposure: string) =>
  post('/v1/in-app/shows', { anonymous_id: visitor, message_id: 'cart', exposure });

async function event(visitor: string, name: string, data: object = {}): Promise<void> {
  const answer = await calls.track('POST', '/v1/events', { anonymous_id: visitor, name, data });
  expect(answer).toMatchObject({ status: 200 });
}

test(
  'consent that is withdrawn erases the visitor: nothing waits, nobody finds it, and a later claim brings only what came after',
  async () => {
    const consent = (given: boolean) => post('/v1/in-app/consent', { anonymous_id: 'cid', consent: given });
    const ofCid = (table: string) =>
      calls.rows(`SELECT name FROM ${table} WHERE anonymous_id = 'cid' ORDER BY timestamp`);
    await event('cid', 'Looked', { at: 1 });
    await calls.settled();
    expect(await ofCid('anonymous_events')).toEqual([['Looked']]);
    expect(await consent(false)).toEqual({ status: 200, body: { taken: true } });
    await event('cid', 'Meanwhile');
    await calls.settled();
    expect(await ofCid('anonymous_events')).toEqual([]);
    expect(await consent(true)).toEqual({ status: 200, body: { taken: true } });
    await event('cid', 'After');
    const claim = { anonymous_id: 'cid', email: 'cid@mail.example' };
    expect(await calls.track('PUT', '/v1/customers/77', claim)).toMatchObject({ status: 200 });
    await calls.settled();
    expect(await ofCid('events')).toEqual([['After']]);
    const rows = await calls.rows(`SELECT count() FROM dropped WHERE reason = 'consent_withdrawn'`);
    expect(rows).toEqual([[2]]);
  },
  TEST_MS_MAX,
);

const message = {
  name: 'Cart',
  state: 'running',
  audience: { event: 'Added to Cart' },
  frequency: { times: 2 },
  content: {
    kind: 'modal',
    title: 'Still thinking of {{ last_item.name }}?',
    actions: [{ name: 'checkout', label: 'To checkout', url: '/checkout' }],
  },
};

test(
  'what was shown stays shown after kill -9 of in-app, and is told of with the person whom the visitor turned out to be (spec E rows 68 and 93)',
  async () => {
    expect(await calls.app('PUT', '/v1/definitions/messages/cart', message)).toMatchObject({ status: 200 });
    await event('ann', 'Product Viewed', { sku: 'b1', name: 'Boots' });
    await event('ann', 'Added to Cart', { sku: 'b1', name: 'Boots', price: 10 });
    await calls.settled();
    expect((await poll('bob')).messages).toEqual([]);
    expect(await poll('ann')).toMatchObject({
      messages: [{ message_id: 'cart', content: { title: 'Still thinking of Boots?' } }],
    });
    expect(await show('ann', 'e1')).toMatchObject({ status: 200, body: { show: true } });

    await stack.kill('in-app');
    expect(await show('ann', 'e1')).toMatchObject({ status: 503 });
    await stack.restart('in-app');
    // The call that was answered 503 lies in the log; whichever of the two is first, the showing is one.
    expect(await show('ann', 'e1')).toMatchObject({ status: 200, body: { show: true } });
    const shown = await post('/v1/in-app/reports', {
      anonymous_id: 'ann',
      message_id: 'cart',
      exposure: 'e1',
      event: 'snoozed',
      minutes: 1,
    });
    expect(shown).toEqual({ status: 200, body: { taken: true } });
    const why = await calls.app('GET', '/v1/explain/messages/cart?anonymous_id=ann');
    expect(why.body).toMatchObject({ outcome: 'refused', reason: 'snoozed', exposures: { total: 1 } });

    await event('ann', 'Order Completed', { total: 25.5, currency: 'EUR' });
    const claim = { anonymous_id: 'ann', email: 'ann@mail.example' };
    expect(await calls.track('PUT', '/v1/customers/42', claim)).toMatchObject({ status: 200 });
    await calls.settled();
    expect(await poll('ann')).toMatchObject({ messages: [], poll_seconds: 60 });
    expect(await show('ann', 'e2')).toMatchObject({ body: { show: false, reason: 'identified' } });
    // An order of the person in no lane of a visitor's is credited to what the visitor was shown.
    const order = { name: 'Order Completed', data: { total: '4.5', currency: 'EUR' } };
    expect(await calls.track('POST', '/v1/customers/42/events', order)).toMatchObject({ status: 200 });
    await calls.settled();

    const [[personId] = []] = await calls.rows(`SELECT person_id FROM people WHERE id = '42'`);
    const rows = await calls.rows(
      `SELECT event, ifNull(reason, ''), person_id FROM message_events WHERE message_id = 'cart' ORDER BY at, event`,
    );
    const told = rows.map(([name, reason, person]) => [`${String(name)} ${String(reason)}`.trim(), person]);
    expect(told.sort()).toEqual(
      [
        'eligible',
        'shown',
        'snoozed',
        'converted view_through',
        'eligible',
        'refused identified',
        'converted view_through',
      ]
        .map((what) => [what, personId])
        .sort(),
    );
    const report = await calls.rows(
      `SELECT variant, people, identified, shown, converted, conversions, value, rate FROM message_report WHERE message_id = 'cart'`,
    );
    expect(report).toEqual([['default', 1, 1, 1, 1, 2, { EUR: 30 }, 1]]);
    expect(await calls.app('GET', '/v1/definitions/messages/cart/report')).toMatchObject({
      status: 200,
      body: {
        arms: [
          {
            variant: 'default',
            people: 1,
            shown: 1,
            converted: 1,
            conversions: 2,
            value: { EUR: 30 },
            rate: 1,
          },
        ],
      },
    });
  },
  TEST_MS_MAX,
);

test(
  'a text has what the shop has put under the product’s key, as soon as in-app has read it, and after it starts again',
  async () => {
    const content = {
      kind: 'inline',
      element: 'stock',
      title: '{{ last_item.name }}: {{ tables.stock[last_item.sku].left }} left',
    };
    const definition = { name: 'Stock', state: 'running', content };
    expect(await calls.app('PUT', '/v1/definitions/messages/stock', definition)).toMatchObject({
      status: 200,
    });
    const put = (left: number) => calls.app('PUT', '/v1/tables/stock/rows/b1', { left });
    expect(await put(3)).toMatchObject({ status: 200 });
    await event('tess', 'Product Viewed', { sku: 'b1', name: 'Boots' });
    await calls.settled();
    const title = async () =>
      (await poll('tess')).messages?.find(({ message_id: id }) => id === 'stock')?.content.title;
    await eventually(async () => (await title()) === 'Boots: 3 left');
    await put(2);
    await eventually(async () => (await title()) === 'Boots: 2 left');
    await stack.kill('in-app');
    await stack.restart('in-app');
    await eventually(async () => (await title()) === 'Boots: 2 left');
  },
  TEST_MS_MAX,
);
