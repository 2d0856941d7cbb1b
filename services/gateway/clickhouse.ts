/** Reads ClickHouse for the App API. */
import { createClient } from '@clickhouse/client';
import type { Query } from '../app/plugin.ts';
import { CodedError } from '../runtime/errors.ts';
import type { GatewayConfig } from './config.ts';

const queryMsMax = 10_000;
const connectionsMax = 4;

export interface Clickhouse {
  readonly query: Query;
  close(): Promise<void>;
}

export function openClickhouse({ clickhouse }: Pick<GatewayConfig, 'clickhouse'>): Clickhouse {
  const { url, username, password, database, layout } = clickhouse;
  const client = createClient({
    url,
    username,
    password,
    database,
    // A subquery over shards is asked once and its answer sent along. Not set elsewhere: a read-only account may set nothing.
    clickhouse_settings: layout.type === 'sharded' ? { distributed_product_mode: 'global' } : {},
    request_timeout: queryMsMax,
    max_open_connections: connectionsMax,
  });
  return {
    query: async (sql, parameters) => {
      try {
        const result = await client.query({
          query: sql,
          query_params: { ...parameters },
          format: 'JSONEachRow',
        });
        return await result.json<Record<string, unknown>>();
      } catch (error) {
        throw new CodedError('clickhouse_unavailable', 'could not read ClickHouse', { cause: error });
      }
    },
    close: () => client.close(),
  };
}
