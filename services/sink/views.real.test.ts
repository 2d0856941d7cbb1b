/** What analysts see, by what the topics said: merges, splits, deletions, claims, expiry. On the real engine. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { migrate } from './schema/migrate.ts';
import { silentLogger } from '../runtime/logger.ts';
import { erasePeople, eraseWithdrawn, expireDays } from './chores.ts';
import { openTarget, type Target } from './target.ts';

type Row = Readonly<Record<string, unknown>>;

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `views_${String(process.pid)}_${String(Date.now())}`,
};
let client: ClickHouseClient;
let target: Target;
let offset = 0;

const NOW = '2026-03-31 12:00:00.000';
const tables =
  'stored_merged stored_identifies stored_collected stored_facts stored_decisions stored_people stored_segment_changes stored_journey_entries stored_journey_skips stored_activities stored_dropped stored_watermarks stored_today stored_moves stored_message_events'.split(
    ' ',
  );

beforeAll(async () => {
  await migrate(address);
  client = createClient({ ...address, log: { level: ClickHouseLogLevel.OFF } });
  target = openTarget(address, { replicated: false });
});
afterAll(async () => {
  await client.command({ query: `DROP DATABASE IF EXISTS ${address.database} SYNC` });
  await client.close();
  await target.close();
});
beforeEach(async () => {
  await target.close();
  target = openTarget(address, { replicated: false });
  for (const table of tables) await client.command({ query: `TRUNCATE TABLE ${table}` });
});

async function insert(table: string, ...rows: Row[]): Promise<void> {
  const placed =
    table === 'stored_watermarks' ? rows : rows.map((row) => ({ _partition: 0, _offset: offset++, ...row }));
  await client.insert({
    table,
    values: placed.map((row) => ({ workspace: 'w', ...row })),
    format: 'JSONEachRow',
  });
  if (table === 'stored_facts') await target.refreshToday('all');
}
async function ask<T = Row>(query: string): Promise<T[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json<T>();
}
/** The person of each message: what `events` says, and `person_events` of everybody together. */
const owners = async (): Promise<Record<string, string>> => {
  const all = await ownersInEvents();
  const each: Record<string, string> = {};
  // Who has any, and some who mostly have none; people-today.real.test.ts asks of everybody.
  for (const person of new Set([...Object.values(all), 'a', 'b', 'z'])) {
    const rows = await ask<{ message_id: string; person_id: string }>(
      `SELECT message_id, person_id FROM person_events(person = '${person}')`,
    );
    for (const row of rows) each[row.message_id] = row.person_id;
  }
  expect(each).toEqual(all);
  const columns = 'message_id, person_id, type, name, timestamp, anonymous_id, properties, context, _offset';
  expect(
    await ask(`(SELECT ${columns} FROM event_values) EXCEPT (SELECT ${columns} FROM events)
      UNION ALL (SELECT ${columns} FROM events) EXCEPT (SELECT ${columns} FROM event_values)`),
  ).toEqual([]);
  return all;
};
const ownersInEvents = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await ask<{ message_id: string; person_id: string }>('SELECT message_id, person_id FROM events')).map(
      (row) => [row.message_id, row.person_id],
    ),
  );

const merged = (message_id: string, person_id: string, rest: Row = {}): Row => ({
  message_id,
  person_id,
  type: 'event',
  name: 'Product Viewed',
  received_at: NOW,
  timestamp: NOW,
  merged_at: NOW,
  previously_anonymous: false,
  identifier_kind: 'id',
  identifier: 'x',
  ...rest,
});
const ofVisitor = (message_id: string, person_id: string, anonymous_id: string): Row =>
  merged(message_id, person_id, {
    identifier_kind: 'none',
    identifier: null,
    anonymous_id,
    previously_anonymous: true,
  });
let number = 0;
const fact = (kind: string, rest: Row): Row => ({
  kind,
  number: ++number,
  at: NOW,
  identifier_kind: 'none',
  ...rest,
});
const absorbed = (person_id: string, by: string): Row =>
  fact('person_absorbed', { person_id, other_person_id: by });
const deleted = (person_id: string): Row => fact('person_deleted', { person_id });
/** A split of one name, which is two facts. */
const movedName = (names: Row, from: string, to: string): Row[] => {
  const kind = names['identifier_kind'] === 'anonymous_id' ? 'anonymous_moved' : 'identifier_moved';
  const people = { person_id: to, other_person_id: from };
  return [fact('person_split', people), fact(kind, { ...people, ...names })];
};
const moved = (anonymous_id: string, from: string, to: string): Row[] =>
  movedName({ identifier_kind: 'anonymous_id', identifier: anonymous_id }, from, to);

