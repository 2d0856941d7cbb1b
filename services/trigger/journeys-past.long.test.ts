/**
 * The presets that come with the product, on a whole installation whose clock the test sets: stored by `npm run apply`,
 * played, and then asked over the past, which says the same as what happened.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The clock goes on from here and never back. */
const T0 = Date.UTC(2027, 2, 1);
const run = promisify(execFile);

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack({ env: { HINDSIGHT_TEST_CLOCK: 'on' } });
  calls = new StackCalls(stack);
  await run(process.execPath, ['scripts/apply.ts', 'definitions/examples', '--url', stack.http], {
    env: { ...process.env, HINDSIGHT_DATA: stack.dataFolder },
  });
  await play();
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

async function clock(at: number): Promise<void> {
  expect((await calls.app('PUT', '/v1/test-clock', { now: new Date(at).toISOString() })).status).toBe(200);
  await calls.settled();
}
async function person(id: string, at: number): Promise<void> {
  const known = await calls.track('PUT', `/v1/customers/${id}`, { email: `${id}@mail.example` }, { at });
  expect(known.status).toBe(200);
}
async function did(id: string, name: string, data: object, at: number): Promise<void> {
  expect((await calls.track('POST', `/v1/customers/${id}/events`, { name, data }, { at })).status).toBe(200);
}
async function visitor(anonymousId: string, event: string, product_id: string, at: number): Promise<void> {
  const call = { anonymousId, event, properties: { product_id } };
  expect((await calls.pipelines('/track', call, { at })).status).toBe(200);
}

const BACK = T0 + 90 * DAY;

/** ann leaves a cart, ben buys it, cleo browses three products, dora two, eve comes back after three months. */
async function play(): Promise<void> {
  for (const id of ['ann', 'ben', 'cleo', 'dora', 'eve']) await person(id, T0 - HOUR);
  await did('eve', 'Order Completed', { total: 20, order_id: 'o1' }, T0 - HOUR);
  await did('ann', 'Added to Cart', { cart_id: 'c1', product_id: 'boots' }, T0);
  await did('ben', 'Added to Cart', { cart_id: 'c2', product_id: 'boots' }, T0);
  await did('ann', 'Added to Cart', { cart_id: 'c1', product_id: 'scarf' }, T0 + MINUTE);
  for (const [index, product_id] of ['boots', 'parka', 'scarf'].entries()) {
    await did('cleo', 'Product Viewed', { product_id }, T0 + (2 + index) * MINUTE);
    await did(
      'dora',
      'Product Viewed',
      { product_id: index === 1 ? product_id : 'boots' },
      T0 + (2 + index) * MINUTE,
    );
  }
  await did('ben', 'Checkout Started', {}, T0 + 5 * MINUTE);
  await did('ann', 'Checkout Started', {}, T0 + 5 * MINUTE);
  await did('ben', 'Order Completed', { cart_id: 'c2', total: 80 }, T0 + 10 * MINUTE);
  await clock(T0 + 15 * MINUTE - SECOND);
}

async function entries(journey: string): Promise<readonly unknown[]> {
  return calls.rows(
    `SELECT p.id, e.key, toUnixTimestamp64Milli(e.entered_at)
     FROM (SELECT person_id, key, entered_at FROM journey_entries WHERE journey_id = '${journey}') AS e
     JOIN (SELECT id, person_id FROM people) AS p ON p.person_id = e.person_id ORDER BY p.id`,
  );
}
async function skips(journey: string): Promise<readonly unknown[]> {
  return calls.rows(
    `SELECT p.id, s.reason, s.detail
     FROM (SELECT person_id, reason, detail FROM journey_skips WHERE journey_id = '${journey}') AS s
     JOIN (SELECT id, person_id FROM people) AS p ON p.person_id = s.person_id ORDER BY p.id`,
  );
}
/** Message by message: what an entry names of what was looked at. */
async function named(journey: string): Promise<readonly unknown[]> {
  return calls.rows(
    `SELECT DISTINCT p.id, JSONExtractString(e.properties, 'product_id') AS product, e.previously_anonymous
     FROM journey_entry_events AS e JOIN (SELECT id, person_id FROM people) AS p ON p.person_id = e.person_id
     WHERE journey_id = '${journey}' AND product != '' ORDER BY p.id, product`,
  );
}

