/**
 * Spec C over HTTP, in a whole installation whose clock the test sets: windows at their boundaries, to the second, and
 * what analysts find afterwards. docs/spec/merging.md says where each row is shown in small.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Keys, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The clock goes on from here and never back. */
const T0 = Date.UTC(2027, 2, 1);

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack({ env: { HINDSIGHT_TEST_CLOCK: 'on' } });
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

const ok = { status: 200, body: {} };
async function visit(anonymousId: string, name: string, at: number, timestamp?: number): Promise<void> {
  const seconds = timestamp === undefined ? {} : { timestamp: timestamp / SECOND };
  const event = { name, anonymous_id: anonymousId, ...seconds };
  expect(await calls.track('POST', '/v1/events', event, { at })).toEqual(ok);
}
async function identify(person: string, attributes: object, at: number): Promise<void> {
  expect(await calls.track('PUT', `/v1/customers/${person}`, attributes, { at })).toEqual(ok);
}
async function track(person: string, event: object, at: number): Promise<void> {
  expect(await calls.track('POST', `/v1/customers/${person}/events`, event, { at })).toEqual(ok);
}

/** `person: names of their events, in the order of the topic`, of people whose id or email begins so. */
async function histories(prefix: string): Promise<readonly string[]> {
  const rows = await calls.rows(
    `SELECT concat(coalesce(p.id, p.email, ''), ':', arrayStringConcat(arrayMap(each -> concat(' ', each.2),
       arraySort(groupArrayIf((e.place, assumeNotNull(e.name)), e.name != ''))))) AS line
     FROM (SELECT id, email, person_id FROM people WHERE workspace = 'default' AND startsWith(coalesce(id, email, ''), '${prefix}')) AS p
     LEFT JOIN (SELECT person_id, name, (_partition, _offset) AS place FROM events) AS e ON e.person_id = p.person_id
     GROUP BY p.id, p.email, p.person_id ORDER BY line`,
  );
  return rows.map(([line]) => String(line));
}
async function anonymous(prefix: string): Promise<readonly string[]> {
  const rows = await calls.rows(
    `SELECT concat(anonymous_id, ': ', name) AS line FROM anonymous_events
     WHERE startsWith(assumeNotNull(anonymous_id), '${prefix}') ORDER BY line`,
  );
  return rows.map(([line]) => String(line));
}
/** Of people by id. */
const named = `transform(person_id, (SELECT groupArray(person_id) FROM people),
  (SELECT groupArray(coalesce(id, email, '')) FROM people), '')`;

test(
  'C.1 rows 1, 2, 22, 30, E rows 10 to 14, 30, 31: nobody is made of a visitor, nor of an invite; nothing triggers',
  async () => {
    const cart = { event: 'Cart' };
    const segment = { name: 'Carts', type: 'data_driven', when: cart };
    const journey = { name: 'Reminder', state: 'running', trigger: cart };
    expect((await calls.app('PUT', '/v1/definitions/segments/carts', segment)).status).toBe(200);
    expect((await calls.app('PUT', '/v1/definitions/journeys/reminder', journey)).status).toBe(200);
    await calls.settled(); // what is defined is in force where it is read
    await visit('inert', 'Cart', T0);
    const invite = { name: 'Cart', data: { recipient: 'guest@shop.example' } };
    expect(await calls.track('POST', '/v1/events', invite, { at: T0 })).toEqual(ok);
    for (const each of ['1', '2', '3']) await visit(`old-${each}`, 'Old', T0);
    await calls.settled();
    const counts = ['people', 'events', 'segment_changes', 'journey_entries'];
    for (const table of counts)
      expect([table, await calls.rows(`SELECT count() FROM ${table}`)]).toEqual([table, [[0]]]);
    expect(await anonymous('inert')).toEqual(['inert: Cart']);
    expect(
      await calls.rows(`SELECT DISTINCT processed_at FROM activities WHERE anonymous_id = 'inert'`),
    ).toEqual([[null]]);
    await identify('guest@shop.example', {}, T0);
    await calls.settled();
    expect(await histories('guest@')).toEqual(['guest@shop.example:']);
  },
  TEST_MS_MAX,
);

