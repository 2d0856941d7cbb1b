/** ClickHouse as the sink needs it. The only file of the service that imports its client. */
import { Readable } from 'node:stream';
import {
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
} from '@clickhouse/client';
import { checkSchema } from '../../infra/clickhouse/migrate.ts';
import type { Present, Range } from './ranges.ts';
import { PLACE_COLUMNS } from './tables.ts';

export interface ClickHouseAddress {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

export interface Target {
  /** Throws schema_newer or schema_older when the database is not of this program. */
  check(): Promise<void>;
  /** Rows in RowBinary. After an error nobody knows whether they are in. */
  insert(table: string, columns: readonly string[], rows: Buffer, token: string): Promise<void>;
  /** Which offsets of the ranges the table has. */
  present(table: string, ranges: readonly Range[]): Promise<Present>;
  /** Greatest offset of each partition in the table. */
  greatest(table: string): Promise<ReadonlyMap<number, number>>;
  writeWatermarks(times: ReadonlyMap<number, number>): Promise<void>;
  /** Brings stored_today to what the facts say. Whoever does it twice, or at the same time as another, changes nothing. */
  refreshToday(evenIfUnchanged?: boolean): Promise<void>;
  /** First column of each row of the answer. */
  ask(sql: string): Promise<readonly string[]>;
  command(sql: string): Promise<void>;
  close(): Promise<void>;
}

const INSERT_MS_MAX = 60_000;
/** Facts after which rows are another person's, or nobody's. */
const RESOLVING_FACTS = "'person_absorbed', 'person_deleted', 'anonymous_moved', 'identifier_moved'";

/**
 * What every insert says: one part a partition of the table, at once, whatever the server's defaults. A token works
 * only for blocks that come out the same again, so nothing may cut or collect them.
 */
const INSERT_SETTINGS = {
  async_insert: 0,
  insert_deduplicate: 1,
  max_partitions_per_insert_block: '0',
  max_insert_block_size: '10000000',
  min_insert_block_size_rows: '10000000',
  min_insert_block_size_bytes: '0',
  input_format_parallel_parsing: 0,
  wait_end_of_query: 1,
} as const satisfies ClickHouseSettings;

export function openTarget(address: ClickHouseAddress, options: { readonly replicated: boolean }): Target {
  const client: ClickHouseClient = createClient({
    ...address,
    request_timeout: INSERT_MS_MAX,
    max_open_connections: 8,
    log: { level: ClickHouseLogLevel.OFF }, // its errors are thrown, too
    clickhouse_settings: options.replicated ? { select_sequential_consistency: '1' } : {},
  });
  const settings: ClickHouseSettings = options.replicated
    ? { ...INSERT_SETTINGS, insert_quorum: 'auto', insert_quorum_parallel: 0 }
    : INSERT_SETTINGS;

  return {
    check: () => checkSchema(client),

    async insert(table, columns, rows, token) {
      const list = [...columns, ...PLACE_COLUMNS].join(', ');
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} (${list}) FORMAT RowBinary`,
        values: Readable.from([rows]),
        clickhouse_settings: { ...settings, insert_deduplication_token: token },
      });
      stream.destroy();
    },

    async present(table, ranges) {
      const present = new Map<number, Set<number>>();
      for (const { partition, from, to } of ranges) {
        const offsets = new Set<number>();
        present.set(partition, offsets);
        const where = `_partition = ${String(partition)} AND _offset >= ${String(from)} AND _offset < ${String(to)}`;
        const text = await first(client, `SELECT _offset FROM ${table} WHERE ${where}`);
        for (const offset of text) offsets.add(Number(offset));
      }
      return present;
    },

    async greatest(table) {
      const result = await client.query({
        query: `SELECT _partition AS partition, toFloat64(max(_offset)) AS greatest FROM ${table} GROUP BY _partition`,
        format: 'JSONEachRow',
      });
      const rows = await result.json<{ partition: number; greatest: number }>();
      return new Map(rows.map(({ partition, greatest }) => [partition, greatest]));
    },

    async writeWatermarks(times) {
      const values = [...times].map(([partition, at]) => ({
        source_partition: partition,
        at: new Date(at).toISOString(),
      }));
      await client.insert({
        table: 'stored_watermarks',
        values,
        format: 'JSONEachRow',
        clickhouse_settings: {
          async_insert: 0,
          insert_deduplicate: 0,
          date_time_input_format: 'best_effort',
        },
      });
    },

    refreshToday: refresher(client, settings),

    ask: (sql) => first(client, sql),

    async command(sql) {
      await client.command({ query: sql });
    },

    close: () => client.close(),
  };
}

/** Works out anew whose rows are whose today, when facts have arrived since the last time. */
function refresher(client: ClickHouseClient, settings: ClickHouseSettings): Target['refreshToday'] {
  /** Number of facts at the last refresh; it only grows. */
  let refreshedAt = -1;
  return async (evenIfUnchanged = false) => {
    const counting = `SELECT count() FROM stored_facts WHERE kind IN (${RESOLVING_FACTS})`;
    const version = Number((await first(client, counting))[0] ?? 0);
    if (version === refreshedAt && !evenIfUnchanged) return;
    await client.command({
      query: `INSERT INTO stored_today (person_id, workspace, name_kind, value, today_id, version)
        SELECT person_id, workspace, name_kind, value, today_id, ${String(version)} FROM person_resolutions
        WHERE (person_id, workspace, name_kind, value, today_id) NOT IN
          (SELECT person_id, workspace, name_kind, value, today_id FROM stored_today FINAL)`,
      clickhouse_settings: { ...settings, insert_deduplicate: 0 },
    });
    refreshedAt = version;
  };
}

async function first(client: ClickHouseClient, sql: string): Promise<string[]> {
  const result = await client.query({ query: sql, format: 'TabSeparated' });
  const text = await result.text();
  return text === '' ? [] : text.trimEnd().split('\n');
}
