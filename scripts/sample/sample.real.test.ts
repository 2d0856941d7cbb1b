/** Promises 1 and 2, end to end: real clients, the real services, ClickHouse compared with the oracle. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack, type Stack } from '../../services/testing/stack.ts';
import { check, faultsOf } from './check.ts';
import { waitUntilSettled } from './installation.ts';
import { expectationsOf } from './oracle.ts';
import { applyRules, rules } from './rules.ts';
import { play, Shop } from './send.ts';
import { makeStorefront } from './storefront.ts';
import { Tables } from './tables.ts';

const minuteMs = 60_000;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, 2 * minuteMs);
afterAll(async () => {
  await stack.stop();
}, minuteMs);

test(
  'every call of the storefront ends once, with the right person, in the right order',
  async () => {
    const { http, clickhouse, kafka, registry } = stack;
    const { url, user, password, database } = clickhouse;
    const keys = stack.credentials.sample;
    const withUser = new URL(url);
    withUser.username = user;
    withUser.password = password;
    const shop = new Shop({ http, keys, kafka, registry, clickhouse: withUser.href });
    const tables = new Tables(withUser.href, 'sample', database);
    await applyRules({ http, keys });
    const visitors = makeStorefront({ seed: 11, visitors: 80, now: Date.now(), run: 'e2e' });
    await play(shop, visitors);
    await shop.close();
    await waitUntilSettled({ http }, 2 * minuteMs);
    const report = await check(tables, expectationsOf(visitors), rules);
    await tables.close();
    expect(report.examples).toEqual([]);
    expect(faultsOf(report)).toBe(0);
    expect(report.found).toBe(report.expected);
    expect(report.expected).toBeGreaterThan(500);
  },
  4 * minuteMs,
);
