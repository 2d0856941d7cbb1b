/**
 * A whole installation for an end-to-end test: the five services as processes, on the parts of the run (TEST_…), with
 * topics, a database, a folder and a port of its own. What a test kills stays dead until the test starts it again.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startInstallation } from '../../infra/local/installation.ts';
import { choosePort } from '../../infra/local/network-ports.ts';
import { serviceNames, serviceProcess, type ServiceName } from '../../infra/local/service-processes.ts';
import { Supervisor } from '../../infra/local/supervisor.ts';
import { CodedError } from '../runtime/errors.ts';

export interface StackOptions {
  /** Put before topics, groups and transactional ids; a fresh one without it. */
  readonly prefix?: string;
  /** Further settings of the services, such as HINDSIGHT_TEST_CLOCK. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without it, few: each costs the broker of the run as much as a suite's events do. */
  readonly partitions?: number;
}

export interface Keys {
  readonly site_id: string;
  readonly api_key: string;
  readonly write_key: string;
  readonly browser_key?: string;
  readonly app_key: string;
  /** Of workspace `default` only. */
  readonly admin_key?: string;
}

export interface Stack {
  /** http://127.0.0.1:port */
  readonly http: string;
  /** By workspace: `default` and `sample`. */
  readonly credentials: Readonly<Record<'default' | 'sample', Keys & { readonly browser_key: string }>>;
  readonly clickhouse: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  readonly kafka: string;
  readonly registry: string;
  readonly prefix: string;
  readonly dataFolder: string;
  /** Process id of each service that runs now. */
  readonly processes: Readonly<Partial<Record<ServiceName, number>>>;
  /** kill -9; resolves when it has ended. */
  kill(name: ServiceName): Promise<void>;
  /** Stops it cleanly if it runs, starts it, resolves when it is ready. */
  restart(name: ServiceName): Promise<void>;
  /** Stops all and removes the folder. Topics and database stay until the run's parts go. */
  stop(): Promise<void>;
}

const root = process.cwd();
const PARTITIONS = 3;

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const id = randomBytes(4).toString('hex');
  const prefix = options.prefix ?? `t${id}.`;
  const dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-stack-'));
  const database = `t${id}`;
  const port = await choosePort(undefined);
  const parts = partsOfRun();
  const supervisor = newSupervisor();
  const { url, user, password } = parts.clickhouse;
  let settings: NodeJS.ProcessEnv;
  try {
    settings = await startInstallation({
      root,
      dataFolder,
      env: { ...process.env, NODE_OPTIONS: '', HINDSIGHT_HOST: '127.0.0.1', ...options.env },
      supervisor,
      report: () => undefined,
      parts: {
        kafka: Promise.resolve(parts.kafka),
        registry: Promise.resolve(parts.registry),
        clickhouse: Promise.resolve(parts.clickhouse),
      },
      port,
      prefix,
      partitions: options.partitions ?? PARTITIONS,
      database,
    });
  } catch (cause) {
    await supervisor.close();
    rmSync(dataFolder, { recursive: true, force: true });
    // The end of the log of what failed is in the hint, which jest would not show.
    const hint = cause instanceof CodedError ? (cause.hint ?? '') : '';
    throw new Error(`could not start a stack: ${String(cause)} ${hint}`, { cause });
  }
  return {
    http: `http://127.0.0.1:${String(port)}`,
    credentials: readCredentials(dataFolder),
    clickhouse: { url, user, password, database },
    kafka: parts.kafka,
    registry: parts.registry,
    prefix,
    dataFolder,
    get processes() {
      return Object.fromEntries([...supervisor.running()].map(([name, { pid }]) => [name, pid]));
    },
    kill: async (name) => {
      const running = supervisor.running().get(name);
      if (running !== undefined) process.kill(running.pid, 'SIGKILL');
      await supervisor.stop([name]);
    },
    restart: async (name) => {
      await supervisor.stop([name]);
      await supervisor.start(serviceProcess(name, { root, dataFolder, env: settings }));
    },
    stop: async () => {
      await supervisor.stop(serviceNames);
      await supervisor.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

function newSupervisor(): Supervisor {
  return new Supervisor({ restart: false, report: () => undefined, onChange: () => undefined });
}

function partsOfRun() {
  return {
    kafka: setting('TEST_KAFKA_BROKERS'),
    registry: setting('TEST_SCHEMA_REGISTRY_URL'),
    clickhouse: {
      url: setting('TEST_CLICKHOUSE_URL'),
      user: setting('TEST_CLICKHOUSE_USER'),
      password: setting('TEST_CLICKHOUSE_PASSWORD'),
    },
  };
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`could not start a stack: ${name} is not set; is the suite's name *.real.test.ts?`);
  }
  return value;
}

function readCredentials(dataFolder: string): Stack['credentials'] {
  const text = readFileSync(join(dataFolder, 'credentials.json'), 'utf8');
  return JSON.parse(text) as Stack['credentials']; // made by ensureCredentials a moment ago
}