describe('events', () => {
  test('name the person of today, through chains of merges in any order of their facts', async () => {
    await insert('stored_merged', merged('m1', 'a'), merged('m2', 'b'), merged('m3', 'c'), merged('m4', 'd'));
    await insert('stored_facts', absorbed('a', 'b'), absorbed('b', 'c'));
    expect(await owners()).toEqual({ m1: 'c', m2: 'c', m3: 'c', m4: 'd' });
    await insert('stored_facts', absorbed('c', 'd'));
    expect(await owners()).toEqual({ m1: 'd', m2: 'd', m3: 'd', m4: 'd' });
  });

  test('of deleted people are gone at once, also those of people whom they had absorbed', async () => {
    await insert('stored_merged', merged('m1', 'a'), merged('m2', 'b'), merged('m3', 'c'));
    await insert('stored_facts', absorbed('a', 'b'), deleted('b'));
    expect(await owners()).toEqual({ m3: 'c' });
  });

  test('go with their anonymous id at a split, and only those that named nobody', async () => {
    await insert('stored_merged', ofVisitor('m1', 'a', 'v1'), ofVisitor('m2', 'a', 'v2'));
    await insert('stored_merged', merged('m3', 'a', { anonymous_id: 'v1', identifier: 'x' }));
    await insert('stored_facts', ...moved('v1', 'a', 'b'));
    expect(await owners()).toEqual({ m1: 'b', m2: 'a', m3: 'a' });
  });

  test('go with their identifier at a split, as it was compared', async () => {
    await insert(
      'stored_merged',
      merged('m1', 'a', { identifier_kind: 'email', identifier: 'Ann@Shop.example' }),
    );
    await insert(
      'stored_merged',
      merged('m2', 'z', { identifier_kind: 'email', identifier: 'ann@shop.example' }),
    );
    const names = { identifier_kind: 'email', identifier: 'ann@shop.example' };
    await insert('stored_facts', ...movedName(names, 'a', 'b'));
    // z's was written while the address was another person's: a move from a takes nothing from z.
    expect(await owners()).toEqual({ m1: 'b', m2: 'z' });
  });

  test('follow merges before and after a split in the order of the facts', async () => {
    await insert(
      'stored_merged',
      ofVisitor('m1', 'a', 'v1'),
      ofVisitor('m2', 'a', 'v2'),
      ofVisitor('m3', 'c', 'v3'),
    );
    await insert(
      'stored_facts',
      absorbed('a', 'm'),
      ...moved('v1', 'm', 'b'),
      absorbed('m', 'd'),
      absorbed('b', 'e'),
    );
    expect(await owners()).toEqual({ m1: 'e', m2: 'd', m3: 'c' });
    await insert(
      'stored_facts',
      ...moved('v1', 'e', 'f'),
      ...moved('v1', 'f', 'g'),
      absorbed('e', 'c'),
      deleted('d'),
    );
    expect(await owners()).toEqual({ m1: 'g', m3: 'c' });
  });

  test('of somebody who is given a moved name again stay theirs, whatever becomes of who had it between', async () => {
    const name42 = { identifier_kind: 'id', identifier: '42' };
    await insert('stored_merged', merged('m1', 'a', name42));
    await insert('stored_facts', ...movedName(name42, 'a', 'b'), deleted('b'));
    await insert('stored_facts', fact('identifier_added', { person_id: 'a', ...name42 }));
    await insert('stored_merged', merged('m2', 'a', { ...name42, decided_as_of: number }));
    // Decided before the split, sent after it.
    await insert('stored_merged', merged('m3', 'a', name42));
    expect(await owners()).toEqual({ m2: 'a' });
    await erasePeople(target, silentLogger);
    expect((await target.ask('SELECT message_id FROM stored_merged')).toSorted()).toEqual(['m2']);
    // A second split takes the second time; what had gone with the first stays gone.
    await insert('stored_merged', merged('m4', 'a', name42));
    await insert('stored_facts', ...movedName(name42, 'a', 'c'), absorbed('c', 'd'));
    expect(await owners()).toEqual({ m2: 'd' });
  });

  test('go to and fro with their name, also those that came by way of somebody absorbed', async () => {
    await insert('stored_facts', absorbed('b', 'a'));
    await insert('stored_merged', ofVisitor('m1', 'b', 'v1'), ofVisitor('m2', 'a', 'v1'));
    await insert('stored_facts', ...moved('v1', 'a', 'c'));
    expect(await owners()).toEqual({ m1: 'c', m2: 'c' });
    await insert('stored_merged', { ...ofVisitor('m3', 'c', 'v1'), decided_as_of: number });
    await insert('stored_facts', ...moved('v1', 'c', 'a'));
    await insert('stored_merged', { ...ofVisitor('m4', 'b', 'v1'), decided_as_of: number });
    expect(await owners()).toEqual({ m1: 'a', m2: 'a', m3: 'a', m4: 'a' });
    await insert('stored_facts', ...moved('v1', 'a', 'd'), deleted('a'));
    expect(await owners()).toEqual({ m1: 'd', m2: 'd', m3: 'd', m4: 'd' });
  });

  test('case 27: a split takes the events of an email whose letters are not ASCII, in any case', async () => {
    const sent = (identifier: string): Row => ({ identifier_kind: 'email', identifier });
    const names = ['ÄC27@mail.example', 'äc27@mail.example', 'Äc27@MAIL.example'];
    await insert(
      'stored_merged',
      ...names.map((name, index) => merged(`m${String(index)}`, 'a', sent(name))),
    );
    await insert('stored_facts', ...movedName(sent('äc27@mail.example'), 'a', 'b'));
    expect(await owners()).toEqual({ m0: 'b', m1: 'b', m2: 'b' });
  });

  test('are followed by splits whose names an erasure has taken', async () => {
    const email = { identifier_kind: 'email', identifier: 'ann@shop.example' };
    await insert('stored_merged', merged('m1', 'a', email), merged('m2', 'b', email));
    await insert('stored_facts', ...movedName(email, 'a', 'b'), ...movedName(email, 'b', 'c'), deleted('b'));
    expect(await owners()).toEqual({ m1: 'c', m2: 'c' });
    await erasePeople(target, silentLogger);
    const names = "SELECT count() FROM stored_facts WHERE person_id = 'b' AND identifier IS NOT NULL";
    expect(await target.ask(names)).toEqual(['0']);
    await insert('stored_facts', absorbed('c', 'd'));
    expect(await owners()).toEqual({ m1: 'd', m2: 'd' });
    await insert('stored_facts', deleted('d'));
    expect(await owners()).toEqual({});
  });

  test('have the columns of the contract, and what is absent is NULL', async () => {
    await insert('stored_merged', merged('m1', 'a', { name: null }));
    const [row] = await ask('SELECT * FROM events');
    expect(row).toEqual({
      workspace: 'w',
      person_id: 'a',
      message_id: 'm1',
      type: 'event',
      name: null,
      timestamp: NOW,
      received_at: NOW,
      merged_at: NOW,
      previously_anonymous: false,
      anonymous_id: null,
      properties: null,
      context: null,
      bot: false,
      _partition: 0,
      _offset: expect.anything(),
    });
  });
});

