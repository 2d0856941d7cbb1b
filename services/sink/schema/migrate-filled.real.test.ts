/** What a migration adds, rows of before have as well: at once when they are read, and soon on the disk. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { eventually } from '../../testing/eventually.ts';
import { openTarget } from '../target.ts';
import { migrate } from './migrate.ts';
import { readMigrations } from './migrations.ts';

type Row = Readonly<Record<string, unknown>>;

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `filled_${String(process.pid)}_${String(Date.now())}`,
};
const erasedAddress = { ...address, database: `${address.database}_erased` };
const AT = '2026-03-31 12:00:00.000';
const values = {
  properties: '{"total":12.5,"journey_id":"welcome","holdout":true}',
  context: '{"campaign":{"source":"news","name":"spring"}}',
};
let client: ClickHouseClient;
beforeAll(() => {
  client = createClient({ ...address, log: { level: ClickHouseLogLevel.OFF } });
});
afterAll(async () => {
  for (const { database } of [erasedAddress, address]) {
    await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
  }
  await client.close();
});

async function insert(table: string, row: Row): Promise<void> {
  const place = { workspace: 'w', _partition: 0, _offset: 1 };
  await client.insert({ table, values: [{ ...place, ...row }], format: 'JSONEachRow' });
}
async function ask(query: string): Promise<unknown[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json();
}

test('values of events that were written before migration 0004', async () => {
  const event = { received_at: AT, timestamp: AT, type: 'event', anonymous_id: 'v1', ...values };
  await migrate({ ...address, migrations: readMigrations().slice(0, 3) });
  await insert('stored_merged', {
    ...event,
    message_id: 'm1',
    person_id: 'a',
    merged_at: AT,
    identifier_kind: 'id',
  });
  await insert('stored_collected', { ...event, message_id: 'm2' });
  await insert('stored_collected', { ...event, message_id: 'm3', anonymous_id: 'v2', _offset: 2 });
  await insert('stored_decisions', { kind: 'granted', lane: 'w:a:v1', claimed_at: AT });

  await migrate(address);
  const check = async (): Promise<void> => {
    const shape = ['holdout:b', 'journey_id:"', 'total:0'].join('\u001f');
    const campaign = { campaign_source: 'news', campaign_name: 'spring' };
    expect(
      await ask(
        'SELECT message_id, campaign_source, campaign_name, total, journey_id, holdout, shape FROM event_values',
      ),
    ).toEqual([{ message_id: 'm1', ...campaign, total: 12.5, journey_id: 'welcome', holdout: true, shape }]);
    expect(
      await ask('SELECT message_id, campaign_source, campaign_name, shape FROM anonymous_event_values'),
    ).toEqual([{ message_id: 'm3', ...campaign, shape }]);
  };
  await check();

  const onDisk = `SELECT count() AS columns FROM system.parts_columns
    WHERE active AND database = currentDatabase() AND column IN ('shape', 'visitor_digest')`;
  // shape of one table, shape and visitor_digest of the other.
  const written = async (): Promise<boolean> => {
    const [row] = await ask(onDisk);
    const [left] = await ask(
      'SELECT count() AS mutations FROM system.mutations WHERE database = currentDatabase() AND NOT is_done',
    );
    return (row as { columns: number }).columns >= 3 && (left as { mutations: number }).mutations === 0; // the columns asked for
  };
  await eventually(written);
  await check();
}, 300_000);

test('names that had left the facts before migration 0007 are still followed where another fact has them', async () => {
  await migrate({ ...erasedAddress, migrations: readMigrations().slice(0, 6) });
  const target = openTarget(erasedAddress, { replicated: false });
  let number = 0;
  const fact = (kind: string, mover: string, receiver: string, value: string | null): string => {
    number += 1;
    const names = value === null ? "'none', NULL" : `'id', '${value}'`;
    return `(${String(number)}, 'w', '${kind}', '${AT}', '${receiver}', '${mover}', ${names}, 0, ${String(number)})`;
  };
  const moved = (from: string, to: string, value: string): string =>
    [fact('person_split', from, to, null), fact('identifier_moved', from, to, value)].join(', ');
  await target.command(`INSERT INTO stored_facts
    (number, workspace, kind, at, person_id, other_person_id, identifier_kind, identifier, _partition, _offset)
    VALUES ${moved('a', 'gone', 'x')}, ${moved('gone', 'c', 'x')}, ${moved('a', 'gone', 'y')}, ${fact('person_deleted', '', 'gone', null)}`);
  await target.command(`INSERT INTO stored_merged
    (workspace, person_id, identifier_kind, identifier, message_id, received_at, timestamp, merged_at, type, _partition, _offset)
    VALUES ${['x', 'z'].map((each) => `('w', 'a', 'id', '${each}', 'of ${each}', '${AT}', '${AT}', '${AT}', 'event', 0, 1)`).join(', ')}`);
  // As an erasure leaves them.
  await target.alter(
    'stored_facts',
    "UPDATE identifier = NULL WHERE kind = 'identifier_moved' AND person_id = 'gone'",
  );

  await migrate(erasedAddress);
  const owners = async (): Promise<unknown> =>
    target.ask("SELECT concat(message_id, ' ', person_id) FROM events ORDER BY message_id");
  await target.refreshToday('all');
  expect(await owners()).toEqual(['of x c', 'of z a']);
  // A fact that is erased later has its digest, and one without a name has none that a row could have.
  await target.alter('stored_facts', "UPDATE identifier = NULL WHERE kind = 'identifier_moved'");
  await target.refreshToday('all');
  expect(await owners()).toEqual(['of x c', 'of z a']);
  const digests =
    "SELECT countIf(name_digest = 0) || ' ' || countIf(name_digest != 0) FROM stored_facts WHERE kind = 'identifier_moved'";
  expect(await target.ask(digests)).toEqual(['2 1']);
  await target.close();
}, 300_000);
