/**
 * The storefront that `npm start` plays, end to end: real clients, the real services. ClickHouse is compared with the
 * oracle (promises 1 and 2), and asked the questions of docs/cookbook.md, each of which has something to say.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { cookbookQuestions } from '../../services/testing/cookbook.ts';
import { startStack, type Stack } from '../../services/testing/stack.ts';
import { check, faultsOf } from './check.ts';
import { waitUntilSettled } from './installation.ts';
import { expectationsOf } from './oracle.ts';
import { applyRules, rules } from './rules.ts';
import { play, Shop } from './send.ts';
import { makeStorefront } from './storefront.ts';
import { Tables } from './tables.ts';

const minuteMs = 60_000;
/** Its defaults (scripts/sample.ts). */
const visitors = makeStorefront({ seed: 1, visitors: 200, now: Date.now(), run: 'e2e' });
const oracle = expectationsOf(visitors);
let stack: Stack;
let clickhouse: ClickHouseClient;
beforeAll(async () => {
  stack = await startStack();
  const { url, user: username, password, database } = stack.clickhouse;
  clickhouse = createClient({ url, username, password, database, log: { level: ClickHouseLogLevel.OFF } });
}, 2 * minuteMs);
afterAll(async () => {
  await clickhouse.close();
  await stack.stop();
}, minuteMs);

test(
  'every call of the storefront ends once, with the right person, in the right order',
  async () => {
    const { http, credentials } = stack;
    const { url, user, password, database } = stack.clickhouse;
    const withUser = new URL(url);
    withUser.username = user;
    withUser.password = password;
    const shop = new Shop({ http, keys: credentials.sample });
    const tables = new Tables(withUser.href, 'sample', database);
    await applyRules({ http, keys: credentials.sample });
    await play(shop, visitors);
    await shop.close();
    await waitUntilSettled({ http }, 2 * minuteMs);
    const report = await check(tables, oracle, rules);
    await tables.close();
    expect(report.examples).toEqual([]);
    expect(faultsOf(report)).toBe(0);
    expect(report.found).toBe(report.expected);
    expect(report.expected).toBeGreaterThan(1_000);
  },
  4 * minuteMs,
);

type Row = Readonly<Record<string, unknown>>;
async function ask(question: number): Promise<readonly Row[]> {
  const query_params = { workspace: 'sample' };
  const query = cookbookQuestions().get(question) ?? '';
  return (await clickhouse.query({ query, query_params, format: 'JSONEachRow' })).json<Row>();
}
const numbers = (rows: readonly Row[], column: string): number[] => rows.map((row) => Number(row[column]));
const sum = (rows: readonly Row[], column: string): number =>
  numbers(rows, column).reduce((a, b) => a + b, 0);
const ordersOf = [...oracle.didEvent('Order Completed')].length;

