/**
 * A merge taken apart.
 *
 * Support takes two customers for one and merges them. Everything becomes one person's: what they did, their names,
 * what segments had counted. Then the second customer calls. A split names what was theirs, and from the visitor's first
 * click on it is theirs again, also in questions that an analyst asked yesterday. Counts start anew, and say so.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StackCalls } from '../../services/testing/stack-calls.ts';
import { startStack, type Stack } from '../../services/testing/stack.ts';

const minuteMs = 60_000;
let stack: Stack;
let shop: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  shop = new StackCalls(stack);
}, 3 * minuteMs);
afterAll(() => stack.stop(), minuteMs);

const taken = { status: 200, body: {} };
async function adds(device: string): Promise<void> {
  const cart = { name: 'Added to Cart', anonymous_id: device };
  expect(await shop.track('POST', '/v1/events', cart)).toEqual(taken);
}
/** By id, else by email. */
const WHO = `coalesce(p.id, p.email)`;
const carts = () =>
  shop.rows(
    `SELECT ${WHO} AS who, e.anonymous_id, count() FROM events AS e INNER JOIN people AS p ON e.person_id = p.person_id
     GROUP BY who, e.anonymous_id ORDER BY who, e.anonymous_id`,
  );
const keen = () =>
  shop.rows(
    `SELECT ${WHO} FROM segment_memberships AS s INNER JOIN people AS p ON s.person_id = p.person_id
     WHERE s.segment_id = 'keen' ORDER BY 1`,
  );
/** What an analyst asked yesterday, and asks again. */
const cartsOfAda = () =>
  shop.rows(`SELECT count() FROM events WHERE person_id IN (SELECT person_id FROM people WHERE id = 'ada')`);

describe('a merge taken apart', () => {
  test(
    'two customers, each with a device and a cart; whoever has two carts is keen, and nobody is',
    async () => {
      const { status } = await shop.app('PUT', '/v1/definitions/segments/keen', {
        name: 'Keen',
        type: 'data_driven',
        when: { event: 'Added to Cart', count: { at_least: 2 } },
      });
      expect(status).toBe(200);
      await shop.settled();
      await adds('laptop');
      await adds('phone');
      await shop.track('PUT', '/v1/customers/ada', { anonymous_id: 'laptop' });
      await shop.track('PUT', '/v1/customers/bob', { anonymous_id: 'phone', email: 'bob@mail.example' });
      await shop.settled();
      expect(await carts()).toEqual([
        ['ada', 'laptop', 1],
        ['bob', 'phone', 1],
      ]);
      expect(await keen()).toEqual([]);
      expect(await cartsOfAda()).toEqual([[1]]);
    },
    minuteMs,
  );

  test(
    'support merges Bob into Ada: what he did is hers, what she lacked comes from him, and she is keen',
    async () => {
      const merge = { primary: { id: 'ada' }, secondary: { id: 'bob' } };
      expect(await shop.track('POST', '/v1/merge_customers', merge)).toEqual(taken);
      await shop.settled();
      expect(await carts()).toEqual([
        ['ada', 'laptop', 1],
        ['ada', 'phone', 1],
      ]);
      expect(await shop.rows('SELECT id, email FROM people')).toEqual([['ada', 'bob@mail.example']]);
      expect(await keen()).toEqual([['ada']]);
      expect(await cartsOfAda()).toEqual([[2]]);
    },
    minuteMs,
  );

  test(
    'the split names what was Bob’s, who asks and why; it is taken like any call about people',
    async () => {
      const split = {
        anonymous_ids: ['phone'],
        identifiers: ['bob@mail.example'],
        by: 'carla of support',
        why: 'two customers of one street',
      };
      expect((await shop.app('POST', '/v1/people/ada/split', split)).status).toBe(200);
      await shop.settled();
      expect(await carts()).toEqual([
        ['ada', 'laptop', 1],
        ['bob@mail.example', 'phone', 1],
      ]);
      expect(await cartsOfAda()).toEqual([[1]]);
    },
    minuteMs,
  );

  test(
    'both count anew: Ada left the segment, and the record says so',
    async () => {
      expect(await keen()).toEqual([]);
      expect(
        await shop.rows(`SELECT change FROM segment_changes WHERE segment_id = 'keen' ORDER BY at, change`),
      ).toEqual([['entered'], ['left']]);
    },
    minuteMs,
  );

  test(
    'the activity log has the merge and the split, with whoever asked',
    async () => {
      const of = (field: string) => `JSONExtractString(assumeNotNull(detail), '${field}')`;
      expect(
        await shop.rows(
          `SELECT DISTINCT kind, ${of('by')}, ${of('why')} FROM activities
           WHERE kind IN ('Person Merged', 'Person Split') ORDER BY kind`,
        ),
      ).toEqual([
        ['Person Merged', '', ''],
        ['Person Split', 'carla of support', 'two customers of one street'],
      ]);
    },
    minuteMs,
  );

  test(
    'what each device does next goes to whose it is now, without a name',
    async () => {
      await adds('phone');
      await adds('laptop');
      await adds('laptop');
      await shop.settled();
      expect(await carts()).toEqual([
        ['ada', 'laptop', 3],
        ['bob@mail.example', 'phone', 2],
      ]);
      // What Bob did before the merge is his again, and counts.
      expect(await keen()).toEqual([['ada'], ['bob@mail.example']]);
    },
    minuteMs,
  );
});
