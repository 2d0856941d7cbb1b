/** Where ClickHouse is, who we are there, and how its tables are laid out: the CLICKHOUSE_… settings, for every process. */
import type { Env, Field } from './config.ts';

export interface ClickHouseAddress {
  /** Without credentials: it may be shown. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

/**
 * `single`: one server. `replicated`: every table whole on each replica of the cluster. `sharded`: the rows of a topic's
 * partition on one shard of the cluster, whose tables may be replicated in turn.
 */
export type Layout =
  | { readonly type: 'single' }
  | { readonly type: 'replicated'; readonly cluster: string }
  | { readonly type: 'sharded'; readonly cluster: string; readonly replicated: boolean };

export interface ClickHouseSettings extends ClickHouseAddress {
  readonly layout: Layout;
  /** One a shard, in the order of the cluster; empty unless the layout is `sharded`. Without credentials. */
  readonly shardUrls: readonly string[];
}

const LAYOUTS = ['single', 'replicated', 'sharded', 'sharded_replicated'] as const;
const SHARDS_MAX = 256;

/**
 * CLICKHOUSE_URL may carry user and password, as connection strings do; CLICKHOUSE_USER and CLICKHOUSE_PASSWORD win over
 * them. No fault that it reports shows the URL, which may be a secret.
 * @param fallback for a process that can start without ClickHouse; without one the setting is required.
 */
export function clickHouseField(fallback?: string): Field<ClickHouseSettings> {
  return {
    variable: 'CLICKHOUSE_URL',
    read: (text, env) => {
      const url = text ?? fallback;
      if (url === undefined) throw new Error('is not set');
      return read(url, env);
    },
  };
}

/** undefined: not set, an engine is started on this machine. */
export function optionalClickHouseField(): Field<ClickHouseSettings | undefined> {
  const field = clickHouseField();
  return {
    ...field,
    read: (text, env) => {
      if (text !== undefined) return field.read(text, env);
      if (readLayout(env).type === 'single') return undefined;
      throw new Error('is not set, and CLICKHOUSE_LAYOUT is for servers of your own');
    },
  };
}

/** Whether a row has copies: then inserts wait for a quorum, and reads see what it has. */
export function isReplicated(layout: Layout): boolean {
  return layout.type === 'replicated' || (layout.type === 'sharded' && layout.replicated);
}

function read(text: string, env: Env): ClickHouseSettings {
  const { url, username, password } = withoutCredentials('CLICKHOUSE_URL', text);
  const address = {
    url,
    username: setting(env, 'CLICKHOUSE_USER') ?? username ?? 'default',
    password: setting(env, 'CLICKHOUSE_PASSWORD') ?? password ?? '',
    database: setting(env, 'CLICKHOUSE_DATABASE') ?? 'hindsight',
  };
  const layout = readLayout(env);
  const shardUrls = (setting(env, 'CLICKHOUSE_SHARDS')?.split(',') ?? []).map(
    (shard) => withoutCredentials('CLICKHOUSE_SHARDS', shard.trim()).url,
  );
  const sharded = layout.type === 'sharded';
  if (sharded && shardUrls.length === 0)
    throw new Error('CLICKHOUSE_SHARDS must name the shards of a sharded layout');
  if (!sharded && shardUrls.length > 0) throw new Error('CLICKHOUSE_SHARDS is for CLICKHOUSE_LAYOUT=sharded');
  if (new Set(shardUrls).size < shardUrls.length) throw new Error('CLICKHOUSE_SHARDS names a shard twice');
  if (shardUrls.length > SHARDS_MAX)
    throw new Error(`CLICKHOUSE_SHARDS names more than ${String(SHARDS_MAX)} shards`);
  return { ...address, layout, shardUrls };
}

function readLayout(env: Env): Layout {
  const text = setting(env, 'CLICKHOUSE_LAYOUT') ?? 'single';
  const type = LAYOUTS.find((name) => name === text);
  if (type === undefined)
    throw new Error(`CLICKHOUSE_LAYOUT must be one of ${LAYOUTS.join(', ')}, not ${text}`);
  const cluster = setting(env, 'CLICKHOUSE_CLUSTER') ?? 'hindsight';
  if (!/^[\w{}.-]+$/.test(cluster)) throw new Error('CLICKHOUSE_CLUSTER is not a name of a cluster');
  if (type === 'single') return { type };
  if (type === 'replicated') return { type, cluster };
  return { type: 'sharded', cluster, replicated: type === 'sharded_replicated' };
}

function withoutCredentials(
  variable: string,
  text: string,
): { readonly url: string; readonly username: string | undefined; readonly password: string | undefined } {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Error(`${variable} must be an http or https URL`);
  const url = new URL(text);
  const [username, password] = [url.username, url.password].map((part) =>
    part === '' ? undefined : decodeURIComponent(part),
  );
  url.username = '';
  url.password = '';
  return { url: url.href.replace(/\/+$/, ''), username, password };
}

/** Empty is not set. */
function setting(env: Env, variable: string): string | undefined {
  const text = env[variable]?.trim();
  return text === '' ? undefined : text;
}
