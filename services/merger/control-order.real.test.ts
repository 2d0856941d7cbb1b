/**
 * A whole installation: calls that follow one another as fast as answers come, in a lane that knows the person, end as
 * the order of the calls says.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runs } from '../testing/runs.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SETTLE_ATTEMPTS_MAX = 480;
const ROUNDS = Array.from({ length: runs(3) }, (_, round) => String(round + 1));

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

async function track(method: string, path: string, body?: object): Promise<void> {
  const { site_id, api_key } = stack.credentials.default;
  const response = await fetch(`${stack.http}/api/v1/customers/${path}`, {
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
  const response = await fetch(`${url}/?database=${database}`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password },
    body: `${sql} FORMAT JSONCompactEachRow`,
    signal: AbortSignal.timeout(120_000),
  });
  const text = await response.text();
  expect({ sql, status: response.status, text }).toEqual({ sql, status: 200, text });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown[]);
}

/** People alive whose id begins so, each with the names of their events. */
async function peopleNamed(prefix: string): Promise<readonly string[]> {
  const rows = await select(
    `SELECT p.id, arraySort(groupArrayIf(e.name, e.name != ''))
     FROM (SELECT id, person_id FROM people WHERE startsWith(assumeNotNull(id), '${prefix}')) AS p
     LEFT JOIN (SELECT person_id, assumeNotNull(name) AS name FROM events) AS e ON e.person_id = p.person_id
     GROUP BY p.id, p.person_id`,
  );
  return rows.map(([id, names]) => `${String(id)}: ${(names as string[]).join(', ')}`).sort();
}
const each = (prefix: string, events: string): readonly string[] =>
  ROUNDS.map((round) => `${prefix}${round}: ${events}`).sort();

/** Every round in lanes of its own, which learn the person first. */
async function rounds(
  prefix: string,
  story: (person: string, visitor: string) => Promise<void>,
): Promise<void> {
  const names = ROUNDS.map((round) => [`${prefix}${round}`, `browser-${prefix}${round}`] as const);
  for (const [person, visitor] of names) {
    await track('PUT', person, { anonymous_id: visitor });
    await track('POST', `${person}/events`, { name: 'Before', anonymous_id: visitor });
  }
  await settled();
  for (const [person, visitor] of names) await story(person, visitor);
  await settled();
}

describe('a control call between calls of a lane that knows the person', () => {
  test(
    'identify, DELETE, identify at once, again and again: always a new person',
    async () => {
      await rounds('again-', async (person, visitor) => {
        await track('PUT', person, { anonymous_id: visitor });
        await track('DELETE', person);
        await track('PUT', person, { anonymous_id: visitor });
        await track('POST', `${person}/events`, { name: 'After', anonymous_id: visitor });
      });
      expect(await peopleNamed('again-')).toEqual(each('again-', 'After'));
    },
    TEST_MS_MAX,
  );

  test(
    'DELETE, then a track at once, again and again: the event is a new person’s',
    async () => {
      await rounds('tracked-', async (person, visitor) => {
        await track('DELETE', person);
        await track('POST', `${person}/events`, { name: 'After', anonymous_id: visitor });
      });
      expect(await peopleNamed('tracked-')).toEqual(each('tracked-', 'After'));
    },
    TEST_MS_MAX,
  );

  test(
    'suppress, identify, unsuppress, identify, again and again: the first is dropped, the second makes a new person',
    async () => {
      await rounds('blocked-', async (person, visitor) => {
        await track('POST', `${person}/suppress`);
        await track('PUT', person, { anonymous_id: visitor, plan: 'dropped' });
        await track('POST', `${person}/unsuppress`);
        await track('PUT', person, { anonymous_id: visitor, plan: 'kept' });
      });
      expect(await peopleNamed('blocked-')).toEqual(each('blocked-', ''));
      const dropped = await select(
        `SELECT count(), uniqExact(anonymous_id) FROM stored_dropped
         WHERE reason = 'identifier_suppressed' AND startsWith(ifNull(anonymous_id, ''), 'browser-blocked-')`,
      );
      expect(dropped.map((row) => row.map(Number))).toEqual([[ROUNDS.length, ROUNDS.length]]);
    },
    TEST_MS_MAX,
  );

  test(
    'markers are nobody’s events: no table has them, and nothing waits',
    async () => {
      const rows = await select(`SELECT count() FROM stored_collected WHERE source = 'ingest.marker'`);
      expect(rows.map((row) => row.map(Number))).toEqual([[0]]);
      const answers = await select(
        `SELECT uniqExact(kind) FROM stored_decisions WHERE kind NOT IN ('granted', 'resolved', 'refused')`,
      );
      expect(answers.map((row) => row.map(Number))).toEqual([[0]]);
    },
    TEST_MS_MAX,
  );
});
