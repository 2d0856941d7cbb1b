/**
 * Stalls in a whole installation whose clock the test sets, with the trigger killed before, at and after the moment: at
 * 9:59 nothing, at 10:00 once, to the millisecond, and nothing that an order prevents, whoever was dead when it came.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The clock goes on from here and never back. */
const T0 = Date.UTC(2027, 2, 1);

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack({ env: { HINDSIGHT_TEST_CLOCK: 'on' } });
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

async function track(person: string, event: object, at: number): Promise<void> {
  const answer = await calls.track('POST', `/v1/customers/${person}/events`, event, { at });
  expect(answer.status).toBe(200);
}
async function clock(at: number): Promise<void> {
  const answer = await calls.app('PUT', '/v1/test-clock', { now: new Date(at).toISOString() });
  expect(answer.status).toBe(200);
  await calls.settled();
}
async function killed(): Promise<void> {
  await stack.kill('trigger');
  await stack.restart('trigger');
}

/** Person, key, when and because of what, of those who entered. */
async function entries(): Promise<readonly unknown[]> {
  return calls.rows(
    `SELECT p.id, e.key, toUnixTimestamp64Milli(e.entered_at), e.trigger_message_id = '' OR e.trigger_message_id IS NULL
     FROM (SELECT person_id, key, entered_at, trigger_message_id FROM journey_entries WHERE journey_id = 'recovery') AS e
     JOIN (SELECT id, person_id FROM people) AS p ON p.person_id = e.person_id ORDER BY p.id, e.key`,
  );
}
async function turns(): Promise<readonly unknown[]> {
  return calls.rows(
    `SELECT p.id, c.change, toUnixTimestamp64Milli(c.at), c.cause_message_id
     FROM (SELECT person_id, change, at, cause_message_id FROM segment_changes WHERE segment_id = 'stalled') AS c
     JOIN (SELECT id, person_id FROM people) AS p ON p.person_id = c.person_id ORDER BY p.id, c.at`,
  );
}

test(
  'a stall of ten minutes is told at 10:00 and not at 9:59, once, whatever dies (spec E rows 73, 110)',
  async () => {
    const stall = { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10M' };
    const recovery = { name: 'Recovery', state: 'running', trigger: stall, key: 'cart_id' };
    const segment = { name: 'Stalled', type: 'data_driven', when: { ...stall, within: 'PT1H' } };
    const ordering = { name: 'Thanks', state: 'running', trigger: { event: 'Order Completed' } };
    for (const [path, body] of [
      ['journeys/recovery', { ...recovery, frequency: { mode: 'every_rematch' } }],
      ['journeys/thanks', { ...ordering, filters: { attribute: 'plan', operator: 'exists' } }],
      ['segments/stalled', segment],
    ] as const) {
      expect((await calls.app('PUT', `/v1/definitions/${path}`, body)).status).toBe(200);
    }
    const cart = (cart_id: string) => ({ name: 'Added to Cart', data: { cart_id } });
    const order = (cart_id: string) => ({ name: 'Order Completed', data: { cart_id } });
    for (const person of ['p-alone', 'p-buys', 'p-late', 'p-two']) {
      expect((await calls.track('PUT', `/v1/customers/${person}`, {}, { at: T0 - MINUTE })).status).toBe(200);
    }
    await track('p-alone', cart('one'), T0);
    await track('p-buys', cart('one'), T0);
    await track('p-late', cart('one'), T0);
    await track('p-two', cart('one'), T0);
    await track('p-two', cart('two'), T0 + MINUTE);
    await calls.settled();

    await stack.kill('trigger');
    await track('p-buys', order('one'), T0 + 9 * MINUTE);
    await track('p-two', order('one'), T0 + 9 * MINUTE);
    await stack.restart('trigger');
    await clock(T0 + 10 * MINUTE - SECOND);
    expect(await entries()).toEqual([]);
    expect(await turns()).toEqual([]);

    await killed();
    await clock(T0 + 10 * MINUTE);
    const up = T0 + 10 * MINUTE;
    const first = [
      ['p-alone', 'one', up, false],
      ['p-late', 'one', up, false],
    ].map(([id, key, at, isByTime]) => [id, key, at, isByTime ? 1 : 0]);
    expect(normal(await entries())).toEqual(first);
    expect(normal(await turns())).toEqual([
      ['p-alone', 'entered', up, null],
      ['p-late', 'entered', up, null],
    ]);

    await killed();
    // What has fired stays fired; the segment says what is true now.
    await track('p-late', order('one'), T0 + 10 * MINUTE + SECOND);
    await clock(T0 + 11 * MINUTE);
    await killed();
    await clock(T0 + 2 * HOUR);
    const two = ['p-two', 'two', T0 + 11 * MINUTE, 0];
    expect(normal(await entries())).toEqual([...first, two]);
    const left = (await turns()).filter((row) => (row as unknown[])[1] === 'left');
    expect(normal(left)).toEqual([
      ['p-alone', 'left', T0 + HOUR, null],
      ['p-late', 'left', T0 + HOUR, null],
    ]);
    const skipped = await calls.rows(
      `SELECT reason, key, detail, count() FROM journey_skips WHERE journey_id = 'thanks' GROUP BY ALL`,
    );
    expect(normal(skipped)).toEqual([['filters_not_met', null, '{"pointer":"/filters"}', 3]]);
  },
  TEST_MS_MAX,
);

function normal(rows: readonly unknown[]): unknown {
  return rows.map((row) =>
    (row as unknown[]).map((value) => (typeof value === 'boolean' ? Number(value) : value)),
  );
}
