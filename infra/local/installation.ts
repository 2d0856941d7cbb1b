/**
 * Starts everything that an installation on this machine is made of: parts, topics, schemas, tables, credentials,
 * services. Used by the launcher with parts of the settings, and by tests with parts that they share.
 */
import { createTopics } from '../../services/runtime/log/create-topics.ts';
import { ensureCredentials } from '../../services/gateway/credentials.ts';
import type { Layout } from '../../services/runtime/clickhouse-settings.ts';
import type { CopiesWanted } from '../../services/runtime/log/ports.ts';
import { registerSchemas } from '../../services/runtime/registry.ts';
import { migrate } from '../../services/sink/schema/migrate.ts';
import { serviceNames, serviceProcess } from './service-processes.ts';
import type { Supervisor } from './supervisor.ts';

export interface ClickHouseAddress {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The account that may only read; a server that was given has what its owner made. */
  readonly reader?: string;
  readonly readerPassword?: string;
  /** Of servers that were given; an engine that is started here is one. */
  readonly layout?: Layout;
  readonly shardUrls?: readonly string[];
}

/** Each may still be on its way; what needs one waits for that one only. */
export interface PartAddresses {
  readonly kafka: Promise<string>;
  readonly registry: Promise<string>;
  readonly clickhouse: Promise<ClickHouseAddress>;
}

export interface InstallationOptions {
  readonly root: string;
  readonly dataFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly supervisor: Supervisor;
  readonly parts: PartAddresses;
  readonly port: number;
  readonly prefix: string;
  readonly partitions: number;
  readonly copies?: CopiesWanted;
  readonly database: string;
  readonly report: (line: string) => void;
}

/** @returns the settings with which the services run. */
export async function startInstallation(options: InstallationOptions): Promise<NodeJS.ProcessEnv> {
  const { root, dataFolder, prefix, partitions, copies, database, parts } = options;
  await Promise.all([
    // In here, so that a fault of it is the fault of the start, and no part's promise is left alone.
    Promise.resolve().then(() => ensureCredentials(dataFolder, options.env)),
    parts.kafka.then(async (kafka) => {
      const brokers = kafka.split(',');
      await timed(options, 'topics', () =>
        createTopics({ brokers, prefix, partitions, ...(copies && { copies }) }),
      );
    }),
    parts.registry.then((url) => timed(options, 'schemas', () => registerSchemas({ url }))),
    parts.clickhouse.then(({ user: username, ...address }) =>
      timed(options, 'tables', () => migrate({ ...address, username, database })),
    ),
  ]);
  const env = await serviceSettings(options);
  await timed(options, `services (${serviceNames.join(', ')})`, () =>
    Promise.all(
      serviceNames.map((name) => options.supervisor.start(serviceProcess(name, { root, dataFolder, env }))),
    ),
  );
  return env;
}

async function timed<T>(options: InstallationOptions, what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  options.report(`  ${what}: ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

async function serviceSettings(options: InstallationOptions): Promise<NodeJS.ProcessEnv> {
  const clickhouse = await options.parts.clickhouse;
  return {
    ...options.env,
    KAFKA_BROKERS: await options.parts.kafka,
    SCHEMA_REGISTRY_URL: await options.parts.registry,
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_USER: clickhouse.user,
    CLICKHOUSE_PASSWORD: clickhouse.password,
    CLICKHOUSE_DATABASE: options.database,
    HINDSIGHT_PREFIX: options.prefix,
    HINDSIGHT_PARTITIONS: String(options.partitions),
    HINDSIGHT_PORT: String(options.port),
  };
}
