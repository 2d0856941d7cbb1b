/** Migrations on the real engine: they run, run again, refuse what is newer; other layouts pass the engine's parser. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import type { Layout } from '../../runtime/clickhouse-settings.ts';
import { statementsFor } from './layout.ts';
import { checkSchema, migrate } from './migrate.ts';
import { readMigrations } from './migrations.ts';

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `migrate_${String(process.pid)}_${String(Date.now())}`,
};
let client: ClickHouseClient;
beforeAll(async () => {
  client = clientOf(address);
  await migrate(address);
});
afterAll(async () => {
  await client.command({ query: `DROP DATABASE IF EXISTS ${address.database} SYNC` });
  await client.close();
});

function clientOf(where: typeof address): ClickHouseClient {
  return createClient({ ...where, log: { level: ClickHouseLogLevel.OFF } });
}

test('a database is made once, taken as it is the next time, and refused when a newer program has been there', async () => {
  const names = readMigrations().map(({ name }) => name);
  const own = { ...address, database: `${address.database}_own` };
  const ownClient = clientOf(own);
  expect(await migrate(own)).toEqual({ applied: names });
  expect(await migrate(own)).toEqual({ applied: [] });
  await checkSchema(ownClient);
  const older = readMigrations().slice(0, -1);
  await expect(checkSchema(ownClient, older)).rejects.toMatchObject({ code: 'schema_newer' });
  await expect(migrate({ ...own, migrations: older })).rejects.toMatchObject({ code: 'schema_newer' });
  const next = { number: names.length + 1, name: 'next', hash: 'x', statements: ['SELECT 1'] };
  await expect(checkSchema(ownClient, [...readMigrations(), next])).rejects.toMatchObject({
    code: 'schema_older',
  });
  await ownClient.command({ query: `DROP DATABASE ${own.database} SYNC` });
  await ownClient.close();
});

test('the tables of the contract have the columns of the contract', async () => {
  const rows = await client.query({
    query:
      "SELECT table, groupArray(name) AS columns FROM system.columns WHERE database = currentDatabase() AND table NOT LIKE 'stored\\_%' GROUP BY table",
    format: 'JSONEachRow',
  });
  const tables = Object.fromEntries(
    (await rows.json<{ table: string; columns: string[] }>()).map(({ table, columns }) => [table, columns]),
  );
  const event =
    'message_id type name timestamp received_at merged_at previously_anonymous anonymous_id properties context bot _partition _offset';
  const contract = {
    events: `workspace person_id ${event}`,
    anonymous_events: `workspace ${event.replace('merged_at ', '')}`,
    people: 'workspace person_id id email created_at attributes first_seen_at',
    identities: 'workspace kind value person_id linked_at',
    segment_memberships: 'workspace segment_id person_id since',
    segment_changes: 'workspace segment_id person_id change at cause_message_id cause rule_version',
    journey_entries: 'workspace journey_id person_id entered_at trigger_message_id rule_version key evidence',
    journey_entry_events:
      'workspace journey_id person_id entered_at key role pointer message_id type name timestamp previously_anonymous properties',
    journey_skips: 'workspace journey_id person_id key at reason trigger_message_id rule_version detail',
    activities: 'workspace kind person_id anonymous_id timestamp processed_at detail',
    message_events:
      'workspace message_id version variant anonymous_id person_id event reason action at exposure cause_message_id value currency',
    dropped: 'workspace reason stage message_id at detail',
  };
  for (const [table, columns] of Object.entries(contract))
    expect({ [table]: tables[table] }).toEqual({ [table]: columns.split(' ') });
});

describe('the texts for a cluster', () => {
  const layouts: readonly Layout[] = [
    { type: 'replicated', cluster: 'main' },
    { type: 'sharded', cluster: 'main', replicated: true },
  ];
  test.each(layouts)('pass the engine’s parser: $type', async (layout) => {
    const statements = readMigrations()
      .flatMap(({ statements }) => statements)
      .flatMap((text) => statementsFor(text, layout));
    for (const text of statements) {
      const result = await client.query({
        query: 'SELECT formatQuerySingleLine({text:String}) AS text',
        query_params: { text },
        format: 'JSONEachRow',
      });
      const [row] = await result.json<{ text: string }>();
      expect(row?.text).toContain('ON CLUSTER');
    }
  });
});