test(
  'C.1 rows 4 to 8, 10, 14, 15, E rows 15, 18 to 20, 26, 27: what came before the claim or within five minutes of it is the person’s, once and for ever',
  async () => {
    const at = T0 + HOUR;
    await visit('grace', 'Later', at - 2 * SECOND, at - 5 * SECOND);
    await visit('grace', 'Earlier', at - SECOND, at - 9 * SECOND);
    await identify('grace-1', { anonymous_id: 'grace' }, at);
    for (const [name, ms] of [
      ['4:59', 299_000],
      ['5:00', 300_000],
      ['5:01', 301_000],
    ] as const) {
      await visit('grace', name, at + ms);
    }
    await identify('grace-1', { anonymous_id: 'grace', plan: 'pro' }, at + 10 * MINUTE);
    await visit('grace', '11:00', at + 11 * MINUTE);
    await identify('grace-2', { anonymous_id: 'grace', plan: 'free' }, at + 12 * MINUTE);
    await calls.settled();
    expect(await histories('grace-')).toEqual(['grace-1: Earlier Later 4:59 5:00', 'grace-2:']);
    expect(await anonymous('grace')).toEqual(['grace: 11:00', 'grace: 5:01']);
    const merged = await calls.rows(
      `SELECT JSONExtractInt(detail, 'count'), JSONExtractInt(detail, 'oldest'), anonymous_id
       FROM activities WHERE kind = 'Anonymous Data Merged' AND anonymous_id = 'grace' ORDER BY timestamp`,
    );
    expect(merged).toEqual([
      [2, at / SECOND - 9, 'grace'],
      [1, at / SECOND + 299, 'grace'],
      [1, at / SECOND + 300, 'grace'],
    ]);
    const marks = await calls.rows(
      `SELECT name, previously_anonymous, toUnixTimestamp64Milli(merged_at), toUnixTimestamp64Milli(timestamp)
       FROM events WHERE anonymous_id = 'grace' AND name IN ('Earlier', '4:59') ORDER BY merged_at`,
    );
    expect(marks).toEqual([
      ['Earlier', true, at, at - 9 * SECOND],
      ['4:59', true, at + 299_000, at + 299_000],
    ]);
    const refused = await calls.rows(
      `SELECT ${named}, JSONExtractString(detail, 'reason') FROM activities
       WHERE kind = 'Failed Attribute Change' AND anonymous_id = 'grace'`,
    );
    expect(refused).toEqual([['grace-2', 'anonymous_id_taken']]);
    const plans = await calls.rows(
      `SELECT id, JSONExtractString(attributes, 'plan') FROM people WHERE startsWith(assumeNotNull(id), 'grace-') ORDER BY id`,
    );
    expect(plans).toEqual([
      ['grace-1', 'pro'],
      ['grace-2', 'free'],
    ]);
  },
  TEST_MS_MAX,
);

test(
  'C.1 rows 9, 26, E rows 17, 21, 29, 102: a new anonymous id needs an identify of its own, and then both pasts are one',
  async () => {
    const at = T0 + 2 * HOUR;
    await visit('first', 'Before', at);
    await identify('again@shop.example', { anonymous_id: 'first' }, at + SECOND);
    await visit('second', 'After the logout', at + 10 * MINUTE);
    await calls.settled();
    expect(await histories('again@')).toEqual(['again@shop.example: Before']);
    await identify('again@shop.example', { anonymous_id: 'second' }, at + 11 * MINUTE);
    await calls.settled();
    expect(await histories('again@')).toEqual(['again@shop.example: Before After the logout']);
  },
  TEST_MS_MAX,
);

