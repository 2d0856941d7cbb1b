/** ClickHouse and its migrations. */
import { BUG, type ErrorEntry } from './entry.ts';

export const clickhouseErrors = {
  clickhouse_unavailable: {
    means: 'ClickHouse cannot be read.',
    follows: 'again',
    todo: 'Is it running, and do CLICKHOUSE_URL, _USER, _PASSWORD and _DATABASE name it?',
    status: 503,
  },
  clickhouse_ahead_of_log: {
    means: 'ClickHouse has rows that the log never had.',
    follows: 'stands',
    todo: 'The database belongs to another log. Use an empty CLICKHOUSE_DATABASE, or the log that it was written from.',
  },
  shards_changed: {
    means: 'Rows lie on another shard than where they belong.',
    follows: 'ends',
    todo: 'Bring CLICKHOUSE_SHARDS back to what it was. See docs/clickhouse-cluster.md.',
  },
  row_plan_invalid: { means: 'A record cannot be mapped to its table.', follows: 'ends', todo: BUG },
  schema_newer: {
    means: 'The database was migrated by a newer Hindsight.',
    follows: 'ends',
    todo: 'Start the newer version, or use another database. Migrations only go forward.',
  },
  schema_older: {
    means: 'The database lacks a migration.',
    follows: 'ends',
    todo: 'Run the migrations (npm start does), then start again.',
  },
  migration_changed: {
    means: 'A migration that has run has another text now.',
    follows: 'ends',
    todo: 'Restore the file and write the change as a new migration.',
  },
  migration_failed: {
    means: 'A statement of a migration failed.',
    follows: 'ends',
    todo: 'The message has ClickHouse’s own words. It is tried again at the next start.',
  },
  migration_misnamed: {
    means: 'The migrations are not numbered one after another.',
    follows: 'ends',
    todo: 'Name the file with the next number.',
  },
  migration_missing: {
    means: 'A migration that has run is not here.',
    follows: 'ends',
    todo: 'Compare the table schema_migrations with services/sink/schema/migrations.',
  },
  migration_not_rewritable: {
    means: 'A statement cannot be written for a cluster.',
    follows: 'ends',
    todo: 'Teach services/sink/schema/layout.ts this kind of statement.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
