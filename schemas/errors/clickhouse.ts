/** ClickHouse and its migrations. */
import { BUG, type ErrorEntry } from './entry.ts';

export const clickhouseErrors = {
  clickhouse_unavailable: {
    means: 'ClickHouse cannot be read.',
    follows: 'again',
    todo: 'Is it running, and do CLICKHOUSE_URL, _USER, _PASSWORD and _DATABASE name it?',
    status: 503,
  },
  questions_share_full: {
    means: 'A workspace asks ClickHouse, the trigger or in-app more at once than its share.',
    follows: 'again',
    todo: 'Ask one after the other. GET /v1/usage says what runs and waits.',
    status: 429,
  },
  questions_overloaded: {
    means: 'All workspaces together ask ClickHouse, the trigger or in-app more at once than the bound.',
    follows: 'again',
    todo: 'Callers ask again by themselves. If it stays, give ClickHouse a larger machine.',
    status: 503,
  },
  question_too_slow: {
    means: 'A question took longer than one may.',
    follows: 'again',
    todo: 'Ask for less: fewer days, one event, a smaller filter. Or again, when ClickHouse has less to do.',
    status: 503,
  },
  question_too_large: {
    means: 'A question takes more memory, or more rows, than one may.',
    follows: 'record',
    todo: 'Ask for less: fewer days, one event, a smaller filter.',
    status: 400,
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
