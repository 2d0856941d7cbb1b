/** The data dictionary on the real engine: what it says is what DESCRIBE says, and only what it names is to be read. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { describeViews } from './describe.ts';
import { analystViews } from './dictionary/views.ts';
import { migrate } from './migrate.ts';
import { readMigrations } from './migrations.ts';

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `describe_${String(process.pid)}_${String(Date.now())}`,
};
let client: ClickHouseClient;
beforeAll(async () => {
  await migrate(address);
  client = createClient({ ...address, log: { level: ClickHouseLogLevel.OFF } });
});
afterAll(async () => {
  await client.command({ query: `DROP DATABASE IF EXISTS ${address.database} SYNC` });
  await client.close();
});

async function ask<Row>(query: string): Promise<Row[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
}
interface Described {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

test.each(analystViews)('$name has the columns, types and comments of the dictionary', async (view) => {
  const from =
    view.argument === undefined ? view.name : `(SELECT * FROM ${view.name}(${view.argument} = 'x'))`;
  const columns = await ask<Described>(`DESCRIBE TABLE ${from}`);
  const said = view.columns.map(([name, type, comment]) => ({
    name,
    type,
    comment: view.argument === undefined ? comment : '',
  }));
  expect(columns.map(({ name, type, comment }) => ({ name, type, comment }))).toEqual(said);
  expect(
    await ask(
      `SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = '${view.name}'`,
    ),
  ).toEqual([{ comment: view.comment }]);
});

test('every view that is not in the dictionary is one that the others rest on', async () => {
  const views = await ask<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' ORDER BY name",
  );
  const known = new Set(analystViews.map(({ name }) => name));
  expect(views.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([
    'claims',
    'deleted_people',
    'erased_collected',
    'erased_events',
    'erased_identifies',
    'erased_people',
    'move_resolutions',
    'person_moves',
    'person_resolutions',
    'person_survivors',
    'resolved_identifies',
    'resolved_rows',
    'watermark',
    'withdrawals',
    'withdrawn_collected',
    'withdrawn_message_events',
  ]);
});

test('a view that is made anew has its sentences again at the next start, and what is right is left alone', async () => {
  const statements = readMigrations().flatMap((migration) => migration.statements);
  const people = statements.find((text) => text.includes('VIEW people AS')) ?? '';
  await client.command({ query: people });
  const comments =
    "SELECT comment FROM system.columns WHERE database = currentDatabase() AND table = 'people'";
  expect((await ask<Described>(comments)).every(({ comment }) => comment === '')).toBe(true);
  await migrate(address);
  expect((await ask<Described>(comments)).every(({ comment }) => comment !== '')).toBe(true);
  const asked: string[] = [];
  const command = (sql: string): Promise<void> => Promise.resolve(void asked.push(sql));
  await describeViews({ rows: ask, command }, { type: 'single' });
  expect(asked).toEqual([]);
});