test('what a program did says so in every view of events, of whoever is merged and of visitors (spec E row 95)', async () => {
  const bots = { ...merged('m1', 'a'), bot: true };
  await insert('stored_merged', bots, { ...ofVisitor('m2', 'c', 'v1'), bot: true }, merged('m3', 'b'));
  await insert('stored_facts', absorbed('a', 'b'), ...moved('v1', 'c', 'd'));
  const marks = async (view: string) => await ask(`SELECT message_id, bot FROM ${view} ORDER BY message_id`);
  const [m1, m2, m3] = [true, true, false].map((bot, at) => ({ message_id: `m${String(at + 1)}`, bot }));
  for (const view of ['events', 'event_values']) expect(await marks(view)).toEqual([m1, m2, m3]);
  expect(await marks("person_events(person = 'd')")).toEqual([m2]);
  const visit = { message_id: 'm4', timestamp: NOW, received_at: NOW, type: 'page', anonymous_id: 'v2' };
  await insert('stored_collected', { ...visit, bot: true }, { ...visit, message_id: 'm5' });
  for (const view of ['anonymous_events', 'anonymous_event_values'])
    expect(await marks(view)).toEqual([
      { message_id: 'm4', bot: true },
      { message_id: 'm5', bot: false },
    ]);
});

describe('values of events', () => {
  const VALUES = 'message_id, person_id, campaign_source, campaign_name, total, journey_id, holdout, shape';
  const none = {
    campaign_source: '',
    campaign_name: '',
    total: 0,
    journey_id: '',
    holdout: false,
    shape: '',
  };
  const properties =
    '{"total":12.5,"journey_id":"welcome","holdout":true,"a":null,"b":[1],"c":{"d":1},"e":"x"}';
  const context = '{"campaign":{"source":"news","name":"spring"},"page":{"url":"/"}}';
  const full = {
    campaign_source: 'news',
    campaign_name: 'spring',
    total: 12.5,
    journey_id: 'welcome',
    holdout: true,
    shape: ['a:n', 'b:[', 'c:{', 'e:"', 'holdout:b', 'journey_id:"', 'total:0'].join('\u001f'),
  };

  test('are those of the JSON, whatever stands there, and go with the row at a merge and a split', async () => {
    await insert(
      'stored_merged',
      merged('m1', 'a', { properties, context }),
      { ...ofVisitor('m2', 'c', 'v1'), properties, context },
      merged('m3', 'b', { properties: '{"total":"twelve","holdout":"yes","journey_id":7}' }),
      merged('m4', 'b', { properties: '{"total":-3}', context: '{"campaign":null}' }),
      merged('m5', 'b', { properties: '{}', context: '{"campaign":"spring"}' }),
      merged('m6', 'b'),
    );
    await insert('stored_facts', absorbed('a', 'b'), ...moved('v1', 'c', 'd'));
    expect(await ask(`SELECT ${VALUES} FROM event_values ORDER BY message_id`)).toEqual([
      { message_id: 'm1', person_id: 'b', ...full },
      { message_id: 'm2', person_id: 'd', ...full },
      {
        message_id: 'm3',
        person_id: 'b',
        ...none,
        journey_id: '7',
        shape: ['holdout:"', 'journey_id:0', 'total:"'].join('\u001f'),
      },
      { message_id: 'm4', person_id: 'b', ...none, total: -3, shape: 'total:0' },
      { message_id: 'm5', person_id: 'b', ...none },
      { message_id: 'm6', person_id: 'b', ...none },
    ]);
  });

  test.each([
    '123456789012345678901234567890',
    '-123456789012345678901234567890',
    '18446744073709551616',
    '9'.repeat(400),
    '1e400',
    '-1e400',
    '99999999999e300',
    '[1e400,123456789012345678901,0.1234567890123456789012]',
    '{"a":1E+999}',
    '"1e400, 123456789012345678901 \\"{"',
  ])('case 14: a number that no double holds costs no other value of its event: %s', async (number) => {
    const type = /^["{[]/.exec(number)?.[0] ?? '0';
    const also = `,"tracking":${number}}`;
    await insert(
      'stored_merged',
      merged('m1', 'a', { properties: properties.replace(/}$/, also), context: context.replace(/}$/, also) }),
    );
    const shape = ['journey_id:"', 'total:0', `tracking:${type}`].join('\u001f');
    expect(await ask(`SELECT ${VALUES} FROM event_values`)).toEqual([
      { message_id: 'm1', person_id: 'a', ...full, shape: full.shape.replace(/journey_id.*$/, shape) },
    ]);
  });

  test('case 14: and counts as none itself, where it is no double', async () => {
    await insert('stored_merged', merged('m1', 'a', { properties: '{"total":1e400,"journey_id":7}' }));
    expect(await ask('SELECT total, journey_id FROM event_values')).toEqual([{ total: 0, journey_id: '7' }]);
  });

  test('of anonymous events are the same, and a claim covers its visitor in its own workspace', async () => {
    const visit = (message_id: string, workspace: string): Row => ({
      ...{ message_id, workspace, received_at: NOW, timestamp: NOW, type: 'page', anonymous_id: 'v1' },
      ...{ properties, context },
    });
    await insert('stored_collected', visit('m1', 'w'), visit('m2', 'other'));
    await insert('stored_decisions', {
      ...{ kind: 'granted', lane: 'w:a:v1', request_number: 1, person_id: 'a', claimed_at: NOW },
    });
    const query = 'SELECT message_id, campaign_source, campaign_name, shape FROM anonymous_event_values';
    const { campaign_source, campaign_name, shape } = full;
    expect(await ask(query)).toEqual([{ message_id: 'm2', campaign_source, campaign_name, shape }]);
  });
});