interface Replayed {
  readonly people: number;
  readonly entered: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly sample: Readonly<
    Record<
      'entered' | 'skipped',
      readonly {
        readonly person: { readonly id: string };
        readonly at: string;
        readonly key: string | null;
      }[]
    >
  >;
  readonly next: string;
}
async function replayed(journey: string, body: object = {}): Promise<Replayed> {
  const range = { from: new Date(T0 - 2 * DAY).toISOString(), ...body };
  const { status, body: answer } = await calls.app(
    'POST',
    `/v1/definitions/journeys/${journey}/replay`,
    range,
  );
  expect({ status, answer }).toMatchObject({ status: 200 });
  return answer as Replayed;
}
/** As entries() says it. */
const shown = ({ sample }: Replayed) =>
  sample.entered.map(({ person: who, key, at }) => [who.id, key, Date.parse(at)]).sort();

describe('the presets of definitions/examples', () => {
  test(
    'E row 118: a checkout that stalls is told at 10:00 and not at 9:59, once',
    async () => {
      expect(await entries('checkout-stall')).toEqual([]);
      await clock(T0 + 15 * MINUTE);
      expect(await entries('checkout-stall')).toEqual([['ann', null, T0 + 15 * MINUTE]]);
      await clock(T0 + HOUR);
      expect(await entries('checkout-stall')).toHaveLength(1);
    },
    TEST_MS_MAX,
  );

  test(
    'E rows 91, 118: who looked at three products and put none into a cart enters, and the entry names them; who looked at two does not, and the row says why',
    async () => {
      const up = T0 + 4 * MINUTE + 2 * HOUR;
      await clock(up - SECOND);
      expect(await entries('browse-recovery')).toEqual([]);
      await clock(up);
      expect(await entries('browse-recovery')).toEqual([['cleo', null, up]]);
      expect(await named('browse-recovery')).toEqual(
        ['boots', 'parka', 'scarf'].map((one) => ['cleo', one, false]),
      );
      expect(await skips('browse-recovery')).toEqual([
        ['dora', 'filters_not_met', '{"pointer":"/filters/all/0"}'],
      ]);
    },
    TEST_MS_MAX,
  );

  test(
    'E row 118: a cart without an order is told after four hours, with what lies in it; the one who bought hears of an upsell three days later',
    async () => {
      const up = T0 + MINUTE + 4 * HOUR;
      await clock(up - SECOND);
      expect(await entries('cart-recovery')).toEqual([]);
      await clock(up);
      expect(await entries('cart-recovery')).toEqual([['ann', 'c1', up]]);
      expect(await named('cart-recovery')).toEqual(['boots', 'scarf'].map((one) => ['ann', one, false]));
      await clock(T0 + 10 * MINUTE + 3 * DAY - SECOND);
      expect(await entries('post-purchase-upsell')).toEqual([]);
      await clock(T0 + 10 * MINUTE + 3 * DAY);
      expect(await entries('post-purchase-upsell')).toEqual([['ben', null, T0 + 10 * MINUTE + 3 * DAY]]);
    },
    TEST_MS_MAX,
  );

  test(
    'E row 111: who comes back as a visitor and identifies enters, and the entry says as whom and what they looked at',
    async () => {
      await visitor('new-phone', 'Product Viewed', 'parka', BACK);
      const identify = { anonymousId: 'new-phone', userId: 'eve' };
      expect((await calls.pipelines('/identify', identify, { at: BACK + MINUTE })).status).toBe(200);
      await clock(BACK + 2 * MINUTE);
      expect(await entries('winback')).toEqual([['eve', null, BACK + MINUTE]]);
      expect(await named('winback')).toEqual([['eve', 'parka', true]]);
      const evidence = await calls.rows(
        `SELECT JSONExtractString(evidence, 'anonymous_id') FROM journey_entries WHERE journey_id = 'winback'`,
      );
      expect(evidence).toEqual([['new-phone']]);
    },
    TEST_MS_MAX,
  );
});

