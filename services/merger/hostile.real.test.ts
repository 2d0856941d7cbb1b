/**
 * What nobody should send, over HTTP: each ends in a bounded state, with a reason that can be seen.
 * `npm run simulate -- --hostile` has the million events and ten thousand visitors whole.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { twin, twinElsewhere, victim } from '../testing/chosen-ids.ts';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Keys, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const EVENTS = 10_000;
const VISITORS = 500;
const CALLS_A_BATCH = 1_000;

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

const people = async (where: string): Promise<unknown[][]> =>
  calls.rows(`SELECT id, email FROM people WHERE ${where} ORDER BY id, email`);

test(
  'an identifier of 150 bytes names somebody, one of 151 nobody, each API in its own words',
  async () => {
    const [fits, visitor] = ['é'.repeat(75), 'ü'.repeat(75)];
    const [long, longVisitor] = ['x'.repeat(151), 'v'.repeat(151)];
    expect(await calls.pipelines('/track', { anonymousId: visitor, event: 'Seen' })).toMatchObject({
      status: 200,
    });
    expect(
      await calls.track('PUT', `/v1/customers/${encodeURIComponent(fits)}`, { anonymous_id: visitor }),
    ).toMatchObject({ status: 200 });
    expect(await calls.track('PUT', `/v1/customers/${long}`, {})).toEqual({
      status: 400,
      body: { meta: { error: 'id cannot be longer than 150 bytes' } },
    });
    expect(
      (await calls.track('POST', '/v1/events', { name: 'Seen', anonymous_id: longVisitor })).status,
    ).toBe(400);
    expect((await calls.pipelines('/identify', { userId: long }, { strict: true })).status).toBe(400);
    expect((await calls.pipelines('/identify', { userId: long })).status).toBe(200);
    expect((await calls.pipelines('/track', { anonymousId: longVisitor, event: 'Seen' })).status).toBe(200);
    await calls.settled();
    expect(await people('length(assumeNotNull(id)) >= 150')).toEqual([[fits, null]]);
    expect(await calls.rows(`SELECT name FROM events WHERE anonymous_id = '${visitor}'`)).toEqual([['Seen']]);
    const dropped = await calls.rows(
      `SELECT count() FROM dropped WHERE reason = 'limit_exceeded' AND stage = 'ingest'`,
    );
    expect(dropped).toEqual([[2]]);
  },
  TEST_MS_MAX,
);

test(
  'a NUL and half of a surrogate pair name nobody, and say so',
  async () => {
    for (const name of ['a\\u0000b', 'a\\ud800b']) {
      const sent = `{"id":"${name}"}`;
      expect([name, (await calls.track('PUT', '/v1/customers/fine@shop.example', sent)).status]).toEqual([
        name,
        400,
      ]);
      const visitor = `{"name":"Seen","anonymous_id":"${name}"}`;
      expect([name, (await calls.track('POST', '/v1/events', visitor)).status]).toEqual([name, 400]);
      const loose = JSON.parse(`{"userId":"${name}"}`) as object;
      expect([name, (await calls.pipelines('/identify', loose)).status]).toEqual([name, 200]);
    }
    await calls.settled();
    expect(await people(`email = 'fine@shop.example' OR startsWith(assumeNotNull(id), 'a')`)).toEqual([]);
    const dropped = await calls.rows(
      `SELECT count() FROM dropped WHERE reason = 'identifier_illegal' AND stage = 'ingest'`,
    );
    expect(dropped).toEqual([[2]]);
  },
  TEST_MS_MAX,
);

test(
  'case twins are two ids and one email; placeholders are refused; __proto__ is a name like any other',
  async () => {
    for (const twin of ['Twin', 'twin', 'Twin@shop.example', 'TWIN@shop.example']) {
      expect((await calls.track('PUT', `/v1/customers/${twin}`, {})).status).toBe(200);
    }
    for (const nobody of ['null', 'undefined', 'unknown', '0000']) {
      const url = `/v1/customers/${nobody}`;
      expect((await calls.track('PUT', url, { anonymous_id: 'twins' })).status).toBe(200);
      expect((await calls.track('PUT', url, {})).status).toBe(400);
    }
    const visit = { name: '__proto__', anonymous_id: '__proto__' };
    expect((await calls.track('POST', '/v1/events', visit)).status).toBe(200);
    const sent = '{"anonymous_id":"__proto__","__proto__":{"polluted":"yes"},"constructor":"x"}';
    expect((await calls.track('PUT', '/v1/customers/constructor', sent)).status).toBe(200);
    const named = { name: 'toString' };
    expect((await calls.track('POST', '/v1/customers/__proto__/events', named)).status).toBe(200);
    await calls.settled();
    expect(await people(`lower(coalesce(id, email, '')) LIKE 'twin%'`)).toEqual([
      ['Twin', null],
      ['twin', null],
      [null, 'twin@shop.example'],
    ]);
    expect(
      await calls.rows(
        `SELECT reason, count() FROM stored_dropped
         WHERE anonymous_id = 'twins' GROUP BY reason ORDER BY reason`,
      ),
    ).toEqual([
      ['corrected', 4],
      ['identify_without_identifier', 4],
    ]);
    const theirs = await calls.rows(
      `SELECT p.id, e.name FROM events e JOIN people p USING (person_id)
       WHERE p.id IN ('__proto__', 'constructor') ORDER BY p.id`,
    );
    expect(theirs).toEqual([
      ['__proto__', 'toString'],
      ['constructor', '__proto__'],
    ]);

    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  },
  TEST_MS_MAX,
);

test(
  'ids that were computed to share the hash of a visitor’s lane take nothing of the visitor, and stop nobody',
  async () => {
    const made = await calls.admin('PUT', `/v1/workspaces/${twinElsewhere.workspace}`, {});
    expect(made).toMatchObject({ status: 200 });
    const keys = (made.body as { credentials: Keys }).credentials;
    const evil = new StackCalls(stack, keys);
    for (const event of ['One', 'Two', 'Three'])
      await calls.pipelines('/track', { anonymousId: victim, event });
    await evil.pipelines('/identify', { anonymousId: twinElsewhere.anonymousId, userId: 'mallory-2' });
    await calls.settled();
    const theirs = `SELECT e.name, p.id FROM events e JOIN people p USING (person_id) WHERE e.anonymous_id = '${victim}' ORDER BY ALL`;
    expect(await calls.rows(theirs)).toEqual([]);

    await calls.pipelines('/identify', { anonymousId: twin, userId: 'mallory' });
    await calls.pipelines('/identify', { anonymousId: victim, userId: 'ada' });
    await calls.settled();
    expect(await calls.rows(theirs)).toEqual(['One', 'Three', 'Two'].map((name) => [name, 'ada']));
    expect(await people(`id IN ('ada', 'mallory', 'mallory-2')`)).toEqual(
      ['ada', 'mallory', 'mallory-2'].map((each) => [each, null]),
    );
  },
  TEST_MS_MAX,
);

test(
  'merges in a circle leave one person, and each that did nothing says why',
  async () => {
    const merge = async (primary: string, secondary: string): Promise<void> => {
      const sides = { primary: { id: primary }, secondary: { id: secondary } };
      expect((await calls.track('POST', '/v1/merge_customers', sides)).status).toBe(200);
    };
    for (const each of ['c1', 'c2', 'c3'])
      await calls.track('PUT', `/v1/customers/${each}`, { anonymous_id: `of-${each}` });
    for (const [primary, secondary] of [
      ['c1', 'c2'],
      ['c2', 'c1'],
      ['c1', 'c3'],
      ['c3', 'c1'],
      ['c1', 'c1'],
    ] as const) {
      await merge(primary, secondary);
    }
    await calls.settled();
    expect(await people(`match(assumeNotNull(id), '^c[0-9]$')`)).toEqual([['c1', null]]);
    expect(
      await calls.rows(
        `SELECT reason, count() FROM dropped WHERE startsWith(reason, 'merge_') GROUP BY reason ORDER BY reason`,
      ),
    ).toEqual([
      ['merge_same_person', 1],
      ['merge_unknown_person', 2],
    ]);
    expect(
      await calls.rows(
        `SELECT uniqExact(person_id), count() FROM identities WHERE startsWith(value, 'of-c')`,
      ),
    ).toEqual([[1, 3]]);
  },
  TEST_MS_MAX,
);

test(
  'one visitor with very many events and one email with very many visitors: all of it is theirs, once',
  async () => {
    const batches = async (items: readonly object[]): Promise<void> => {
      for (let from = 0; from < items.length; from += CALLS_A_BATCH) {
        const batch = items.slice(from, from + CALLS_A_BATCH);
        expect((await calls.pipelines('/batch', { batch })).status).toBe(200);
      }
    };
    const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, each) => each);
    await batches(
      numbers(EVENTS).map((each) => ({
        type: 'track',
        anonymousId: 'crawler',
        event: 'Hit',
        messageId: `h${String(each)}`,
      })),
    );
    await batches(
      numbers(VISITORS).flatMap((each) => [
        { type: 'track', anonymousId: `kiosk-${String(each)}`, event: 'Hit' },
        { type: 'identify', anonymousId: `kiosk-${String(each)}`, traits: { email: 'kiosk@shop.example' } },
      ]),
    );
    expect((await calls.track('PUT', '/v1/customers/crawler-1', { anonymous_id: 'crawler' })).status).toBe(
      200,
    );
    await calls.settled();
    expect(
      await calls.rows(
        `SELECT coalesce(p.id, p.email) AS who, count(), uniqExact(e.message_id) FROM events e JOIN people p USING (person_id)
         WHERE e.name = 'Hit' GROUP BY who ORDER BY who`,
      ),
    ).toEqual([
      ['crawler-1', EVENTS, EVENTS],
      ['kiosk@shop.example', VISITORS, VISITORS],
    ]);
    const stray = `SELECT count() FROM anonymous_events WHERE anonymous_id = 'crawler' OR startsWith(assumeNotNull(anonymous_id), 'kiosk')`;
    expect(await calls.rows(stray)).toEqual([[0]]);
  },
  TEST_MS_MAX,
);
