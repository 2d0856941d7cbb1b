/**
 * Takes the questions of cookbook.md and asks them a small shop whose answers can be counted by hand, as the owner of the
 * tables and as the embedded engine's read-only account.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEngineProcess, type EngineProcess } from '../infra/local/engine/engine-process.ts';
import { analystViews } from '../services/sink/schema/dictionary/views.ts';
import { migrate } from '../services/sink/schema/migrate.ts';
import { cookbookQuestions } from '../services/testing/cookbook.ts';
import { openTarget, type ClickHouseAddress } from '../services/sink/target.ts';

type Row = Readonly<Record<string, unknown>>;

const questions = cookbookQuestions();

const folder = mkdtempSync(join(tmpdir(), 'hindsight-cookbook-'));
let engine: EngineProcess;
let address: ClickHouseAddress;
let client: ClickHouseClient;
let reader: ClickHouseClient;
let offset = 0;
let number = 0;

const day = (n: number, time = '12:00:00') => `2026-03-${String(n).padStart(2, '0')} ${time}.000`;

async function insert(table: string, rows: readonly Row[]): Promise<void> {
  const values = rows.map((row) => ({ workspace: 'shop', _partition: 0, _offset: offset++, ...row }));
  await client.insert({ table, values, format: 'JSONEachRow' });
}
async function ask(who: ClickHouseClient, question: number): Promise<unknown[]> {
  const query = questions.get(question);
  if (query === undefined) throw new Error(`there is no question ${String(question)}`);
  const now = `toDateTime64('${question === 10 ? day(9) : day(20)}', 3, 'UTC')`;
  const asked = query.replaceAll('now64(3)', now);
  return (
    await who.query({ query: asked, query_params: { workspace: 'shop' }, format: 'JSONEachRow' })
  ).json();
}

function event(person_id: string, name: string, at: string, rest: Row = {}): Row {
  return {
    person_id,
    name,
    type: 'event',
    timestamp: at,
    received_at: at,
    merged_at: at,
    message_id: `m${String(offset)}`,
    identifier_kind: 'id',
    identifier: person_id,
    previously_anonymous: false,
    ...rest,
  };
}
/** An event from before the person was known. */
function before(visitor: string, merged_at: string, row: Row): Row {
  return {
    ...row,
    identifier_kind: 'none',
    identifier: null,
    anonymous_id: visitor,
    previously_anonymous: true,
    merged_at,
  };
}
const campaign = (source: string, name: string): Row => ({
  context: JSON.stringify({ campaign: { source, name } }),
});
const total = (value: number): Row => ({ properties: JSON.stringify({ total: value }) });

beforeAll(async () => {
  const port = await freePort();
  const readerTables = analystViews.map(({ name }) => name);
  engine = await startEngineProcess({ folder, port, readerDatabases: 'hindsight', readerTables });
  const { url, username, password } = engine;
  address = { url, username, password, database: 'hindsight' };
  await migrate(address);
  const log = { level: ClickHouseLogLevel.OFF };
  client = createClient({ ...address, log });
  reader = createClient({ ...address, username: engine.reader, password: engine.readerPassword, log });
  const claim = (person_id: string, identifier: string, at: string): Row => ({
    kind: 'anonymous_claimed',
    number: ++number,
    at,
    person_id,
    identifier_kind: 'anonymous_id',
    identifier,
  });
  await insert('stored_facts', [
    claim('ann', 'v1', day(2)),
    claim('bob', 'v2', day(4)),
    claim('old-bob', 'v3', day(5)),
    claim('bob', 'v4', day(6)),
    {
      kind: 'person_absorbed',
      number: ++number,
      at: day(7),
      person_id: 'old-bob',
      other_person_id: 'bob',
      identifier_kind: 'none',
    },
  ]);
  await insert('stored_merged', [
    before('v1', day(2), event('ann', 'Product Viewed', day(1), campaign('newsletter', 'spring'))),
    before('v1', day(2), event('ann', 'Added to Cart', day(1, '12:05:00'))),
    event('ann', 'Order Completed', day(3), total(100)),
    event('ann', 'Message Sent', day(4), { properties: '{"journey_id":"welcome"}' }),
    before('v2', day(4), event('bob', 'Product Viewed', day(3), campaign('search', 'brand'))),
    before('v3', day(5), event('old-bob', 'Product Viewed', day(4), campaign('search', 'brand'))),
    event('old-bob', 'Order Completed', day(6), total(50.5)),
    event('bob', 'Refunded', day(4), { properties: '{"total":true}', anonymous_id: 'v2' }),
    event('cid', 'Order Completed', day(8), { properties: '{"total":"twenty"}', anonymous_id: 'v1' }),
  ]);
  const refresh = openTarget(address, { replicated: false });
  await refresh.refreshToday('all');
  await refresh.close();
  await insert('stored_collected', [
    {
      type: 'page',
      anonymous_id: 'v9',
      message_id: 'a1',
      timestamp: day(9),
      received_at: day(9),
      ...campaign('search', 'x'),
    },
    {
      type: 'page',
      anonymous_id: 'a-crawler',
      message_id: 'a2',
      timestamp: day(8),
      received_at: day(8),
      bot: true,
    },
  ]);
  const change = (segment_id: string, person_id: string): Row => ({
    segment_id,
    person_id,
    change: 'entered',
    at: day(5),
    rule_version: 1,
  });
  await insert('stored_segment_changes', [
    change('buyers', 'ann'),
    change('buyers', 'bob'),
    change('readers', 'ann'),
  ]);
  const entry = (person_id: string): Row => ({
    journey_id: 'welcome',
    person_id,
    entered_at: day(3),
    rule_version: 1,
  });
  const happened = (anonymous_id: string, event: string, variant: string, rest: Row = {}): Row => ({
    message_id: 'offer',
    version: 1,
    variant,
    anonymous_id,
    event,
    at: day(2),
    ...rest,
  });
  const order = {
    cause_message_id: 'order-1',
    reason: 'view_through',
    value: '100',
    currency: 'EUR',
    at: day(3),
  };
  await insert('stored_message_events', [
    ...['v1', 'v8', 'v9'].flatMap((visitor) => [
      happened(visitor, 'eligible', 'main'),
      happened(visitor, 'shown', 'main'),
    ]),
    happened('v1', 'converted', 'main', order),
    ...['v2', 'v3', 'v4', 'v7'].map((visitor) => happened(visitor, 'held_out', 'holdout')), // of v2, v3 and v4 one is bob
  ]);
  await insert('stored_journey_entries', [entry('ann'), entry('bob'), entry('old-bob')]);
  const dropped = { stage: 'merger', reason: 'duplicate_message', detail: '{"partition":9,"offset":9}' };
  await insert('stored_dropped', [
    { ...dropped, at: day(15) },
    { ...dropped, at: day(16) },
    { ...dropped, at: day(1) },
    { stage: 'ingest', reason: 'invalid_call', at: day(17), detail: '{"rule":"name"}' },
  ]);
});
afterAll(async () => {
  await Promise.all([client.close(), reader.close()]);
  await engine.kill();
  rmSync(folder, { recursive: true, force: true });
});

