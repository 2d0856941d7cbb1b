/** ClickHouse as the sink needs it. The only file of the service that imports its client. */
import { Readable } from 'node:stream';
import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
} from '@clickhouse/client';
import { checkSchema } from './schema/migrate.ts';
import type { ClickHouseAddress } from '../runtime/clickhouse-settings.ts';
import { CodedError } from '../runtime/errors.ts';
import { shardOf, type Present, type Range } from './ranges.ts';
import { PLACE_COLUMNS, tables } from './tables.ts';
import { refreshToday, type TodayTables } from './today.ts';

export type { ClickHouseAddress };

export interface Target {
  /** 1 unless the tables are sharded. */
  readonly shards: number;
  /**
   * Throws schema_newer or schema_older when the database is not of this program, and shards_changed when rows lie
   * where the shards of this program would not have put them.
   */
  check(): Promise<void>;
  /** Rows in RowBinary, all of the shard. After an error nobody knows whether they are in. */
  insert(insert: Insert): Promise<void>;
  /** Which offsets of the ranges the table has, on whichever shard. */
  present(table: string, ranges: readonly Range[]): Promise<Present>;
  /** Greatest offset of each partition in the table. */
  greatest(table: string): Promise<ReadonlyMap<number, number>>;
  writeWatermarks(times: ReadonlyMap<number, number>): Promise<void>;
  /**
   * Brings stored_today and stored_moves to what the facts say (today.ts). Whoever does it twice, or at the same time as
   * another, changes nothing. Returns the workspaces whose histories were too long to follow, each once a process.
   */
  refreshToday(since: readonly Range[] | 'all'): Promise<readonly string[]>;
  /** First column of each row of the answer. */
  ask(sql: string): Promise<readonly string[]>;
  command(sql: string): Promise<void>;
  /** ALTER TABLE, on every shard. */
  alter(table: string, change: string): Promise<void>;
  /** Partitions of the table as stored, such as days, of every shard. */
  partitionsOf(table: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Insert {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: Buffer;
  readonly token: string;
  /** From 0. */
  readonly shard: number;
}

export interface TargetLayout {
  readonly replicated: boolean;
  /** Of sharded tables; each has the account of the address. */
  readonly shardUrls?: readonly string[];
}

const INSERT_MS_MAX = 60_000;
/**
 * A subquery over sharded tables is asked once and its answer sent along, as GLOBAL would; and an answer without a shard
 * that is away is none.
 */
const SHARDED_SETTINGS = {
  distributed_product_mode: 'global',
  skip_unavailable_shards: 0,
} as const satisfies ClickHouseSettings;

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

/** What working out everybody's rows at once may take; below INSERT_MS_MAX, so that the engine says which bound it was. */
const FILL_BOUNDS = {
  max_execution_time: 40,
  max_memory_usage: String(2 * 1_024 ** 3),
} as const satisfies ClickHouseSettings;
/** TOO_DEEP_RECURSION, of a chain of a thousand; TIMEOUT_EXCEEDED, TOO_SLOW; MEMORY_LIMIT_EXCEEDED. */
const BEYOND_BOUNDS: ReadonlySet<string> = new Set(['306', '159', '160', '241']);
/** Workspaces that are told of. */
const TOLD_MAX = 1_000;

export function openTarget(address: ClickHouseAddress, layout: TargetLayout): Target {
  const servers = openServers(address, layout);
  const { client, shards } = servers;
  const told = new Set<string>();
  return {
    shards: shards.length,
    ...writer(servers),
    ...reader(servers),

    async check() {
      for (const each of new Set([client, ...shards])) await checkSchema(each);
      if (servers.sharded) await checkShards(client, shards);
    },

    async refreshToday(since) {
      const leftOut = await refreshToday(todayTables(servers), since);
      const news = leftOut.filter((workspace) => !told.has(workspace)).slice(0, TOLD_MAX - told.size);
      for (const workspace of news) told.add(workspace);
      return news;
    },

    async command(sql) {
      await client.command({ query: sql });
    },

    async close() {
      await Promise.all([...new Set([client, ...shards])].map((each) => each.close()));
    },
  };
}

interface Servers {
  readonly sharded: boolean;
  readonly replicated: boolean;
  /** Knows all rows. */
  readonly client: ClickHouseClient;
  readonly shards: readonly ClickHouseClient[];
  readonly shardAt: (shard: number) => ClickHouseClient;
  /** The name under which a shard keeps its rows of a table. */
  readonly stored: (table: string) => string;
  readonly insertSettings: ClickHouseSettings;
}

function openServers(address: ClickHouseAddress, { replicated, shardUrls = [] }: TargetLayout): Servers {
  const sharded = shardUrls.length > 0;
  const open = (url: string): ClickHouseClient =>
    createClient({
      ...address,
      url,
      request_timeout: INSERT_MS_MAX,
      max_open_connections: 8,
      log: { level: ClickHouseLogLevel.OFF }, // its errors are thrown, too
      clickhouse_settings: {
        ...(replicated && { select_sequential_consistency: '1' as const }),
        ...(sharded && SHARDED_SETTINGS),
      },
    });
  const client = open(address.url);
  const shards = sharded ? shardUrls.map(open) : [client];
  return {
    sharded,
    replicated,
    client,
    shards,
    shardAt: (shard) => shards[shard] ?? client,
    stored: (table) => (sharded ? `${table}_shard` : table),
    insertSettings: replicated
      ? { ...INSERT_SETTINGS, insert_quorum: 'auto', insert_quorum_parallel: 0 }
      : INSERT_SETTINGS,
  };
}

/** What goes to the shards themselves, never through a Distributed table. */
function writer(servers: Servers): Pick<Target, 'insert' | 'writeWatermarks' | 'alter' | 'partitionsOf'> {
  const { shards, shardAt, stored, insertSettings, replicated } = servers;
  return {
    async insert({ table, columns, rows, token, shard }) {
      const list = [...columns, ...PLACE_COLUMNS].join(', ');
      const { stream } = await shardAt(shard).exec({
        query: `INSERT INTO ${stored(table)} (${list}) FORMAT RowBinary`,
        values: Readable.from([rows]),
        clickhouse_settings: { ...insertSettings, insert_deduplication_token: token },
      });
      stream.destroy();
    },

    async writeWatermarks(times) {
      const values = [...times].map(([partition, at]) => ({
        source_partition: partition,
        at: new Date(at).toISOString(),
      }));
      await shardAt(0).insert({
        table: stored('stored_watermarks'),
        values,
        format: 'JSONEachRow',
        clickhouse_settings: {
          async_insert: 0,
          insert_deduplicate: 0,
          date_time_input_format: 'best_effort',
        },
      });
    },

    async alter(table, change) {
      // A replica asks a change's question by itself; what is asked here only ever grows.
      const clickhouse_settings: ClickHouseSettings = replicated
        ? { mutations_sync: '2', allow_nondeterministic_mutations: 1 }
        : { mutations_sync: '1' };
      for (const shard of shards)
        await shard.command({ query: `ALTER TABLE ${stored(table)} ${change}`, clickhouse_settings });
    },

    async partitionsOf(table) {
      const query = `SELECT DISTINCT partition FROM system.parts WHERE database = currentDatabase() AND table = '${stored(table)}' AND active`;
      return [...new Set((await Promise.all(shards.map((shard) => first(shard, query)))).flat())];
    },
  };
}

/** What asks one server that sees all rows. */
function reader({ client }: Servers): Pick<Target, 'present' | 'greatest' | 'ask'> {
  return {
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

    ask: (sql) => first(client, sql),
  };
}

/** How many shards the cluster has that the Distributed tables were made over. */
const SHARDS_SEEN = `SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster IN (
  SELECT extract(engine_full, 'Distributed\\\\(\\'([^\\']+)') FROM system.tables
  WHERE database = currentDatabase() AND name = 'stored_merged')`;

/**
 * A partition's shard follows from the list of shards. With another list, or the same in another order, a batch under way
 * would go in twice, and the latest row of a key would lie on another shard than the one that it replaces. So it is
 * refused, by what lies where.
 */
async function checkShards(client: ClickHouseClient, shards: readonly ClickHouseClient[]): Promise<void> {
  const count = String(shards.length);
  const hint =
    'CLICKHOUSE_SHARDS must stay as it was when the database was made, in its order. For other shards use an empty database, which is written anew from the topics.';
  const [seen = '0'] = await first(client, SHARDS_SEEN);
  if (seen !== count) {
    const text = `could not start: CLICKHOUSE_SHARDS names ${count} shards, and its readers see ${seen}`;
    throw new CodedError('shards_changed', text, { hint });
  }
  for (const [index, shard] of shards.entries()) {
    for (const { table } of tables) {
      const where = `_partition % ${count} != ${String(index)}`;
      const [partition] = await first(shard, `SELECT _partition FROM ${table}_shard WHERE ${where} LIMIT 1`);
      if (partition === undefined) continue;
      const place = `shard ${String(index + 1)} of ${count}`;
      const belongs = String(shardOf(Number(partition), shards.length) + 1);
      throw new CodedError(
        'shards_changed',
        `could not start: ${place} has rows of partition ${partition} in ${table}, which belong on shard ${belongs}`,
        { hint },
      );
    }
  }
}

/** What is known of people of today lies on one shard, and is asked for through a server that sees all. */
function todayTables({ shardAt, stored, insertSettings }: Servers): TodayTables {
  const client = shardAt(0);
  const clickhouse_settings: ClickHouseSettings = { ...insertSettings, insert_deduplicate: 0 };
  return {
    async rows<Row>(query: string): Promise<readonly Row[]> {
      return await (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
    },
    async insert(table, values) {
      await client.insert({ table: stored(table), values, format: 'JSONEachRow', clickhouse_settings });
    },
    async fill(table, columns, question) {
      const query = `INSERT INTO ${stored(table)} (${columns}) ${question}`;
      try {
        await client.command({ query, clickhouse_settings: { ...clickhouse_settings, ...FILL_BOUNDS } });
        return true;
      } catch (error) {
        if (error instanceof ClickHouseError && BEYOND_BOUNDS.has(error.code)) return false;
        throw error;
      }
    },
    nameOf: stored,
  };
}

async function first(client: ClickHouseClient, sql: string): Promise<string[]> {
  const result = await client.query({ query: sql, format: 'TabSeparated' });
  const text = await result.text();
  return text === '' ? [] : text.trimEnd().split('\n');
}