describe('anonymous events', () => {
  const visit = (message_id: string, received_at: string, anonymous_id: string | null = 'v1'): Row => ({
    message_id,
    received_at,
    timestamp: received_at,
    type: 'page',
    anonymous_id,
  });
  const granted = (anonymous_id: string, claimed_at: string): Row => ({
    kind: 'granted',
    lane: `w:a:${anonymous_id}`,
    request_number: 1,
    person_id: 'a',
    claimed_at,
  });
  const left = async (): Promise<string[]> =>
    (await ask<{ message_id: string }>('SELECT message_id FROM anonymous_events ORDER BY message_id')).map(
      (row) => row.message_id,
    );

  test('are those that no claim covers: 30 days before it, and 5 minutes after', async () => {
    await insert(
      'stored_collected',
      visit('a-too-old', '2026-03-01 11:59:59.999'),
      visit('b-oldest', '2026-03-01 12:00:00.000'),
      visit('c-last', '2026-03-31 12:05:00.000'),
      visit('d-too-late', '2026-03-31 12:05:00.001'),
      visit('e-other', '2026-03-31 12:00:00.000', 'v2'),
      visit('f-invite', '2026-03-31 12:00:00.000', null),
    );
    await insert('stored_decisions', granted('v1', NOW), {
      ...granted('v2', NOW),
      kind: 'refused',
      claimed_at: null,
    });
    expect(await left()).toEqual(['a-too-old', 'd-too-late', 'e-other', 'f-invite']);
  });

  test('leave after 30 days by the watermark, to the millisecond', async () => {
    await insert(
      'stored_collected',
      visit('a', '2026-03-01 12:00:00.000'),
      visit('b', '2026-03-01 12:00:00.001'),
    );
    await insert('stored_watermarks', { source_partition: 0, at: '2026-03-31 12:00:00.000' });
    await insert('stored_watermarks', { source_partition: 1, at: '2026-04-30 00:00:00.000' });
    expect(await left()).toEqual(['a', 'b']);
    await insert('stored_watermarks', { source_partition: 0, at: '2026-03-31 12:00:00.001' });
    expect(await left()).toEqual(['b']);
    await insert('stored_watermarks', { source_partition: 0, at: '2026-03-31 12:00:00.002' });
    expect(await left()).toEqual([]);
  });

  test('are off the disk a day at a time', async () => {
    await insert(
      'stored_collected',
      visit('a', '2026-03-01 23:59:59.999'),
      visit('b', '2026-03-02 00:00:00.000'),
    );
    await insert('stored_watermarks', { source_partition: 0, at: '2026-03-31 23:59:59.999' });
    expect(await expireDays(target, silentLogger)).toEqual([]);
    await insert('stored_watermarks', { source_partition: 0, at: '2026-04-01 00:00:00.000' });
    expect(await expireDays(target, silentLogger)).toEqual(['20260301']);
    expect(await target.ask('SELECT message_id FROM stored_collected')).toEqual(['b']);
  });

  test('are without repeats', async () => {
    await insert('stored_collected', { ...visit('m', NOW), _partition: 3, _offset: 7 });
    await insert('stored_collected', { ...visit('m', NOW), _partition: 3, _offset: 9 });
    const repeat = {
      reason: 'duplicate_message',
      stage: 'merger',
      at: NOW,
      detail: '{"partition":3,"offset":9}',
    };
    await insert('stored_dropped', repeat, {
      ...repeat,
      reason: 'lane_full',
      detail: '{"partition":3,"offset":7}',
    });
    expect(await ask('SELECT _partition, _offset FROM anonymous_events')).toEqual([
      { _partition: 3, _offset: 7 },
    ]);
  });
});

