/**
 * Two devices, one person.
 *
 * Somebody looks at boots on a phone, in the bus. Somebody looks at them again on a laptop, at home, and signs up there.
 * A week later they log in on the phone. Until then these were two visitors; from then on it was one person all along.
 * A device is somebody's once and for ever: whoever logs in on it later is a person of their own, without its past.
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
/** Who did what: id, device, name, oldest first by its own time. */
const story = () =>
  shop.rows(
    `SELECT p.id, e.anonymous_id, e.name FROM events AS e INNER JOIN people AS p ON e.person_id = p.person_id
     ORDER BY e.timestamp, e.name`,
  );
const members = () =>
  shop.rows(
    `SELECT p.id FROM segment_memberships AS s INNER JOIN people AS p ON s.person_id = p.person_id
     WHERE s.segment_id = 'boots-twice'`,
  );

describe('two devices, one person', () => {
  test(
    'the shop wants to know who looked at boots twice, wherever they looked',
    async () => {
      const { status } = await shop.app('PUT', '/v1/definitions/segments/boots-twice', {
        name: 'Looked at boots twice',
        type: 'data_driven',
        when: { event: 'Product Viewed', count: { at_least: 2 }, within: 'P30D' },
      });
      expect(status).toBe(200);
      await shop.settled();
    },
    minuteMs,
  );

  test(
    'a phone and a laptop, each once: two visitors, and nobody is known',
    async () => {
      for (const [anonymousId, hoursAgo] of [['phone', 2] as const, ['laptop', 1] as const]) {
        const timestamp = new Date(Date.now() - hoursAgo * 60 * minuteMs).toISOString();
        const view = { anonymousId, event: 'Product Viewed', properties: { sku: 'boots' }, timestamp };
        expect(await shop.pipelines('/track', view)).toEqual(taken);
      }
      await shop.settled();
      expect(await shop.rows('SELECT anonymous_id FROM anonymous_events ORDER BY timestamp')).toEqual([
        ['phone'],
        ['laptop'],
      ]);
      expect(await shop.rows('SELECT count() FROM people')).toEqual([[0]]);
    },
    minuteMs,
  );

  test(
    'the laptop signs up: its past is Ada’s, the phone’s is still nobody’s',
    async () => {
      const traits = { email: 'ada@mail.example' };
      await shop.pipelines('/identify', { anonymousId: 'laptop', userId: 'ada', traits });
      await shop.settled();
      expect(await story()).toEqual([['ada', 'laptop', 'Product Viewed']]);
      expect(await shop.rows('SELECT anonymous_id FROM anonymous_events')).toEqual([['phone']]);
      expect(await members()).toEqual([]);
    },
    minuteMs,
  );

  test(
    'the phone logs in: one person, one story in its own order, and the segment counts both',
    async () => {
      await shop.pipelines('/identify', { anonymousId: 'phone', userId: 'ada' });
      await shop.settled();
      expect(await story()).toEqual([
        ['ada', 'phone', 'Product Viewed'],
        ['ada', 'laptop', 'Product Viewed'],
      ]);
      expect(await members()).toEqual([['ada']]);
      expect(
        await shop.rows(`SELECT value FROM identities WHERE kind = 'anonymous_id' ORDER BY value`),
      ).toEqual([['laptop'], ['phone']]);
    },
    minuteMs,
  );

  test(
    'she is as old as the first thing she did, on whichever device that was',
    async () => {
      expect(
        await shop.rows('SELECT first_seen_at = (SELECT min(timestamp) FROM events), email FROM people'),
      ).toEqual([[1, 'ada@mail.example']]);
    },
    minuteMs,
  );

  test(
    'what the phone does in the next minutes is hers, although it names nobody',
    async () => {
      await shop.pipelines('/track', { anonymousId: 'phone', event: 'Added to Cart' });
      await shop.settled();
      expect((await story()).at(-1)).toEqual(['ada', 'phone', 'Added to Cart']);
    },
    minuteMs,
  );

  test(
    'her brother logs in on the phone: he is somebody, what he does by name is his, and her past stays hers',
    async () => {
      await shop.pipelines('/identify', { anonymousId: 'phone', userId: 'ben' });
      await shop.pipelines('/track', { anonymousId: 'phone', userId: 'ben', event: 'Search' });
      await shop.settled();
      expect((await story()).filter(([who]) => who === 'ben')).toEqual([['ben', 'phone', 'Search']]);
      expect((await story()).filter(([who]) => who === 'ada')).toHaveLength(3);
      const { body } = await shop.app('GET', '/v1/trace?anonymous_id=phone');
      const { steps } = body as { steps: readonly { stage: string; reason?: string }[] };
      expect(steps.filter(({ stage }) => stage === 'refused')).toEqual([
        expect.objectContaining({ reason: 'anonymous_id_taken' }),
      ]);
    },
    minuteMs,
  );
});