/** What makes an answer one that an analyst could go on with, and not only some lines. */
const answers: readonly (readonly [number, string, (rows: readonly Row[]) => void])[] = [
  [
    1,
    'sources differ in what they bring',
    (rows) => {
      expect(rows.map(({ source }) => source)).toEqual(
        expect.arrayContaining(['google', 'tiktok', 'newsletter']),
      );
      expect(new Set(numbers(rows, 'conversion')).size).toBeGreaterThan(1);
      expect(rows.every(({ conversion }) => Number(conversion) > 0 && Number(conversion) < 1)).toBe(true);
    },
  ],
  [
    2,
    'people take from minutes to days',
    ([all]) => {
      expect(Number(all?.['people'])).toBeGreaterThan(40);
      expect(Number(all?.['median_hours'])).toBeGreaterThan(0);
      expect(Number(all?.['longest_hours'])).toBeGreaterThan(24);
    },
  ],
  [
    3,
    'the funnel narrows at each step, and has a past',
    ([all]) => {
      const steps = ['viewed', 'added_to_cart', 'ordered', 'ordered_after_anonymous_view'].map((step) =>
        Number(all?.[step]),
      );
      expect(steps).toEqual(steps.toSorted((a, b) => b - a));
      expect(new Set(steps.slice(0, 3)).size).toBe(3);
      expect(steps.at(-1)).toBeGreaterThan(0);
    },
  ],
  [
    4,
    'several campaigns have brought revenue',
    (rows) => {
      expect(rows.filter(({ campaign, revenue }) => campaign !== 'none' && Number(revenue) > 0)).toHaveLength(
        3,
      );
      expect(sum(rows, 'orders')).toBeGreaterThanOrEqual(ordersOf);
    },
  ],
  [
    5,
    'two segments share some of their people',
    (rows) => {
      expect(rows.map(({ segment, other }) => `${String(segment)} ${String(other)}`).sort()).toEqual([
        'buyers cart-lovers',
        'cart-lovers buyers',
      ]);
      expect(numbers(rows, 'share_of_segment').every((share) => share > 0 && share < 1)).toBe(true);
    },
  ],
  [
    6,
    'most of those who entered were sent something, and some were not',
    (rows) => {
      expect(rows).toMatchObject([{ journey: rules.journey.id }]);
      expect(Number(rows[0]?.['sent'])).toBeGreaterThan(0);
      expect(Number(rows[0]?.['gap'])).toBeGreaterThan(0);
    },
  ],
  [
    7,
    'repeats were dropped, each of them',
    (rows) => {
      const repeats = rows.find(({ reason }) => reason === 'duplicate_message');
      expect(Number(repeats?.['times'])).toBe(oracle.repeats.length);
    },
  ],
  [
    8,
    'somebody has many devices, and some devices many people',
    (rows) => {
      expect(new Set(rows.map(({ finding }) => finding)).size).toBe(2);
    },
  ],
  [
    9,
    'the message has two arms, and both have orders',
    (rows) => {
      expect(rows.map(({ variant }) => variant)).toEqual(['default', 'holdout']);
      expect(numbers(rows, 'people').every((people) => people >= 10)).toBe(true);
      expect(numbers(rows, 'converted').every((converted) => converted > 0)).toBe(true);
      expect(
        rows.every(
          ({ low, conversion, high }) =>
            Number(low) < Number(conversion) && Number(conversion) < Number(high),
        ),
      ).toBe(true);
      expect(rows[0]?.['lift']).not.toBeNull();
    },
  ],
  [
    10,
    'one property has two types',
    (rows) => {
      const drifted = rows.filter(({ types }) => (types as readonly string[]).length > 1);
      expect(drifted).toMatchObject([
        { name: 'Added to Cart', property: 'quantity', types: ['number', 'text'] },
      ]);
      expect(rows.length).toBeGreaterThan(20);
    },
  ],
  [
    11,
    'what was done before an identify has waited',
    (rows) => {
      expect(sum(rows, 'merged_events')).toBeGreaterThan(100);
      expect(Math.max(...numbers(rows, 'median_seconds'))).toBeGreaterThan(0);
    },
  ],
  [
    12,
    'every kind of row is fresh',
    (rows) => {
      expect(rows).toHaveLength(4);
      expect(numbers(rows, 'seconds_old').every((seconds) => seconds >= 0 && seconds < 3_600)).toBe(true);
    },
  ],
];
test.each(answers)('cookbook question %d: %s', async (question, _, look) => {
  const rows = await ask(question);
  look(rows);
});

test('events of the bots say so, and no others', async () => {
  const query =
    "SELECT bot, uniqExact(anonymous_id) AS visitors FROM anonymous_events WHERE workspace = 'sample' GROUP BY bot ORDER BY bot";
  const [, bots] = await (await clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>();
  const expected = visitors.filter(({ kind }) => kind === 'bot').length;
  expect(expected).toBeGreaterThan(0);
  expect(bots).toEqual({ bot: true, visitors: expected });
});