describe('of who withdrew their consent', () => {
  const row = (message_id: string, anonymous_id: string, _offset: number): Row => ({
    ...{ message_id, anonymous_id, _partition: 3, _offset, type: 'page' },
    ...{ received_at: NOW, timestamp: NOW },
  });
  const left = async (): Promise<readonly string[]> => {
    const rows = await ask<{ message_id: string }>('SELECT message_id FROM anonymous_events');
    return rows.map(({ message_id }) => message_id).sort();
  };
  const shown = (anonymous_id: string, at: string): Row => ({
    ...{ message_id: 'hello', version: 1, anonymous_id, event: 'shown', at },
  });

  test('what lies up to there is hidden at once, and off the disk with the next erasure; nobody else’s', async () => {
    await insert('stored_collected', row('before', 'v1', 7), row('meanwhile', 'v1', 11));
    await insert('stored_collected', row('after', 'v1', 13), row('of another', 'v2', 8));
    await insert('stored_message_events', shown('v1', NOW), shown('v1', '2026-03-31 12:00:00.001'));
    await insert('stored_message_events', shown('v2', NOW));
    expect(await left()).toEqual(['after', 'before', 'meanwhile', 'of another']);
    expect(await eraseWithdrawn(target, silentLogger)).toBe(0);
    for (const offset of [9, 11]) {
      await insert('stored_dropped', {
        ...{ reason: 'consent_withdrawn', stage: 'merger', at: NOW, anonymous_id: 'v1' },
        detail: JSON.stringify({ lane: 'w:a:v1', partition: 3, offset }),
      });
    }
    expect(await left()).toEqual(['after', 'of another']);
    expect(await eraseWithdrawn(target, silentLogger)).toBe(3);
    const stored = await target.ask('SELECT message_id FROM stored_collected ORDER BY message_id');
    expect(stored).toEqual(['after', 'of another']);
    expect(await target.ask('SELECT anonymous_id FROM stored_message_events ORDER BY anonymous_id')).toEqual([
      'v1',
      'v2',
    ]);
    expect(await eraseWithdrawn(target, silentLogger)).toBe(0);
  });
});

