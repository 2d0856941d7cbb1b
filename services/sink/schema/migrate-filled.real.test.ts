/** What a migration adds, rows of before have as well: at once when they are read, and soon on the disk. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { eventually } from '../../testing/eventually.ts';
import { migrate } from './migrate.ts';
import { readMigrations } from './migrations.ts';

type Row = Readonly<Record<string, unknown>>;

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `filled_${String(process.pid)}_${String(Date.now())}`,
};
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
  await client.command({ query: `DROP DATABASE IF EXISTS ${address.database} SYNC` });
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
    WHERE active AND database = currentDatabase() AND column IN ('shape', 'visitor_key')`;
  // shape of one table, shape and visitor_key of the other.
  const written = async (): Promise<boolean> => {
    const [row] = await ask(onDisk);
    const [left] = await ask(
      'SELECT count() AS mutations FROM system.mutations WHERE database = currentDatabase() AND NOT is_done',
    );
    return (row as { columns: number }).columns >= 3 && (left as { mutations: number }).mutations === 0; // the columns asked for
  };
  await eventually(written);
  await check();
}, 180_000);