test(
  'E row 25: a workspace that is made with merging off has it off',
  async () => {
    const settings = { anonymous_event_merge: false };
    const { status, body } = await calls.admin('PUT', '/v1/workspaces/old', settings);
    expect(status).toBe(200);
    const { credentials } = body as { credentials: Keys };
    const old = new StackCalls(stack, credentials);
    await calls.settled();
    const at = T0 + 3 * HOUR;
    expect(await old.track('POST', '/v1/events', { name: 'Before', anonymous_id: 'v' }, { at })).toEqual(ok);
    expect(await old.track('PUT', '/v1/customers/old-1', { anonymous_id: 'v' }, { at: at + SECOND })).toEqual(
      ok,
    );
    await calls.settled();
    const events = await calls.rows(`SELECT count() FROM events WHERE workspace = 'old'`);
    const people = await calls.rows(`SELECT id FROM people WHERE workspace = 'old'`);
    expect([events, people]).toEqual([[[0]], [['old-1']]]);
  },
  TEST_MS_MAX,
);

test(
  'C.1 rows 11, 12, E rows 22, 23, 106, 107: an event triggers up to 72 hours after its timestamp, merged or identified; older ones join segments',
  async () => {
    const at = T0 + DAY;
    const ages = { young: 72 * HOUR - SECOND, exact: 72 * HOUR, old: 72 * HOUR + SECOND };
    for (const [name, ms] of Object.entries(ages)) {
      await visit(`age-${name}`, 'Cart', at, at - ms);
      await identify(`age-merged-${name}`, { anonymous_id: `age-${name}` }, at);
      await track(`age-named-${name}`, { name: 'Cart', timestamp: (at - ms) / SECOND }, at);
    }
    await calls.settled();
    const people = (table: string) =>
      calls.rows(`SELECT ${named} AS who FROM ${table} WHERE startsWith(who, 'age-') ORDER BY who`);
    const all = ['merged', 'named'].flatMap((how) =>
      Object.keys(ages)
        .sort()
        .map((age) => [`age-${how}-${age}`]),
    );
    expect(await people('segment_memberships')).toEqual(all);
    expect(await people('journey_entries')).toEqual(all.filter(([who]) => who?.endsWith('-old') !== true));
  },
  TEST_MS_MAX,
);

test(
  'C.1 row 13, E row 24: with merging off nothing merges and nothing is burned; on again, the next claim has it all',
  async () => {
    const at = T0 + 2 * DAY;
    await visit('toggle', 'Before', at);
    await calls.app('PUT', '/v1/workspaces/default', { anonymous_event_merge: false });
    await calls.settled();
    await identify('toggle-1', { anonymous_id: 'toggle' }, at + SECOND);
    await calls.settled();
    expect(await histories('toggle-')).toEqual(['toggle-1:']);
    await calls.app('PUT', '/v1/workspaces/default', { anonymous_event_merge: true });
    await calls.settled();
    expect(await histories('toggle-')).toEqual(['toggle-1:']);
    await identify('toggle-1', { anonymous_id: 'toggle' }, at + 2 * SECOND);
    await calls.settled();
    expect(await histories('toggle-')).toEqual(['toggle-1: Before']);
  },
  TEST_MS_MAX,
);