describe('people and identities', () => {
  const graph = (person_id: string, version: number, rest: Row): Row => ({
    aspect: 'graph',
    person_id,
    version,
    at: NOW,
    state: 'alive',
    ...rest,
  });
  test('join what identity and the trigger know, each at its latest', async () => {
    await insert(
      'stored_people',
      graph('a', 1, { id: 'old' }),
      graph('a', 2, { id: 'ann', email: 'ann@shop.example' }),
    );
    const profile = { aspect: 'profile', person_id: 'a', at: NOW, state: 'alive' };
    await insert('stored_people', { ...profile, version: 9, attributes: '{"plan":"pro"}', created_at: NOW });
    await insert('stored_people', { ...profile, version: 8, attributes: '{}', first_seen_at: NOW });
    await insert(
      'stored_people',
      graph('b', 1, { id: 'bob' }),
      graph('b', 2, { state: 'absorbed', absorbed_into: 'a' }),
    );
    await insert('stored_people', graph('c', 1, { id: 'eve' }), graph('c', 2, { state: 'deleted' }));
    expect(await ask('SELECT * FROM people')).toEqual([
      {
        workspace: 'w',
        person_id: 'a',
        id: 'ann',
        email: 'ann@shop.example',
        created_at: NOW,
        attributes: '{"plan":"pro"}',
        first_seen_at: null,
      },
    ]);
  });

  test('have a row of relationships for each object, at its latest', async () => {
    const profile = { aspect: 'profile', person_id: 'a', at: NOW, state: 'alive', attributes: '{}' };
    const acme = {
      object_type_id: '1',
      object_id: 'acme',
      attributes: { role: 'dev' },
      object_attributes: {},
    };
    const course = { ...acme, object_type_id: '2', object_id: 'course' };
    await insert('stored_people', { ...profile, version: 1, relationships: JSON.stringify([acme]) });
    await insert('stored_people', { ...profile, version: 2, relationships: JSON.stringify([acme, course]) });
    await insert('stored_people', { ...profile, person_id: 'b', version: 1, relationships: null });
    const gone = { ...profile, person_id: 'c', state: 'absorbed' };
    await insert('stored_people', { ...gone, version: 2, relationships: JSON.stringify([acme]) });
    const row = { workspace: 'w', person_id: 'a', attributes: '{"role":"dev"}', object_attributes: '{}' };
    expect(await ask('SELECT * FROM relationships ORDER BY object_id')).toEqual([
      { ...row, object_type_id: '1', object_id: 'acme' },
      { ...row, object_type_id: '2', object_id: 'course' },
    ]);
  });

  test('have their relationships whatever numbers are in them, with the digits that were sent', async () => {
    const profile = { aspect: 'profile', at: NOW, state: 'alive', attributes: '{}', version: 1 };
    const numbers = [
      '123456789012345678901234567890',
      '-123456789012345678901234567890',
      '9007199254740993',
      '0.1000000000000000055',
      '1e400',
      '-1E+400',
      '1e-400',
      '12',
    ];
    const texts = [
      'n1',
      's1',
      '"',
      '\\',
      '\\"n1"',
      'é😀',
      '\u0001',
      '1234567890123456789012',
      'a,b:{}[]',
      '',
    ];
    const attributes = `{"list":[${numbers.join(',')}],"deep":{"s1":[null,true,{"n":${numbers[0] ?? ''}}]}}`;
    const object = JSON.stringify(
      Object.fromEntries(texts.map((text, at) => [text, texts[texts.length - 1 - at]])),
    );
    const entry = (id: string, own: string, its: string): string =>
      `{"object_type_id":"${numbers[0] ?? ''}","object_id":${JSON.stringify(id)},"attributes":${own},"object_attributes":${its}}`;
    const list = `[${[...texts.map((id) => entry(id, attributes, object)), entry('z', '{}', '{}')].join(',')}]`;
    await insert('stored_people', { ...profile, person_id: 'a', relationships: list });
    await insert('stored_people', {
      ...profile,
      person_id: 'b',
      relationships: `[${entry('1e5', '{"a":1.5}', '{}')}]`,
    });
    const rows = await ask(
      `SELECT object_type_id, object_id, attributes, object_attributes FROM relationships WHERE person_id = 'a'`,
    );
    expect(rows).toHaveLength(texts.length + 1);
    for (const [index, row] of rows.entries()) {
      const id = texts[index] ?? 'z';
      const kept = [row['object_type_id'], row['object_id'], row['attributes']];
      expect(kept).toEqual([numbers[0], id, id === 'z' ? '{}' : attributes]);
      expect(JSON.parse(String(row['object_attributes']))).toEqual(id === 'z' ? {} : JSON.parse(object));
    }
    expect(await ask(`SELECT object_id, attributes FROM relationships WHERE person_id = 'b'`)).toEqual([
      { object_id: '1e5', attributes: '{"a":1.5}' },
    ]);
  });

  test('list the names of the living, anonymous ids with the person of today', async () => {
    await insert('stored_people', graph('a', 3, { id: 'ann' }), graph('d', 1, { state: 'deleted' }));
    const link = { identifier_kind: 'id', identifier: 'ann', at: '2026-03-01 00:00:00.000' };
    const claim = (person_id: string, identifier: string): Row =>
      fact('anonymous_claimed', { person_id, identifier_kind: 'anonymous_id', identifier });
    await insert(
      'stored_facts',
      fact('person_created', { person_id: 'a' }),
      fact('identifier_added', { person_id: 'a', ...link }),
    );
    await insert(
      'stored_facts',
      claim('a', 'v1'),
      claim('b', 'v2'),
      claim('d', 'v3'),
      absorbed('b', 'a'),
      deleted('d'),
    );
    const rows = await ask('SELECT kind, value, person_id, linked_at FROM identities ORDER BY kind, value');
    expect(rows).toEqual([
      { kind: 'anonymous_id', value: 'v1', person_id: 'a', linked_at: NOW },
      { kind: 'anonymous_id', value: 'v2', person_id: 'a', linked_at: NOW },
      { kind: 'cio_id', value: 'a', person_id: 'a', linked_at: NOW },
      { kind: 'id', value: 'ann', person_id: 'a', linked_at: link.at },
    ]);
  });
});

