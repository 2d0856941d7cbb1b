/**
 * What an analyst sees.
 *
 * Two views hold everything that anybody did: `events` has what is a person's, `anonymous_events` what is nobody's yet.
 * Both have each event once. Whose an event is, is answered as of today, so a question that was saved last week counts
 * what a visitor did before anybody knew them. What was left out is in `dropped`, with its reason.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StackCalls } from '../../services/testing/stack-calls.ts';
import { startStack, type Stack } from '../../services/testing/stack.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
let stack: Stack;
let shop: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  shop = new StackCalls(stack);
}, 3 * minuteMs);
afterAll(() => stack.stop(), minuteMs);

interface Act {
  readonly visitor: string;
  readonly event: string;
  readonly daysAgo: number;
  readonly campaign?: string;
  readonly total?: number;
}
const week: readonly Act[] = [
  { visitor: 'v-ada', event: 'Product Viewed', daysAgo: 3, campaign: 'spring' },
  { visitor: 'v-bob', event: 'Product Viewed', daysAgo: 3, campaign: 'spring' },
  { visitor: 'v-eve', event: 'Product Viewed', daysAgo: 2, campaign: 'radio' },
  { visitor: 'v-ada', event: 'Added to Cart', daysAgo: 2 },
  { visitor: 'v-ada', event: 'Order Completed', daysAgo: 1, total: 129.9 },
];
const messageId = ({ visitor, event }: Act): string => `${visitor}: ${event}`;

async function tell(act: Act): Promise<void> {
  const { visitor: anonymousId, event, daysAgo, campaign, total } = act;
  const timestamp = new Date(Date.now() - daysAgo * dayMs).toISOString();
  const context = campaign === undefined ? {} : { campaign: { source: campaign, name: campaign } };
  const properties = total === undefined ? {} : { total };
  const call = { anonymousId, event, timestamp, context, properties, messageId: messageId(act) };
  expect(await shop.pipelines('/track', call)).toEqual({ status: 200, body: {} });
}

/** Visitors of each source, and how many of them are somebody today. */
const conversion = () =>
  shop.rows(
    `SELECT source, count() AS visitors, countIf(known) FROM (
       SELECT visitor, argMin(campaign_source, timestamp) AS source, max(is_known) AS known FROM (
         SELECT anonymous_id AS visitor, timestamp, campaign_source, true AS is_known FROM event_values
         UNION ALL SELECT anonymous_id, timestamp, campaign_source, false FROM anonymous_event_values
       ) GROUP BY visitor
     ) GROUP BY source ORDER BY source`,
  );

describe('what an analyst sees', () => {
  test(
    'a week of a shop: five things that three visitors did, none of them known',
    async () => {
      for (const act of week) await tell(act);
      await shop.settled();
      expect(await shop.rows('SELECT count() FROM anonymous_events')).toEqual([[5]]);
      expect(await shop.rows('SELECT count() FROM events')).toEqual([[0]]);
      expect(await conversion()).toEqual([
        ['radio', 1, 0],
        ['spring', 2, 0],
      ]);
    },
    minuteMs,
  );

  test(
    'Ada says who she is: the same question, asked again, has her where she came from',
    async () => {
      const traits = { email: 'ada@mail.example' };
      await shop.pipelines('/identify', { anonymousId: 'v-ada', userId: 'ada', traits });
      await shop.settled();
      expect(await conversion()).toEqual([
        ['radio', 1, 0],
        ['spring', 2, 1],
      ]);
    },
    minuteMs,
  );

  test(
    'the two views together are all that was sent, each once, with its name as a visitor',
    async () => {
      const sent = week.map(messageId).sort();
      const found = await shop.rows(
        'SELECT message_id FROM events UNION ALL SELECT message_id FROM anonymous_events',
      );
      expect(found.map(([id]) => String(id)).sort()).toEqual(sent);
      expect(await shop.rows('SELECT DISTINCT anonymous_id, previously_anonymous FROM events')).toEqual([
        ['v-ada', true],
      ]);
    },
    minuteMs,
  );

  test(
    'three times: when it happened, when it arrived, when it became hers',
    async () => {
      expect(
        await shop.rows(
          `SELECT name, dateDiff('day', timestamp, received_at), received_at <= merged_at,
             merged_at = (SELECT linked_at FROM identities WHERE kind = 'anonymous_id')
           FROM events ORDER BY timestamp`,
        ),
      ).toEqual([
        ['Product Viewed', 3, 1, 1],
        ['Added to Cart', 2, 1, 1],
        ['Order Completed', 1, 1, 1],
      ]);
    },
    minuteMs,
  );

  test(
    'a funnel over the person begins before anybody knew her; values are columns, not JSON',
    async () => {
      expect(
        await shop.rows(
          `SELECT windowFunnel(604800)(toDateTime(timestamp), name = 'Product Viewed', name = 'Added to Cart', name = 'Order Completed'),
             argMin(campaign_name, timestamp), sum(total)
           FROM event_values GROUP BY person_id`,
        ),
      ).toEqual([[3, 'spring', 129.9]]);
    },
    minuteMs,
  );

  test(
    'one person’s story costs one person: person_events finds it by the sort key',
    async () => {
      const [[person] = []] = await shop.rows(
        `SELECT person_id FROM people WHERE email = 'ada@mail.example'`,
      );
      expect(
        await shop.rows(`SELECT name FROM person_events(person = '${String(person)}') ORDER BY timestamp`),
      ).toEqual([['Product Viewed'], ['Added to Cart'], ['Order Completed']]);
    },
    minuteMs,
  );

  test(
    'a copy is no event: dropped has it, with the reason and the message id',
    async () => {
      for (const act of week) await tell(act);
      await shop.settled();
      expect(
        await shop.rows(
          `SELECT message_id FROM dropped WHERE reason = 'duplicate_message' ORDER BY message_id`,
        ),
      ).toEqual(week.map((act) => [messageId(act)]).sort());
      expect(await shop.rows('SELECT count() FROM events')).toEqual([[3]]);
      expect(await shop.rows('SELECT count() FROM anonymous_events')).toEqual([[2]]);
    },
    minuteMs,
  );

  test(
    'Ada asks to be deleted: she is gone from every view, and the others are not',
    async () => {
      await shop.track('DELETE', '/v1/customers/ada');
      await shop.settled();
      for (const view of ['events', 'people', 'identities', 'segment_memberships']) {
        expect([view, await shop.rows(`SELECT count() FROM ${view}`)]).toEqual([view, [[0]]]);
      }
      expect(await shop.rows('SELECT anonymous_id FROM anonymous_events ORDER BY anonymous_id')).toEqual([
        ['v-bob'],
        ['v-eve'],
      ]);
    },
    minuteMs,
  );
});
