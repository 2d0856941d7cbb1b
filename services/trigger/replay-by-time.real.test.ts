/**
 * What was loaded long after it happened, on a whole installation: a replay by event time and `explain` say the same of it,
 * one by arrival says what a journey would have done, and an edit can be tried before it is stored.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const startMsMax = 240_000;
const testMsMax = 120_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let stack: Stack;
let calls: StackCalls;
const loadedAt = Date.now();
const happened = loadedAt - 3 * HOUR;
const iso = (ms: number) => new Date(ms).toISOString();
const stalled = { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10M' };

async function visitorDid(anonymousId: string, event: string, at: number): Promise<void> {
  const call = { anonymousId, event, timestamp: iso(at), properties: {} };
  expect((await calls.pipelines('/track', call)).status).toBe(200);
}

/** Each fills a cart as a visitor and signs up; ann orders two minutes after the cart, ben does not. Cat was known before. */
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
  await calls.app('PUT', '/v1/definitions/journeys/carts', {
    name: 'Carts',
    state: 'draft',
    trigger: stalled,
  });
  for (const who of ['ann', 'ben']) {
    await visitorDid(`visitor-${who}`, 'Added to Cart', happened);
    const signUp = { anonymousId: `visitor-${who}`, userId: who, timestamp: iso(happened + MINUTE) };
    expect((await calls.pipelines('/identify', signUp)).status).toBe(200);
  }
  await calls.settled();
  const cart = { userId: 'cat', event: 'Added to Cart', timestamp: iso(happened) };
  expect((await calls.pipelines('/track', cart)).status).toBe(200);
  const order = { userId: 'ann', event: 'Order Completed', timestamp: iso(happened + 2 * MINUTE) };
  expect((await calls.pipelines('/track', order)).status).toBe(200);
  await calls.app('PUT', '/v1/definitions/segments/left', {
    ...{ name: 'Left', type: 'data_driven', when: stalled },
  });
  await calls.settled();
}, startMsMax);
afterAll(() => stack.stop(), startMsMax);

async function replayed(asked: object) {
  const answer = await calls.app('POST', '/v1/definitions/journeys/carts/replay', asked);
  expect(answer.status).toBe(200);
  return answer.body;
}

test(
  'by event time the order answers the cart, by arrival it came too late',
  async () => {
    const from = iso(happened - HOUR);
    const byTime = await replayed({ from });
    expect(byTime).toMatchObject({ by: 'event_time', complete: true, of: 3, entered: 2, without_trigger: 1 });
    // Ann's cart would have led to an entry, and the others' to one at another time.
    expect(byTime).toMatchObject({ arrived_late: 3, other_way: 0 });
    const byArrival = await replayed({ from, by: 'arrival' });
    expect(byArrival).toMatchObject({ entered: 3, without_trigger: 0, arrived_late: 3, other_way: 0 });
    // The range is by the same time.
    const later = await replayed({ from: iso(happened + HOUR) });
    expect(later).toMatchObject({ of: 2, entered: 0, without_trigger: 2, arrived_late: 2, other_way: 1 });
    expect(await replayed({ from: iso(loadedAt - MINUTE), by: 'arrival' })).toMatchObject({ entered: 3 });
    const before = await calls.app(
      'GET',
      `/v1/definitions/journeys/carts/rehearse?person=ben&at=${iso(happened + HOUR)}`,
    );
    expect(before.body).toMatchObject({ state: 'draft', before: [{ outcome: 'entered' }] });
  },
  testMsMax,
);

test(
  'explain says the same, in words; an edit can be tried; the past is of the version in force',
  async () => {
    const ann = await calls.app('GET', '/v1/explain/segments/left?person=ann');
    expect(ann.body).toMatchObject({
      result: false,
      conditions: [{ value: 'answered', rests_on: [{ name: 'Order Completed' }, { name: 'Added to Cart' }] }],
    });
    const edit = { name: 'Left', type: 'data_driven', when: { event: 'Order Completed' } };
    const preview = await calls.app('POST', '/v1/definitions/segments/left/preview', edit);
    expect(preview.body).toMatchObject({
      ...{ count: 1, enter: 1, leave: 2, enter_sample: [{ id: 'ann' }] },
      leave_sample: expect.arrayContaining([expect.objectContaining({ id: 'ben' })]),
    });
    const odd = { ...edit, when: { event: 'Oder Completed' } };
    const warned = await calls.app('POST', '/v1/definitions/segments/left/preview', odd);
    expect(warned.body).toMatchObject({ count: 0, warnings: [{ code: 'event_never_seen' }] });
    await calls.app('PUT', '/v1/definitions/segments/left', edit);
    await calls.settled();
    const stored = await calls.app('GET', '/v1/definitions/segments/left');
    expect(stored.body).toMatchObject({ version: 2, past: { state: 'ready', since_version: 2 } });
  },
  testMsMax,
);

test(
  'explain tells what came and is not counted, and names what a rule of any name rests on',
  async () => {
    const where = [{ property: 'total', operator: 'gte', value: 200 }];
    const rules = { dear: { event: 'Order Completed', where }, seen: { event: { operator: 'exists' } } };
    for (const [id, when] of Object.entries(rules)) {
      await calls.app('PUT', `/v1/definitions/segments/${id}`, { name: id, type: 'data_driven', when });
    }
    await calls.settled();
    const dear = await calls.app('GET', '/v1/explain/segments/dear?person=ann');
    expect(dear.body).toMatchObject({
      result: false,
      conditions: [
        { not_counted: [{ name: 'Order Completed', failed: [{ property: 'total', value: null }] }] },
      ],
    });
    const seen = await calls.app('GET', '/v1/explain/segments/seen?person=ann');
    expect(seen.body).toMatchObject({ conditions: [{ rests_on: [{ name: 'Order Completed' }] }] });
  },
  testMsMax,
);