describe('segments, journeys, activities, dropped', () => {
  test('memberships are the last change of each person who still is one', async () => {
    const change = (person_id: string, what: string): Row => ({
      segment_id: 's',
      person_id,
      change: what,
      at: NOW,
      rule_version: 1,
    });
    await insert(
      'stored_segment_changes',
      change('a', 'entered'),
      change('b', 'entered'),
      change('b', 'left'),
    );
    await insert('stored_segment_changes', change('c', 'entered'), change('d', 'entered'));
    await insert('stored_facts', absorbed('c', 'a'), deleted('d'));
    expect(await ask('SELECT * FROM segment_memberships')).toEqual([
      { workspace: 'w', segment_id: 's', person_id: 'a', since: NOW },
    ]);
    await insert('stored_segment_changes', {
      ...change('e', 'left'),
      ...{ rule_version: 3, cause: 'time', segment_id: 'told' },
    });
    const told =
      "SELECT change, cause, cause_message_id, rule_version FROM segment_changes WHERE segment_id = 'told'";
    expect(await ask(told)).toEqual([
      { change: 'left', cause: 'time', cause_message_id: null, rule_version: 3 },
    ]);
    const changes = await ask(
      "SELECT person_id, change FROM segment_changes WHERE segment_id = 's' ORDER BY person_id, change",
    );
    expect(changes.map((row) => `${String(row['person_id'])} ${String(row['change'])}`)).toEqual([
      'a entered',
      'a entered',
      'b entered',
      'b left',
    ]);
    await insert('stored_journey_entries', {
      journey_id: 'j',
      person_id: 'c',
      entered_at: NOW,
      rule_version: 2,
    });
    expect(await ask('SELECT * FROM journey_entries')).toEqual([
      {
        workspace: 'w',
        journey_id: 'j',
        person_id: 'a',
        entered_at: NOW,
        trigger_message_id: null,
        rule_version: 2,
        key: null,
        evidence: null,
      },
    ]);
    const skip = { journey_id: 'j', key: 'cart-1', at: NOW, rule_version: 2, detail: '{}' };
    await insert('stored_journey_skips', {
      ...skip,
      person_id: 'c',
      reason: 'frequency',
      trigger_message_id: 'm',
    });
    expect(await ask('SELECT * FROM journey_skips')).toEqual([
      { workspace: 'w', ...skip, person_id: 'a', reason: 'frequency', trigger_message_id: 'm' },
    ]);
  });

  test('E row 91: the events that an entry rests on are rows with what was looked at, also after a merge', async () => {
    await insert(
      'stored_merged',
      merged('v1', 'c', {
        name: 'Product Viewed',
        properties: '{"product_id":"boots"}',
        previously_anonymous: true,
      }),
      merged('v2', 'c', { name: 'Product Viewed', properties: '{"product_id":"parka"}' }),
      merged('v3', 'c', { name: 'Product Viewed', properties: '{"product_id":"scarf"}' }),
      merged('t1', 'c', { name: 'Added to Cart', properties: '{}' }),
    );
    const conditions = [
      { segment: 's', pointer: '/when', events: ['v2'] },
      { pointer: '/filters/all/0', events: ['v1', 'gone'] },
    ];
    const entry = { journey_id: 'j', person_id: 'c', entered_at: NOW, rule_version: 2 };
    await insert(
      'stored_journey_entries',
      {
        ...entry,
        trigger_message_id: 't1',
        evidence: JSON.stringify({ anonymous_id: 'x', begun: ['v3'], conditions }),
      },
      { ...entry, person_id: 'b' },
    );
    await insert('stored_facts', absorbed('c', 'a'));
    const rows = await ask(
      'SELECT person_id, role, pointer, message_id, name, previously_anonymous, properties FROM journey_entry_events ORDER BY message_id',
    );
    const looked = { person_id: 'a', name: 'Product Viewed', previously_anonymous: false };
    expect(rows).toEqual([
      { ...looked, role: 'trigger', pointer: '', message_id: 't1', name: 'Added to Cart', properties: '{}' },
      {
        ...looked,
        role: 'filters',
        pointer: '/filters/all/0',
        message_id: 'v1',
        previously_anonymous: true,
        properties: '{"product_id":"boots"}',
      },
      {
        ...looked,
        role: 'segment',
        pointer: '/when',
        message_id: 'v2',
        properties: '{"product_id":"parka"}',
      },
      { ...looked, role: 'begun', pointer: '', message_id: 'v3', properties: '{"product_id":"scarf"}' },
    ]);
  });

  test('activities show what was done as lines, without processed_at while anonymous', async () => {
    await insert(
      'stored_merged',
      merged('m1', 'a', { properties: '{"price":5}', previously_anonymous: true }),
    );
    await insert('stored_collected', {
      message_id: 'm2',
      received_at: NOW,
      timestamp: NOW,
      type: 'page',
      anonymous_id: 'v9',
    });
    await insert('stored_activities', {
      kind: 'Anonymous Data Merged',
      person_id: 'a',
      anonymous_id: 'v1',
      timestamp: NOW,
      processed_at: NOW,
      detail: '{"count":3}',
    });
    const lines = await ask('SELECT * FROM activities ORDER BY kind');
    const line = { workspace: 'w', timestamp: NOW };
    expect(lines).toEqual([
      {
        ...line,
        kind: 'Anonymous Data Merged',
        person_id: 'a',
        anonymous_id: 'v1',
        processed_at: NOW,
        detail: '{"count":3}',
      },
      {
        ...line,
        kind: 'Event',
        person_id: 'a',
        anonymous_id: null,
        processed_at: NOW,
        detail:
          '{"name":"Product Viewed","message_id":"m1","previously_anonymous":true,"properties":{"price":5}}',
      },
      {
        ...line,
        kind: 'Page',
        person_id: null,
        anonymous_id: 'v9',
        processed_at: null,
        detail: '{"name":null,"message_id":"m2","previously_anonymous":false,"properties":null}',
      },
    ]);
  });
});

test('the visits of a deleted person leave the disk, by who has the anonymous id now', async () => {
  const visit = (message_id: string, anonymous_id: string): Row => ({
    ...{ message_id, anonymous_id, received_at: NOW, timestamp: NOW, type: 'page' },
  });
  const claim = (person_id: string, identifier: string): Row =>
    fact('anonymous_claimed', { person_id, identifier_kind: 'anonymous_id', identifier });
  await insert('stored_collected', visit('m1', 'v1'), visit('m2', 'v2'), visit('m3', 'v3'));
  await insert('stored_collected', visit('m4', 'v1'), visit('m5', 'v1')); // all that a visitor did
  await insert('stored_facts', claim('a', 'v1'), claim('b', 'v2'), claim('b', 'v3'));
  await insert('stored_facts', ...moved('v1', 'a', 'b'), ...moved('v2', 'b', 'a'), deleted('b'));
  await erasePeople(target, silentLogger);
  expect(await target.ask('SELECT message_id FROM stored_collected')).toEqual(['m2']);
});

