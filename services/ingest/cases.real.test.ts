/**
 * Calls of the real world through a whole installation, each with the number of its case: who they belong to, when they
 * happened, and that what was taken otherwise than it was sent has its row.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const DAY_MS = 86_400_000;

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

const ok = { status: 200, body: {} };
const track = async (body: object): Promise<void> => {
  expect(await calls.pipelines('/track', body)).toEqual(ok);
};
const identify = async (body: object): Promise<void> => {
  expect(await calls.pipelines('/identify', body)).toEqual(ok);
};
/** Names of the events of the person with this id or email, in order. */
const eventsOf = async (name: string): Promise<unknown[]> => {
  const rows = await calls.rows(
    `SELECT e.name FROM events AS e INNER JOIN people AS p ON e.person_id = p.person_id
     WHERE p.id = '${name}' OR p.email = '${name}' ORDER BY e.name`,
  );
  return rows.map(([event]) => event);
};
const correctionsOf = async (messageId: string): Promise<unknown> => {
  const rows = await calls.rows(
    `SELECT arrayMap(each -> JSONExtractString(each, 'why'), JSONExtractArrayRaw(assumeNotNull(detail), 'corrections'))
     FROM dropped WHERE reason = 'corrected' AND message_id = '${messageId}'`,
  );
  return rows.flat(2);
};

test(
  'cases 4 to 8, 13, 14: what was lost is kept, and one bad part costs itself',
  async () => {
    await track({ anonymousId: 'c4', userId: 'c4', event: 'Look' });
    await identify({ anonymousId: 'c4', userId: 'c4', traits: { plan: 'gold' } });
    await track({ anonymousId: 'c5', event: 'Look', properties: [], context: [], messageId: 'm5' });
    await track({ anonymousId: 'c6', event: 'Past' });
    const traits = { email: 'c6@mail.example', avatar: 'x'.repeat(1_100), plan: 'gold' };
    await identify({ anonymousId: 'c6', traits, messageId: 'm6' });
    await track({ anonymousId: 'c7', userId: false, event: 'Look', messageId: 'm7' });
    const item =
      '{"type":"track","anonymousId":"c8","event":"Look","messageId":"m8","properties":{"price":NaN}}';
    const other = '{"type":"track","anonymousId":"c8","event":"Other","messageId":"m8b"}';
    await calls.pipelines('/batch', `{"batch":[${item},${other}]}`);
    const url = `https://shop.example/pricing?${'q'.repeat(9_000)}`;
    expect(await calls.pipelines('/page', { anonymousId: 'c13', properties: { url } })).toEqual(ok);
    const numbers =
      '{"userId":"c14","event":"Order","properties":{"tracking":1e400,"n":123456789012345678901234567890,"total":12.5}}';
    await calls.pipelines('/track', numbers);
    await calls.settled();

    expect(await eventsOf('c4')).toEqual(['Look']);
    expect(
      await calls.rows(
        `SELECT count() FROM activities WHERE JSONExtractString(assumeNotNull(detail), 'value') = 'c4'`,
      ),
    ).toEqual([[1]]);
    expect(await calls.rows(`SELECT properties FROM anonymous_events WHERE anonymous_id = 'c5'`)).toEqual([
      ['{}'],
    ]);
    expect(await correctionsOf('m5')).toEqual(['empty_list', 'empty_list']);
    expect(await eventsOf('c6@mail.example')).toEqual(['Past']);
    expect(await calls.rows(`SELECT attributes FROM people WHERE email = 'c6@mail.example'`)).toEqual([
      ['{"plan":"gold"}'],
    ]);
    expect(await correctionsOf('m6')).toEqual(['over_limit']);
    expect(await calls.rows(`SELECT name FROM anonymous_events WHERE anonymous_id = 'c7'`)).toEqual([
      ['Look'],
    ]);
    expect(await correctionsOf('m7')).toEqual(['not_a_name']);
    expect(
      await calls.rows(
        `SELECT name, properties FROM anonymous_events WHERE anonymous_id = 'c8' ORDER BY name`,
      ),
    ).toEqual([
      ['Look', '{"price":null}'],
      ['Other', null],
    ]);
    expect(await correctionsOf('m8')).toEqual(['not_a_number']);
    expect(await correctionsOf('m8b')).toEqual([]);
    expect(
      await calls.rows(`SELECT name, properties FROM anonymous_events WHERE anonymous_id = 'c13'`),
    ).toEqual([['https://shop.example/pricing', JSON.stringify({ url })]]);
    expect(await calls.rows(`SELECT total FROM event_values WHERE name = 'Order'`)).toEqual([[12.5]]);
  },
  TEST_MS_MAX,
);