describe('a journey over the past', () => {
  test.each(['checkout-stall', 'browse-recovery', 'cart-recovery', 'post-purchase-upsell', 'winback'])(
    '%s would have entered whom it did, and skipped whom it did, and enters nobody',
    async (journey) => {
      const before = await entries(journey);
      const told = await replayed(journey);
      expect(shown(told)).toEqual(before);
      expect([told.entered, told.next]).toEqual([before.length, '']);
      const reasons = (await skips(journey)).map((row) => String((row as unknown[])[1]));
      expect(
        Object.entries(told.skipped).flatMap(([reason, count]) => Array<string>(count).fill(reason)),
      ).toEqual(reasons.sort());
      await calls.settled();
      expect(await entries(journey)).toEqual(before);
    },
    TEST_MS_MAX,
  );

  test(
    'is asked before it is stored, and of a part of the past',
    async () => {
      const trigger = {
        event: 'Product Viewed',
        where: [{ property: 'product_id', operator: 'eq', value: 'boots' }],
      };
      const definition = { name: 'Boots', state: 'draft', trigger, frequency: { mode: 'every_rematch' } };
      const all = await replayed('boots', { definition });
      expect(all).toMatchObject({ people: 3, entered: 3, skipped: {} });
      const to = new Date(T0 + 3 * MINUTE).toISOString();
      expect(await replayed('boots', { definition, to })).toMatchObject({ entered: 2 });
    },
    TEST_MS_MAX,
  );

  test(
    'of one person at a moment says what each condition would have done, and what came before',
    async () => {
      const rehearse = async (who: string, at: number) => {
        const path = `/v1/definitions/journeys/browse-recovery/rehearse?person=${who}`;
        return (await calls.app('GET', `${path}&at=${new Date(at).toISOString()}`)).body;
      };
      expect(await rehearse('cleo', T0 + 3 * MINUTE + SECOND)).toMatchObject({
        ...{ from: 'history', result: false, reason: 'filters_not_met', before: [] },
        conditions: [{ pointer: '/filters/all/0', result: false, value: 2 }, { result: true }],
      });
      expect(await rehearse('cleo', T0 + 5 * HOUR)).toMatchObject({
        ...{ result: false, reason: 'frequency', before: [{ outcome: 'entered' }] },
        conditions: [{ pointer: '/filters/all/0', result: true, value: 3 }, { result: true }],
      });
      expect(await rehearse('cleo', BACK + 400 * DAY)).toMatchObject({
        from: 'state',
        reason: 'filters_not_met',
      });
    },
    TEST_MS_MAX,
  );
});