test('the rows of deleted people leave the disk, and nobody else’s', async () => {
  await insert(
    'stored_merged',
    merged('m1', 'a'),
    merged('m2', 'b'),
    merged('m3', 'c'),
    ofVisitor('m4', 'a', 'v1'),
  );
  await insert('stored_facts', absorbed('a', 'b'), ...moved('v1', 'b', 'c'), deleted('b'));
  await insert(
    'stored_activities',
    { kind: 'k', person_id: 'b', timestamp: NOW },
    { kind: 'k', person_id: 'c', timestamp: NOW },
  );
  expect(await owners()).toEqual({ m3: 'c', m4: 'c' });
  expect(await erasePeople(target, silentLogger)).toBe(3);
  expect((await target.ask('SELECT message_id FROM stored_merged')).toSorted()).toEqual(['m3', 'm4']);
  expect(await target.ask('SELECT person_id FROM stored_activities')).toEqual(['c']);
  expect(await owners()).toEqual({ m3: 'c', m4: 'c' });
  expect(await erasePeople(target, silentLogger)).toBe(0);
});

test('identifies go where their name goes, and leave the disk with their person', async () => {
  const identify = (message_id: string, person_id: string, identifier: string): Row => ({
    ...{ message_id, person_id, identifier, identifier_kind: 'email', anonymous_id: 'v1' },
    ...{ received_at: NOW, timestamp: NOW, merged_at: NOW },
  });
  await insert('stored_identifies', identify('m1', 'a', 'A@mail.example'), identify('m2', 'b', 'b'));
  await insert('stored_identifies', identify('m3', 'c', 'c'), identify('m4', 'd', 'd'));
  const email = { identifier_kind: 'email', identifier: 'a@mail.example' };
  await insert('stored_facts', absorbed('b', 'c'), ...movedName(email, 'a', 'd'), deleted('c'));
  const today = await ask<{ message_id: string; today_id: string }>(
    'SELECT message_id, today_id FROM resolved_identifies ORDER BY message_id',
  );
  expect(today.map((row) => `${row.message_id} ${row.today_id}`)).toEqual(['m1 d', 'm2 ', 'm3 ', 'm4 d']);
  await erasePeople(target, silentLogger);
  const left = await target.ask('SELECT message_id FROM stored_identifies');
  expect(left.toSorted()).toEqual(['m1', 'm4']);
});

test('a deletion is a line of the activity log, one of whom and when, before the erasure and after it', async () => {
  const gone = { person_id: 'b', timestamp: NOW, processed_at: NOW };
  await insert('stored_activities', { kind: 'Person Deleted', ...gone, detail: '{"fact":1}' });
  const lines = () =>
    ask("SELECT kind, person_id, timestamp, detail FROM activities WHERE kind = 'Person Deleted'");
  expect(await lines()).toEqual([]); // the facts come from another topic
  await insert('stored_facts', { ...deleted('b'), detail: '{"reason":"their own words"}' });
  const line = { kind: 'Person Deleted', person_id: 'b', timestamp: NOW, detail: null };
  expect(await lines()).toEqual([line]);
  expect(await erasePeople(target, silentLogger)).toBe(2);
  expect(await lines()).toEqual([line]);
});

test('the lift of an edited message is of those who met it as edited: who saw it before is in the other arm only by chance', async () => {
  const told = (version: number, arm: string, who: string, event: string): Row => ({
    ...{ message_id: 'sale', version, variant: arm, anonymous_id: who, event, at: NOW },
    ...(event === 'converted' && { cause_message_id: `order of ${who}` }),
  });
  const held = ['h1', 'h2', 'h3', 'h4'];
  await insert(
    'stored_message_events',
    // Before the edit: shown once each, and then no more; who is held out is again with the next version.
    ...['v1', 'v2', 'v3'].map((who) => told(1, 'default', who, 'shown')),
    ...held.slice(0, 3).map((who) => told(1, 'holdout', who, 'held_out')),
    ...held.map((who) => told(2, 'holdout', who, 'held_out')),
    ...['v3', 'v4', 'v5'].map((who) => told(2, 'default', who, 'shown')),
    ...['v1', 'v3', 'v4', 'v5'].map((who) => told(who === 'v1' ? 1 : 2, 'default', who, 'converted')),
    ...['h1', 'h2', 'h4'].map((who) => told(2, 'holdout', who, 'converted')),
    told(1, 'holdout', 'h1', 'converted'),
  );
  const columns = 'version, variant, people, converted, compared, compared_rate, lift';
  const report = await client.query({
    query: `SELECT ${columns} FROM message_report ORDER BY version, variant`,
    format: 'JSONCompactEachRow',
  });
  const third = 0.3333333333333333;
  expect(await report.json()).toEqual([
    [1, 'default', 3, 1, 3, third, 0],
    [1, 'holdout', 3, 1, 3, third, 0],
    [2, 'default', 3, 3, 2, 1, 0],
    [2, 'holdout', 4, 3, 1, 1, 0],
  ]);
});
