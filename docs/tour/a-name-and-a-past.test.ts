/**
 * A name and a past.
 *
 * Somebody looks at boots. Nobody knows who it is, so nothing happens: no profile, no segment, no journey. Ten minutes
 * later they type their address into a form, and what they did is theirs. This chapter makes the calls that a shop
 * would make, and reads what an analyst would read.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type Stack } from '../../services/testing/stack.ts';
import { waitUntilSettled } from '../../scripts/sample/installation.ts';

const minuteMs = 60_000;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, 2 * minuteMs);
afterAll(async () => {
  await stack.stop();
}, minuteMs);

describe('a name and a past', () => {
  test(
    'the shop says what it wants to know: who put something into the cart',
    async () => {
      const answer = await app('PUT', '/v1/definitions/segments/cart', {
        name: 'Put something into the cart',
        type: 'data_driven',
        when: { event: 'Added to Cart', within: 'P1D' },
      });
      expect(answer.status).toBe(200);
      const journey = await app('PUT', '/v1/definitions/journeys/reminder', {
        name: 'Remind of the cart',
        state: 'running',
        trigger: { event: 'Added to Cart' },
        frequency: { mode: 'once' },
      });
      expect(journey.status).toBe(200);
    },
    minuteMs,
  );

  test(
    'a visitor looks around; each call is answered once the broker has it',
    async () => {
      await call('page', {
        anonymousId: 'visitor-7',
        name: 'Boots',
        properties: { url: 'https://shop.example/boots' },
      });
      await call('track', {
        anonymousId: 'visitor-7',
        event: 'Product Viewed',
        properties: { sku: 'boots' },
      });
      await call('track', {
        anonymousId: 'visitor-7',
        event: 'Added to Cart',
        properties: { sku: 'boots', price: 129.9 },
      });
      await waitUntilSettled(stack, minuteMs);
      expect(await rows('SELECT toUInt32(count()) AS n FROM anonymous_events')).toEqual([{ n: 3 }]);
    },
    minuteMs,
  );

  test(
    'nobody is known, so nothing has happened to anybody',
    async () => {
      expect(await rows('SELECT toUInt32(count()) AS n FROM people')).toEqual([{ n: 0 }]);
      expect(await rows('SELECT toUInt32(count()) AS n FROM events')).toEqual([{ n: 0 }]);
      expect(await rows('SELECT toUInt32(count()) AS n FROM segment_memberships')).toEqual([{ n: 0 }]);
      expect(await rows('SELECT toUInt32(count()) AS n FROM journey_entries')).toEqual([{ n: 0 }]);
    },
    minuteMs,
  );

  test(
    'the visitor says who they are, and the past is theirs, in order',
    async () => {
      await call('identify', {
        anonymousId: 'visitor-7',
        userId: '42',
        traits: { email: 'ada@mail.example' },
      });
      await waitUntilSettled(stack, minuteMs);
      expect(
        await rows('SELECT name, previously_anonymous FROM events ORDER BY _partition, _offset'),
      ).toEqual([
        { name: 'https://shop.example/boots', previously_anonymous: true },
        { name: 'Product Viewed', previously_anonymous: true },
        { name: 'Added to Cart', previously_anonymous: true },
      ]);
      expect(await rows('SELECT toUInt32(count()) AS n FROM anonymous_events')).toEqual([{ n: 0 }]);
      expect(await rows('SELECT id, email FROM people')).toEqual([{ id: '42', email: 'ada@mail.example' }]);
    },
    minuteMs,
  );

  test(
    'segments and journeys saw it as if it had been known from the start',
    async () => {
      expect(await rows('SELECT segment_id FROM segment_memberships')).toEqual([{ segment_id: 'cart' }]);
      expect(await rows('SELECT journey_id FROM journey_entries')).toEqual([{ journey_id: 'reminder' }]);
    },
    minuteMs,
  );

  test(
    'the activity log says what was merged: how many, since when, whose id',
    async () => {
      const [line] = await rows<{ detail: string }>(
        `SELECT detail FROM activities WHERE kind = 'Anonymous Data Merged'`,
      );
      const detail = JSON.parse(line?.detail ?? '{}') as {
        count: number;
        oldest: number;
        anonymous_id: string;
      };
      expect(detail).toMatchObject({ count: 3, anonymous_id: 'visitor-7' });
      expect(Math.abs(detail.oldest - Date.now() / 1000)).toBeLessThan(600);
    },
    minuteMs,
  );
});

/** A call of the Pipelines API, as any Segment-shaped client makes it. */
async function call(verb: 'page' | 'track' | 'identify', body: unknown): Promise<void> {
  const answer = await fetch(`${stack.http}/v1/${verb}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${stack.credentials.default.write_key}:`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(120_000),
  });
  expect([answer.status, await answer.text()]).toEqual([200, '{}\n']);
}

/** A call of the App API, with the app key. */
function app(method: string, path: string, body: unknown): Promise<Response> {
  return fetch(stack.http + path, {
    method,
    headers: {
      authorization: `Bearer ${stack.credentials.default.app_key}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(120_000),
  });
}

/** What an analyst gets, over plain HTTP. */
async function rows<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
  const { url, user, password, database } = stack.clickhouse;
  const answer = await fetch(`${url}/?database=${database}`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
    body: `${sql} FORMAT JSONEachRow`,
    signal: AbortSignal.timeout(120_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}