test(
  'C.1 rows 16 to 19, 21, 27, E rows 16, 28: who is named has the event, whatever the browser is linked to; only an identify claims',
  async () => {
    const at = T0 + 3 * DAY;
    const send = async (path: string, body: object, ms: number): Promise<void> => {
      expect(await calls.pipelines(path, body, { at: at + ms })).toEqual(ok);
    };
    await send('/track', { anonymousId: 'both', event: 'Anonymous' }, 0);
    await send('/track', { anonymousId: 'both', userId: 'who-1', event: 'Named' }, SECOND);
    await send('/identify', { anonymousId: 'both', traits: { plan: 'pro' } }, 2 * SECOND);
    await send('/track', { anonymousId: 'mail', event: 'Anonymous' }, 3 * SECOND);
    await send(
      '/identify',
      { anonymousId: 'mail', userId: '', traits: { email: 'Who-2@shop.example' } },
      4 * SECOND,
    );
    await send('/track', { anonymousId: 'alias', event: 'Anonymous' }, 5 * SECOND);
    await send('/alias', { userId: 'who-3', previousId: 'alias' }, 6 * SECOND);
    await send('/track', { anonymousId: 'mail', userId: 'who-4', event: 'Switched' }, 7 * SECOND);
    await send('/track', { anonymousId: 'mail', event: 'Within' }, 8 * SECOND);
    const batch = [
      { type: 'track', anonymousId: 'order', userId: 'who-5', event: 'Ahead' },
      { type: 'identify', anonymousId: 'order', userId: 'who-5' },
      { type: 'track', anonymousId: 'order', event: 'Behind' },
    ];
    await send('/batch', { batch }, 9 * SECOND);
    await calls.settled();
    expect(await anonymous('both')).toEqual(['both: Anonymous']);
    expect(await histories('who-')).toEqual([
      'who-1: Named',
      'who-2@shop.example: Anonymous Within',
      'who-3: Anonymous',
      'who-4: Switched',
      'who-5: Ahead Behind',
    ]);
    // What the visitor said of themselves without a name waits with them.
    const dropped = await calls.rows(
      `SELECT DISTINCT reason FROM dropped WHERE detail LIKE '%both%' OR reason LIKE '%identify_without%'`,
    );
    expect(dropped).toEqual([]);
  },
  TEST_MS_MAX,
);

test(
  'C.1 rows 24, 25: who is suppressed claims nothing; a deleted person’s events are gone, the anonymous id stays burned',
  async () => {
    const at = T0 + 4 * DAY;
    await visit('blocked', 'Before', at);
    expect(await calls.track('POST', '/v1/customers/gone-1/suppress', undefined, { at })).toEqual(ok);
    await identify('gone-1', { anonymous_id: 'blocked' }, at + SECOND);
    await visit('burned', 'Before', at);
    await identify('gone-2', { anonymous_id: 'burned' }, at + SECOND);
    expect(await calls.track('DELETE', '/v1/customers/gone-2', undefined, { at: at + 2 * SECOND })).toEqual(
      ok,
    );
    await visit('burned', 'After', at + 3 * SECOND);
    await identify('gone-2', { anonymous_id: 'burned' }, at + 4 * SECOND);
    await track('gone-2', { name: 'New life' }, at + 5 * SECOND);
    await calls.settled();
    expect(await histories('gone-')).toEqual(['gone-2: New life']);
    expect(await anonymous('blocked')).toEqual(['blocked: Before']);
    expect(
      await calls.rows(
        `SELECT reason FROM stored_dropped WHERE stage = 'merger' AND anonymous_id = 'blocked'`,
      ),
    ).toEqual([['identifier_suppressed']]);
  },
  TEST_MS_MAX,
);

test(
  'C.1 row 3, E rows 8, 9: what was received 30 days before the claim merges, a second more does not; then it is nowhere',
  async () => {
    const at = T0 + 30 * DAY;
    for (const [index, ms] of [-SECOND, 0, SECOND].entries()) {
      const each = String(index + 1);
      await identify(`aged-${each}`, { anonymous_id: `old-${each}` }, at + ms);
    }
    await calls.settled();
    expect(await histories('aged-')).toEqual(['aged-1: Old', 'aged-2: Old', 'aged-3:']);
    expect(await anonymous('old-')).toEqual([]);
    const lines = `SELECT anonymous_id FROM activities WHERE startsWith(assumeNotNull(anonymous_id), 'old-') AND kind = 'Event'`;
    expect(await calls.rows(`${lines} AND person_id IS NULL`)).toEqual([]);
    expect(await calls.rows(`${lines} ORDER BY anonymous_id`)).toEqual([['old-1'], ['old-2']]);
    const merged = await calls.rows(
      `SELECT anonymous_id FROM activities WHERE kind = 'Anonymous Data Merged' AND startsWith(assumeNotNull(anonymous_id), 'old-') ORDER BY anonymous_id`,
    );
    expect(merged).toEqual([['old-1'], ['old-2']]);
  },
  TEST_MS_MAX,
);