test('the page has twelve questions', () => {
  expect([...questions.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

const answers: readonly (readonly [number, string, unknown])[] = [
  [
    1,
    'conversion by source',
    [
      { source: 'search', visitors: 3, identified: 2, conversion: 0.667 },
      { source: 'newsletter', visitors: 1, identified: 1, conversion: 1 },
    ],
  ],
  [2, 'time to identify', [{ people: 2, median_hours: 24, longest_hours: 24 }]],
  [3, 'funnel', [{ viewed: 2, added_to_cart: 1, ordered: 1, ordered_after_anonymous_view: 1 }]],
  [
    4,
    'revenue by first campaign',
    [
      { campaign: 'spring', people: 1, orders: 1, revenue: 100 },
      { campaign: 'brand', people: 1, orders: 1, revenue: 50.5 },
      { campaign: 'none', people: 1, orders: 1, revenue: 0 },
    ],
  ],
  [
    5,
    'segment overlap',
    [
      { segment: 'buyers', other: 'readers', in_both: 1, share_of_segment: 0.5 },
      { segment: 'readers', other: 'buyers', in_both: 1, share_of_segment: 1 },
    ],
  ],
  [6, 'entered and sent', [{ journey: 'welcome', entered: 2, sent: 1, gap: 1 }]],
  [
    7,
    'dropped',
    [
      {
        reason: 'duplicate_message',
        stage: 'merger',
        times: 2,
        first_at: day(15),
        last_at: day(16),
        example: '{"partition":9,"offset":9}',
      },
      {
        reason: 'invalid_call',
        stage: 'ingest',
        times: 1,
        first_at: day(17),
        last_at: day(17),
        example: '{"rule":"name"}',
      },
    ],
  ],
  [
    8,
    'fragmentation',
    [
      { finding: 'device with many people', who: 'v1', names: 2 },
      { finding: 'person with many anonymous ids', who: 'bob', names: 3 },
    ],
  ],
  [
    9,
    'the message against its holdout',
    [
      {
        ...{ message_id: 'offer', version: 1, variant: 'holdout', people: 2, converted: 0, value: {} },
        ...{ conversion: 0, low: 0, high: 0.658, lift: null },
      },
      {
        ...{ message_id: 'offer', version: 1, variant: 'main', people: 3, converted: 1, value: { EUR: 100 } },
        ...{ conversion: 0.333, low: 0.061, high: 0.792, lift: null },
      },
    ],
  ],
  [
    10,
    'schema drift',
    [
      {
        name: 'Order Completed',
        property: 'total',
        types: ['number', 'text'],
        times: 3,
        first_seen: day(3),
        last_seen: day(8),
      },
      {
        name: 'Message Sent',
        property: 'journey_id',
        types: ['text'],
        times: 1,
        first_seen: day(4),
        last_seen: day(4),
      },
      {
        name: 'Refunded',
        property: 'total',
        types: ['boolean'],
        times: 1,
        first_seen: day(4),
        last_seen: day(4),
      },
    ],
  ],
  [
    11,
    'merge latency',
    [
      { day: '2026-03-02', merged_events: 2, people: 1, median_seconds: 86_400, longest_seconds: 86_400 },
      { day: '2026-03-04', merged_events: 1, people: 1, median_seconds: 86_400, longest_seconds: 86_400 },
      { day: '2026-03-05', merged_events: 1, people: 1, median_seconds: 86_400, longest_seconds: 86_400 },
    ],
  ],
  [
    12,
    'freshness',
    [
      { source: 'anonymous_events', newest: day(9), seconds_old: 950_400 },
      { source: 'events', newest: day(8), seconds_old: 1_036_800 },
      { source: 'journey_entries', newest: day(3), seconds_old: 1_468_800 },
      { source: 'segment_changes', newest: day(5), seconds_old: 1_296_000 },
    ],
  ],
];
test.each(answers)('question %d, %s, is answered as counted by hand', async (question, _, expected) => {
  expect(await ask(client, question)).toEqual(expected);
  expect(await ask(reader, question)).toEqual(expected);
});

test('the reader sees the views of the data dictionary and nothing else, and the events of one person', async () => {
  const query = "SELECT name FROM system.tables WHERE database = 'hindsight' ORDER BY name";
  const views = await (await reader.query({ query, format: 'JSONEachRow' })).json<{ name: string }>();
  expect(views.map(({ name }) => name)).toEqual(analystViews.map(({ name }) => name).sort());
  const plain = views.filter(({ name }) => name !== 'person_events');
  for (const { name } of plain) {
    const answer = await reader.query({ query: `SELECT count() AS n FROM ${name}`, format: 'JSONEachRow' });
    expect(await answer.json()).toHaveLength(1);
  }
  const person = await reader.query({
    query: "SELECT count() AS n FROM person_events(person = {person:String}) WHERE workspace = 'shop'",
    query_params: { person: 'ann' },
    format: 'JSONEachRow',
  });
  expect(await person.json()).toEqual([{ n: 4 }]);
  const hidden = reader.query({ query: 'SELECT count() FROM stored_merged', format: 'JSONEachRow' });
  await expect(hidden).rejects.toMatchObject({ code: '497' });
});

test('a name from before a merge leads to the person of today', async () => {
  const query = `SELECT kind, value, person_id, held_by, merged_at FROM person_names
    WHERE workspace = 'shop' AND value IN ('v2', 'v3') ORDER BY value`;
  expect(await (await reader.query({ query, format: 'JSONEachRow' })).json()).toEqual([
    { kind: 'anonymous_id', value: 'v2', person_id: 'bob', held_by: 'bob', merged_at: null },
    { kind: 'anonymous_id', value: 'v3', person_id: 'bob', held_by: 'old-bob', merged_at: day(7) },
  ]);
});

test('a person has their devices, one join away', async () => {
  const query = `SELECT anonymous_id, events, last_event_at FROM people INNER JOIN person_devices USING (workspace, person_id)
    WHERE person_id = 'bob' ORDER BY anonymous_id`;
  await insert('stored_people', [
    { aspect: 'graph', person_id: 'bob', at: day(7), version: 1, state: 'alive', id: 'bob' },
  ]);
  expect(await (await reader.query({ query, format: 'JSONEachRow' })).json()).toEqual([
    { anonymous_id: 'v2', events: 2, last_event_at: day(4) },
    { anonymous_id: 'v3', events: 1, last_event_at: day(4) },
    { anonymous_id: 'v4', events: 0, last_event_at: null },
  ]);
});

test('an order that a browser and a server told of, each by its own names, is one in question 4 and by the habit', async () => {
  const order = { ...total(50), message_id: 'order-1', workspace: 'two-ways' };
  const browser = event('dan', 'Order Completed', day(3), order);
  await insert('stored_merged', [
    before('v7', day(3), browser),
    { ...browser, anonymous_id: 'v7' },
    browser,
    event('dan', 'Order Completed', day(4), { ...order, message_id: 'order-2' }),
    event('eve', 'Order Completed', day(4), order), // another person's order may have the same id
  ]);
  const asked = async (query = '') => {
    const query_params = { workspace: 'two-ways' };
    return (await reader.query({ query, query_params, format: 'JSONEachRow' })).json();
  };
  expect(await asked(questions.get(4))).toEqual([{ campaign: 'none', people: 2, orders: 3, revenue: 150 }]);
  const page = readFileSync(new URL('./cookbook.md', import.meta.url), 'utf8');
  const [, sum = ''] = /`(SELECT sum\(total\)[^`]*)`/.exec(page) ?? [];
  const where = 'workspace = {workspace:String}';
  expect(await asked(sum.replace('…', where))).toEqual([{ 'sum(total)': 150 }]);
  const counted = `SELECT count() AS rows, uniqExact((person_id, message_id)) AS orders FROM events WHERE ${where}`;
  expect(await asked(counted)).toEqual([{ rows: 5, orders: 3 }]);
});
