/** Brings a database to this program's schema, forward only. Run at start by the launcher; services only check. */
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { CodedError } from '../../runtime/errors.ts';
import { isReplicated, type Layout } from '../../runtime/clickhouse-settings.ts';
import { describeViews } from './describe.ts';
import { onCluster, statementsFor } from './layout.ts';
import { readMigrations, type Migration } from './migrations.ts';
import { pendingMigrations, type Applied } from './plan.ts';

export interface MigrateOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Created if absent. */
  readonly database: string;
  readonly layout?: Layout;
  /** Of a sharded layout. */
  readonly shardUrls?: readonly string[];
  readonly migrations?: readonly Migration[];
}

const REQUEST_TIMEOUT_MS = 60_000;
const LEDGER = `CREATE TABLE IF NOT EXISTS schema_migrations (
  number UInt32, name String, hash String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY number`;

/**
 * Runs what has not run, on every server that is not told by another one. Every statement can be repeated, so a crash in
 * the middle is mended by the next run, and two runs at once do the same work twice. Throws what pendingMigrations
 * throws, and `migration_failed`.
 */
export async function migrate(options: MigrateOptions): Promise<{ readonly applied: readonly string[] }> {
  const { layout = { type: 'single' }, shardUrls = [] } = options;
  const urls = isReplicated(layout) ? [options.url] : [...new Set([...shardUrls, options.url])];
  const applied = new Set<string>();
  for (const url of urls) for (const name of await migrateOne({ ...options, url }, layout)) applied.add(name);
  return { applied: [...applied] };
}

async function migrateOne(options: MigrateOptions, layout: Layout): Promise<string[]> {
  const { database, migrations = readMigrations() } = options;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(database)) {
    throw new CodedError('settings_invalid', `could not migrate: ${database} is not a name for a database`);
  }
  const on = onCluster(layout);
  await withClient({ ...options, database: 'default' }, (client) =>
    client.command({ query: `CREATE DATABASE IF NOT EXISTS \`${database}\`${on}` }),
  );
  return withClient(options, async (client) => {
    for (const statement of ledgerFor(layout)) await client.command({ query: statement });
    const pending = pendingMigrations(migrations, await appliedTo(client));
    for (const migration of pending) await run(client, migration, layout);
    await describeViews(
      {
        rows: async (query) => (await client.query({ query, format: 'JSONEachRow' })).json(),
        command: (query) => client.command({ query }),
      },
      layout,
    );
    return pending.map(({ name }) => name);
  });
}

/** Throws unless the database has exactly this program's migrations. For services at their start. */
export async function checkSchema(client: ClickHouseClient, migrations = readMigrations()): Promise<void> {
  const pending = pendingMigrations(migrations, await appliedTo(client));
  const [first] = pending;
  if (first === undefined) return;
  throw new CodedError('schema_older', `could not use the database: migration ${first.name} has not run`);
}

async function run(client: ClickHouseClient, migration: Migration, layout: Layout): Promise<void> {
  for (const statement of migration.statements.flatMap((text) => statementsFor(text, layout))) {
    try {
      await client.command({ query: statement });
    } catch (cause) {
      const text = `could not run migration ${String(migration.number)} (${migration.name}): ${statement.slice(0, 80)}`;
      throw new CodedError('migration_failed', text, { cause });
    }
  }
  const { number, name, hash } = migration;
  await client.insert({
    table: 'schema_migrations',
    values: [{ number, name, hash }],
    format: 'JSONEachRow',
  });
}

/** Where one server tells all, the ledger lies on every replica, never in shards; else each server has its own. */
function ledgerFor(layout: Layout): string[] {
  return layout.type === 'single' || !isReplicated(layout)
    ? [LEDGER]
    : statementsFor(LEDGER, { type: 'replicated', cluster: layout.cluster }).map((text) =>
        text.replace('/{shard}/', '/all/'),
      );
}

async function appliedTo(client: ClickHouseClient): Promise<Applied[]> {
  const result = await client.query({
    query:
      'SELECT number, any(name) AS name, any(hash) AS hash FROM schema_migrations GROUP BY number ORDER BY number',
    format: 'JSONEachRow',
  });
  return result.json<Applied>();
}

async function withClient<T>(
  options: MigrateOptions,
  use: (client: ClickHouseClient) => Promise<T>,
): Promise<T> {
  const { url, username, password, database } = options;
  const client = createClient({
    url,
    username,
    password,
    database,
    request_timeout: REQUEST_TIMEOUT_MS,
    log: { level: ClickHouseLogLevel.OFF }, // its errors are thrown, too
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
