/** The past of a journey that an identify triggers, as the real engine tells it: whose each was, when, and what of others. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient, ClickHouseLogLevel, type ClickHouseClient } from '@clickhouse/client';
import { migrate } from '../../sink/schema/migrate.ts';
import { openTarget } from '../../sink/target.ts';
import { MINUTE, T0 } from '../../testing/scenarios/trigger-scenario.ts';
import { ClickhousePast } from './clickhouse.ts';
import type { HistoriesQuestion } from './source.ts';

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `identifies_${String(process.pid)}_${String(Date.now())}`,
};
const FENCE = 50;
const factsTo = 1_000;
let client: ClickHouseClient;
let past: ClickhousePast;

beforeAll(async () => {
  await migrate(address);
  client = createClient({ ...address, log: { level: ClickHouseLogLevel.OFF } });
  past = new ClickhousePast({ ...address, layout: { type: 'single' }, shardUrls: [] });
  await insertAll();
}, 120_000);
afterAll(async () => {
  await past.close();
  await client.command({ query: `DROP DATABASE IF EXISTS ${address.database} SYNC` });
  await client.close();
});

type Row = Readonly<Record<string, unknown>>;
const time = (minutes: number): string =>
  new Date(T0 + minutes * MINUTE).toISOString().replace('T', ' ').replace('Z', '');

let offsets = 0;
async function insert(table: string, ...rows: Row[]): Promise<void> {
  const values = rows.map((row) => ({ workspace: 'w', _partition: 1, _offset: (offsets += 1), ...row }));
  await client.insert({ table, values, format: 'JSONEachRow' });
}

/** An identify of a visitor; of `a`, `a-1` is the message. */
function identify(message: string, minutes: number, visitor: string | null, rest: Row = {}): Row {
  const [person = ''] = message.split('-');
  const at = time(minutes);
  return {
    ...{ person_id: `cio_${person}`, message_id: message, anonymous_id: visitor, decided_as_of: 1 },
    ...{ received_at: at, timestamp: at, merged_at: at, identifier_kind: 'id', identifier: person },
    ...rest,
  };
}
function fact(number: number, kind: string, minutes: number, rest: Row): Row {
  return { number, kind, at: time(minutes), identifier_kind: 'none', _partition: 0, ...rest };
}

/** a does things and identifies twice; b takes a in, c takes b in; d is split; e is gone; f comes too late or lies elsewhere. */
async function insertAll(): Promise<void> {
  await insert(
    'stored_identifies',
    identify('a-1', 1, 'v1'),
    identify('a-2', 5, null, { timestamp: time(-9_000) }),
    identify('b-1', 2, 'v2'),
    identify('b-2', 30, 'v1'),
    identify('c-1', 50, 'v3'),
    identify('d-1', 3, 'v4'),
    identify('e-1', 4, 'v5'),
    identify('f-1', 6, 'v6', { _offset: FENCE }),
    identify('f-2', 6, 'v6', { _partition: 0, _offset: 3 }),
    identify('g-1', 6, 'v7', { workspace: 'other' }),
  );
  const happened = { type: 'event', properties: '{"n":1}', previously_anonymous: true, anonymous_id: 'v1' };
  await insert(
    'stored_merged',
    ...['Added to Cart', 'Order Completed'].map((name) => ({
      ...happened,
      ...{ person_id: 'cio_a', message_id: name, name, identifier_kind: 'none', decided_as_of: 1 },
      ...{ received_at: time(0), timestamp: time(0), merged_at: time(1) },
    })),
  );
  const moved = { person_id: 'cio_n', other_person_id: 'cio_d' };
  await insert(
    'stored_facts',
    fact(2, 'person_absorbed', 10, { person_id: 'cio_a', other_person_id: 'cio_b' }),
    fact(3, 'person_absorbed', 40, { person_id: 'cio_b', other_person_id: 'cio_c' }),
    fact(4, 'person_split', 41, moved),
    fact(5, 'identifier_moved', 41, { ...moved, identifier_kind: 'id', identifier: 'd' }),
    fact(6, 'person_deleted', 42, { person_id: 'cio_e' }),
  );
  const target = openTarget(address, { replicated: false });
  await target.refreshToday('all');
  await target.close();
  for (const person of ['c', 'd', 'n', 'f']) {
    const whose = { person_id: `cio_${person}`, at: time(60), version: 1, state: 'alive' };
    await insert('stored_people', { ...whose, aspect: 'graph' });
  }
}