describe('a journey that takes people of before as of their trigger', () => {
  test(
    'has each of them once, at their own time, whatever is killed while the past is read',
    async () => {
      const late = {
        ...{ name: 'Late', state: 'running', include_current: 'as_of_trigger' },
        ...{ trigger: { event: 'Added to Cart' }, key: 'product_id' },
        filters: { not: { event: 'Checkout Started' } },
      };
      await stack.kill('sink');
      const path = '/v1/definitions/journeys/late';
      const put = await calls.app('PUT', path, late);
      expect(put.body).toMatchObject({ warnings: [{ code: 'past_enters', pointer: '/include_current' }] });
      expect((await calls.app('GET', path)).body).toMatchObject({ past: { state: 'open' } });
      await did('cleo', 'Added to Cart', { cart_id: 'c9', product_id: 'parka' }, BACK + HOUR);
      await stack.kill('trigger');
      await stack.restart('sink');
      await stack.restart('trigger');
      await stack.kill('trigger');
      await stack.restart('trigger');
      await calls.settled();
      const placed = [
        ['ann', 'boots', T0],
        ['ann', 'scarf', T0 + MINUTE],
        ['ben', 'boots', T0],
        ['cleo', 'parka', BACK + HOUR],
      ];
      expect([...(await entries('late'))].map((row) => JSON.stringify(row)).sort()).toEqual(
        placed.map((row) => JSON.stringify(row)),
      );
      expect((await calls.app('GET', path)).body).toMatchObject({
        past: { state: 'ready', people: 2, of: 2 },
      });
      await stack.kill('trigger');
      await stack.restart('trigger');
      await calls.settled();
      expect(await entries('late')).toHaveLength(placed.length);
    },
    TEST_MS_MAX,
  );

  test(
    'fires a stall that began before it was there at its own time',
    async () => {
      await did('dora', 'Checkout Started', {}, BACK + 2 * HOUR);
      await calls.settled();
      const trigger = { event: 'Checkout Started', without: { event: 'Order Completed' }, for: 'PT30M' };
      const stalled = { name: 'Stalled', state: 'running', include_current: 'as_of_trigger', trigger };
      expect((await calls.app('PUT', '/v1/definitions/journeys/stalled', stalled)).status).toBe(200);
      await calls.settled();
      // Ann began at the time, and was never asked until now; ben ordered.
      expect(await entries('stalled')).toEqual([['ann', null, T0 + 35 * MINUTE]]);
      await clock(BACK + 2 * HOUR + 30 * MINUTE);
      expect(await entries('stalled')).toEqual([
        ['ann', null, T0 + 35 * MINUTE],
        ['dora', null, BACK + 2 * HOUR + 30 * MINUTE],
      ]);
    },
    TEST_MS_MAX,
  );

  test(
    'has whoever was identified, each once at that time, and a row for who comes back; who comes meanwhile is told as they come',
    async () => {
      const welcome = {
        ...{ name: 'Welcome', state: 'running', include_current: 'as_of_trigger' },
        ...{ trigger: { identified: true }, filters: { attribute: 'email', operator: 'exists' } },
      };
      await person('fay', BACK + 3 * HOUR);
      await calls.settled();
      await stack.kill('sink');
      const path = '/v1/definitions/journeys/welcome';
      const asked = await calls.app('PUT', path, welcome);
      expect(asked.body).toMatchObject({ warnings: [{ code: 'past_enters', pointer: '/include_current' }] });
      expect((await calls.app('GET', path)).body).toMatchObject({ past: { state: 'open' } });
      await person('gus', BACK + 4 * HOUR);
      await stack.kill('trigger');
      await stack.restart('trigger');
      await stack.restart('sink');
      await stack.kill('trigger');
      await stack.restart('trigger');
      await calls.settled();
      expect(await entries('welcome')).toEqual([
        ...['ann', 'ben', 'cleo', 'dora', 'eve'].map((one) => [one, null, T0 - HOUR]),
        ['fay', null, BACK + 3 * HOUR],
        ['gus', null, BACK + 4 * HOUR],
      ]);
      expect(await skips('welcome')).toMatchObject([['eve', 'frequency', expect.anything()]]);
      expect((await calls.app('GET', path)).body).toMatchObject({
        past: { state: 'ready', people: 6, of: 6 },
      });
      const why = await calls.app('GET', '/v1/explain/journeys/welcome?person=ann');
      expect(why.body).toMatchObject({ reason: 'frequency', entries: 1 });
      await clock(BACK + 5 * HOUR);
      const told = await replayed('welcome', { by: 'arrival' });
      expect([told.entered, told.skipped]).toEqual([7, { frequency: 1 }]);
    },
    TEST_MS_MAX,
  );

  test(
    'has whoever entered a segment, also who did nothing but be identified, be put in by hand, or become one with another',
    async () => {
      const at = BACK + 6 * HOUR;
      const bought = { event: 'Order Completed', where: [{ property: 'total', operator: 'gt', value: 200 }] };
      const when = { any: [{ attribute: 'plan', operator: 'eq', value: 'gold' }, bought] };
      const browsed = { event: 'Leaflet Read', count: { at_least: 3 } };
      for (const [id, segment] of Object.entries({
        vip: { name: 'Vip', type: 'data_driven', when },
        readers: { name: 'Readers', type: 'data_driven', when: browsed },
        chosen: { name: 'Chosen', type: 'manual' },
      })) {
        expect((await calls.app('PUT', `/v1/definitions/segments/${id}`, segment)).status).toBe(200);
      }
      const gold = { email: 'hal@mail.example', plan: 'gold' };
      expect((await calls.track('PUT', '/v1/customers/hal', gold, { at })).status).toBe(200);
      for (const id of ['ida', 'jon']) await person(id, at);
      for (const [index, id] of ['ida', 'jon', 'jon'].entries())
        await did(id, 'Leaflet Read', {}, at + index);
      const put = await calls.track(
        'POST',
        '/v1/segments/chosen/add_customers',
        { ids: ['hal', 'dora'] },
        { at },
      );
      expect(put.status).toBe(200);
      await clock(at + HOUR);
      const sides = { primary: { id: 'ida' }, secondary: { id: 'jon' } };
      expect((await calls.track('POST', '/v1/merge_customers', sides, { at: at + 2 * HOUR })).status).toBe(
        200,
      );
      await clock(at + 3 * HOUR);
      const expected = {
        vip: [['hal', at]],
        readers: [['ida', at + 2 * HOUR]],
        chosen: [
          ['dora', at],
          ['hal', at],
        ],
      };
      for (const [segment, placed] of Object.entries(expected)) {
        const journey = {
          ...{ name: segment, state: 'running', include_current: 'as_of_trigger' },
          trigger: { segment, on: 'entered' },
        };
        const path = `/v1/definitions/journeys/of-${segment}`;
        expect((await calls.app('PUT', path, journey)).status).toBe(200);
        await calls.settled();
        expect(await entries(`of-${segment}`)).toEqual(placed.map(([id, time]) => [id, null, time]));
        expect(await skips(`of-${segment}`)).toEqual([]);
      }
    },
    TEST_MS_MAX,
  );
});