test(
  'cases 15 to 18, 24, 25: one name in many spellings is one person, and strangers stay apart',
  async () => {
    for (const [n, spelling] of [
      'c15@mail.example',
      ' c15@mail.example',
      'C15@mail.example\u200b',
    ].entries()) {
      await track({ userId: spelling, event: `E${String(n)}` });
    }
    expect(await calls.track('PUT', '/v1/customers/%20c15%40mail.example%20', { plan: 'gold' })).toEqual(ok);
    await track({ anonymousId: 'c24-f2a0', event: 'Past' });
    expect(await calls.track('PUT', '/v1/customers/c24', { anonymous_id: '"c24-f2a0"' })).toEqual(ok);
    for (const stranger of ['one', 'two']) {
      await track({ anonymousId: `c17-${stranger}`, event: 'Look' });
      await identify({ anonymousId: `c17-${stranger}`, userId: '{{customer.id}}' });
      await track({ anonymousId: 'anonymousId', userId: `c17-${stranger}`, event: 'Buy' });
    }
    await calls.pipelines('/track', '{"userId":910042.0,"event":"One"}');
    await calls.pipelines('/track', '{"userId":910042,"event":"Two"}');
    await identify({ userId: 'c26@shop', traits: { email: 'c26@mail.example' } });
    await calls.settled();

    expect(await eventsOf('c15@mail.example')).toEqual(['E0', 'E1', 'E2']);
    expect(await eventsOf('c24')).toEqual(['Past']);
    expect(await eventsOf('c17-one')).toEqual(['Buy']);
    expect(await eventsOf('c17-two')).toEqual(['Buy']);
    expect(
      await calls.rows(`SELECT anonymous_id FROM anonymous_events WHERE anonymous_id LIKE 'c17%' ORDER BY 1`),
    ).toEqual([['c17-one'], ['c17-two']]);
    expect(await calls.rows(`SELECT count() FROM people WHERE id LIKE '%customer%'`)).toEqual([[0]]);
    expect(await eventsOf('910042')).toEqual(['One', 'Two']);
    expect(await calls.rows(`SELECT email FROM people WHERE id = 'c26@shop'`)).toEqual([
      ['c26@mail.example'],
    ]);

    const [[personId] = []] = await calls.rows(`SELECT person_id FROM people WHERE id = '910042'`);
    const bare = String(personId).replace('cio_', '');
    const operation = { type: 'person', action: 'event', identifiers: { cio_id: bare }, name: 'Three' };
    expect(await calls.track('POST', '/v2/entity', operation)).toEqual(ok);
    await calls.settled();
    expect(await eventsOf('910042')).toEqual(['One', 'Three', 'Two']);
  },
  TEST_MS_MAX,
);

test(
  'cases 19 to 22: times',
  async () => {
    expect(await calls.track('PUT', '/v1/customers/c19', { plan: 'old', _timestamp: Date.now() })).toEqual(
      ok,
    );
    await calls.settled();
    expect(await calls.track('PUT', '/v1/customers/c19', { plan: 'new' })).toEqual(ok);
    const before = Date.now();
    await track({ userId: 'c20', event: 'Zero', timestamp: '1970-01-01T00:00:00Z', messageId: 'm20' });
    const days = new Date(before - 6 * DAY_MS).toISOString();
    await track({ userId: 'c21', event: 'Skew', timestamp: days, sentAt: days, messageId: 'm21' });
    const at = '2024-03-05 10:00:00 +0000';
    for (const timestamp of [at, 'Tue, 05 Mar 2024 10:00:00 GMT', Date.UTC(2024, 2, 5, 10), 1_709_632_800]) {
      await track({ userId: 'c22', event: 'Backfill', timestamp });
    }
    await calls.settled();

    expect(
      await calls.rows(
        `SELECT JSONExtractString(assumeNotNull(attributes), 'plan') FROM people WHERE id = 'c19'`,
      ),
    ).toEqual([['new']]);
    expect(await calls.rows(`SELECT count() FROM people WHERE first_seen_at < '2000-01-01'`)).toEqual([[0]]);
    expect(await correctionsOf('m20')).toEqual(['zero_time']);
    expect(await correctionsOf('m21')).toEqual(['device_clock']);
    expect(
      await calls.rows(
        `SELECT count() FROM events WHERE name IN ('Zero', 'Skew') AND timestamp >= fromUnixTimestamp64Milli(${String(before)})`,
      ),
    ).toEqual([[2]]);
    expect(
      await calls.rows(`SELECT DISTINCT toString(timestamp) FROM events WHERE name = 'Backfill'`),
    ).toEqual([['2024-03-05 10:00:00.000']]);
  },
  TEST_MS_MAX,
);

test(
  'case 27: a split takes the events of an email whose letters are not ASCII',
  async () => {
    const email = 'ÄC27@mail.example';
    await identify({ userId: 'c27', traits: { email } });
    await track({ userId: email, event: 'By email' });
    await track({ userId: 'c27', event: 'By id' });
    await calls.settled();
    const split = { identifiers: [email], into: null, by: 'test', why: 'shared' };
    expect((await calls.app('POST', '/v1/people/c27/split', split)).status).toBe(200);
    await calls.settled();
    expect(await eventsOf('c27')).toEqual(['By id']);
    expect(await eventsOf('äc27@mail.example')).toEqual(['By email']);
  },
  TEST_MS_MAX,
);