async function told(asked: Partial<HistoriesQuestion> = {}) {
  const question: HistoriesQuestion = {
    ...{ workspace: 'w', partition: 1, fence: FENCE, by: 'identified', from: '', factsTo },
    ...{ names: ['Added to Cart'], triggerNames: [], manual: [] },
    ...asked,
  };
  const found: Record<string, string[]> = {};
  let people = 0;
  for await (const page of past.placing.histories(question)) {
    people = page.of;
    for (const { writtenId, histories } of page.people) {
      for (const { personId, events } of histories) {
        found[`${writtenId} of ${personId}`] = events.map(({ messageId, mergedAt, isInherited }) => {
          const minute = String((mergedAt - T0) / MINUTE);
          return `${minute} ${messageId}${isInherited === true ? ' inherited' : ''}`;
        });
      }
    }
  }
  return { people, found };
}

test('each is there by whose stream it was written to and who they are, below the fence and of the partition', async () => {
  expect(await told()).toEqual({
    people: 5,
    found: {
      'cio_a of cio_c': [
        '1 Added to Cart',
        '1 a-1',
        '5 a-2',
        '10 b-1 inherited',
        '30 b-2 inherited',
        '50 c-1 inherited',
      ],
      'cio_b of cio_c': ['2 b-1', '10 a-1 inherited', '10 a-2 inherited', '30 b-2', '50 c-1 inherited'],
      'cio_c of cio_c': [
        '40 a-1 inherited',
        '40 b-1 inherited',
        '40 a-2 inherited',
        '40 b-2 inherited',
        '50 c-1',
      ],
      'cio_d of cio_n': ['3 d-1'],
    },
  });
});

test('goes on where it was, with the times of its own', async () => {
  const { found } = await told({ from: 'cio_b' });
  expect(Object.keys(found)).toEqual(['cio_b of cio_c', 'cio_c of cio_c', 'cio_d of cio_n']);
  for await (const { people } of past.placing.histories({
    ...{ workspace: 'w', partition: 1, fence: FENCE, by: 'identified', from: '', factsTo },
    ...{ names: [], triggerNames: [], manual: [] },
  })) {
    const late = people[0]?.histories[0]?.events.find(({ messageId }) => messageId === 'a-2');
    expect(late).toMatchObject({ type: 'identify', anonymousId: null, timestamp: T0 - 9_000 * MINUTE });
  }
});

test('whoever did what may answer a stall is asked for, where it may answer one still', async () => {
  const asked = { by: 'events', triggerNames: ['Checkout Started'], names: ['Order Completed'] } as const;
  const whoDid = async (answers?: HistoriesQuestion['answers']) =>
    Object.keys((await told({ ...asked, ...(answers && { answers }) })).found);
  expect(await whoDid()).toEqual([]);
  for (const names of [['Order Completed'], null]) {
    expect(await whoDid({ names, since: T0 })).toEqual(['cio_a of cio_c']);
    expect(await whoDid({ names, since: T0 + 1 })).toEqual([]);
  }
  expect(await whoDid({ names: ['Other'], since: T0 })).toEqual([]);
});

test('where anybody may have triggered it, whoever was only identified is asked for, too, and each identify is there once', async () => {
  const { people, found } = await told({ by: 'anybody', triggerNames: [] });
  expect(people).toBe(5);
  expect(Object.keys(found)).toEqual([
    'cio_a of cio_c',
    'cio_b of cio_c',
    'cio_c of cio_c',
    'cio_d of cio_n',
  ]);
  expect(found['cio_d of cio_n']).toEqual(['3 d-1']);
  expect(found['cio_a of cio_c']).toEqual(['1 Added to Cart', '1 a-1', '2 b-1', '5 a-2', '30 b-2', '50 c-1']);
});

test('a replay asks who was identified in a time, by who they are', async () => {
  const asked = {
    workspace: 'w',
    by: 'identified',
    names: [],
    comesBy: 'arrival',
    after: '',
    limit: 10,
  } as const;
  const { people, of } = await past.history.candidates({ ...asked, from: T0, to: T0 + 10 * MINUTE });
  expect([people, of]).toEqual([['cio_c', 'cio_f', 'cio_n'], 3]);
  const [history] = await past.history.histories({
    ...{ workspace: 'w', people: ['cio_c'], names: [], manual: [], to: T0 + 31 * MINUTE, comesBy: 'arrival' },
  });
  const identifies = history?.events.filter(({ type }) => type === 'identify');
  expect(identifies?.map(({ messageId }) => messageId)).toEqual(['a-1', 'b-1', 'a-2', 'b-2']);
});
