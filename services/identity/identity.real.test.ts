/**
 * A whole installation: control calls that follow identifies at once always find them, also while identity is killed;
 * and identity.log has each number once.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { IdentityFact } from '../../schemas/records.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { registerSchemas } from '../runtime/registry.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SETTLE_ATTEMPTS_MAX = 480;
const PAIRS = 20;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

async function track(method: string, path: string, body?: object): Promise<void> {
  const { site_id, api_key } = stack.credentials.default;
  const response = await fetch(`${stack.http}/api/v1${path}`, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${site_id}:${api_key}`).toString('base64')}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(120_000),
  });
  expect({ path, status: response.status }).toEqual({ path, status: 200 });
}

async function settled(): Promise<void> {
  let last = '';
  for (let attempt = 0; attempt < SETTLE_ATTEMPTS_MAX; attempt += 1) {
    const response = await fetch(`${stack.http}/health/settled`, { signal: AbortSignal.timeout(120_000) });
    last = await response.text();
    if (response.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`not settled: ${last}`);
}

async function select(sql: string): Promise<readonly (readonly unknown[])[]> {
  const { url, user, password, database } = stack.clickhouse;
  const response = await fetch(`${url}/?database=${database}&default_format=JSONCompactEachRow`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
    body: sql,
    signal: AbortSignal.timeout(120_000),
  });
  const text = await response.text();
  expect({ sql, status: response.status, text: response.ok ? '' : text }).toMatchObject({ status: 200 });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as readonly unknown[]);
}

async function facts(): Promise<readonly IdentityFact[]> {
  const codecs = await registerSchemas({ url: stack.registry });
  const log = await openLog({
    brokers: stack.kafka.split(','),
    clientId: 'identity-test',
    prefix: stack.prefix,
  });
  const ends = await log.admin.endOffsets('identityLog');
  const reader = log.reader({ bufferBytesMax: 16_000_000, fetchBytesMax: 1_000_000, waitMsMax: 100 });
  await reader.start(ends.map((_, partition) => ({ topic: 'identityLog' as const, partition, offset: 0 })));
  const found: IdentityFact[] = [];
  const next = ends.map(() => 0);
  while (ends.some((end, partition) => (next[partition] ?? 0) < end)) {
    await reader.wait(1_000);
    for (const slice of reader.take(1_000_000)) {
      slice.forEach(({ bytes, valueStart, valueEnd }) => {
        found.push(codecs.IdentityFact.decode(bytes, valueStart, valueEnd));
      });
      next[slice.partition] = slice.next;
      slice.release();
    }
  }
  await reader.close();
  await log.close();
  return found;
}

const pairs = Array.from({ length: PAIRS }, (_, each) => String(each + 1));

describe('control calls right after the calls that they are about', () => {
  test(
    'PUT a, PUT b, merge: always merges; identify, delete: always deleted, and may come back',
    async () => {
      const stories = pairs.map(async (n) => {
        await track('PUT', `/customers/a-${n}`, { anonymous_id: `phone-${n}` });
        await track('PUT', `/customers/b-${n}`, { email: `b${n}@example.com`, anonymous_id: `laptop-${n}` });
        await track('POST', `/customers/b-${n}/events`, { name: 'Ordered' });
        await track('POST', '/merge_customers', { primary: { id: `a-${n}` }, secondary: { id: `b-${n}` } });
        await track('PUT', `/customers/gone-${n}`, {});
        await track('DELETE', `/customers/gone-${n}`);
      });
      const killed = (async () => {
        await stack.kill('identity');
        await stack.restart('identity');
      })();
      await Promise.all([...stories, killed]);
      await settled();
      const back = pairs.map((n) => `gone-${n}`).slice(1);
      await Promise.all(back.map((id) => track('PUT', `/customers/${id}`, {})));
      await settled();

      const people = await select(`SELECT id, email FROM people WHERE workspace = 'default'`);
      const expected = [
        ...pairs.map((n) => [`a-${n}`, `b${n}@example.com`]),
        ...back.map((id) => [id, null]),
      ];
      expect(people.map((row) => JSON.stringify(row)).sort()).toEqual(
        expected.map((row) => JSON.stringify(row)).sort(),
      );
      const orders = await select(
        `SELECT count(), uniqExact(person_id) FROM events WHERE name = 'Ordered'
         AND person_id IN (SELECT person_id FROM people WHERE id LIKE 'a-%')`,
      );
      expect(orders.map((row) => row.map(Number))).toEqual([[PAIRS, PAIRS]]);
    },
    TEST_MS_MAX,
  );

  test(
    'identity.log has each number once, in order, whatever was killed',
    async () => {
      const numbers = (await facts())
        .filter(({ workspace }) => workspace === 'default')
        .map(({ number }) => number);
      expect(numbers.length).toBeGreaterThan(PAIRS);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    },
    TEST_MS_MAX,
  );
});
