/** The embedded ClickHouse engine (clickhouse-engine.ts), and the accounts that it lets in. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { analystViews } from '../../services/sink/schema/dictionary/views.ts';
import type { EmbeddedPart } from './embedded-part.ts';
import type { PartOptions } from './kafka.ts';
import { answersAsClickHouse } from './probes.ts';
import { writePrivateFile } from './private-file.ts';

const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 20_000;
/** A running query holds a thread of libuv's pool, and its default of 4 would make readers wait for writers. */
const THREADS = '16';

export interface EngineAccounts {
  /** May do anything. */
  readonly user: string;
  readonly password: string;
  /** May only read. */
  readonly reader: string;
  readonly readerPassword: string;
}

/** Made at the first start, kept in `clickhouse-accounts.json` (mode 600). */
export function engineAccounts(dataFolder: string): EngineAccounts {
  const file = join(dataFolder, 'clickhouse-accounts.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as EngineAccounts; // written below and by nobody else
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const password = () => randomBytes(18).toString('base64url');
  const accounts = { user: 'hindsight', password: password(), reader: 'analyst', readerPassword: password() };
  writePrivateFile(file, JSON.stringify(accounts, null, 2));
  return accounts;
}

export function clickHousePart(options: PartOptions, accounts: EngineAccounts): EmbeddedPart {
  const folder = join(options.dataFolder, 'clickhouse-engine');
  return {
    name: 'clickhouse-engine',
    port: options.port,
    prepare: async (port) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const script = join(options.root, 'infra/local/clickhouse-engine.ts');
      return {
        name: 'clickhouse-engine',
        command: process.execPath,
        args: [script, '--data', folder, '--port', String(port)],
        cwd: options.root,
        env: {
          ...options.env,
          UV_THREADPOOL_SIZE: THREADS,
          CLICKHOUSE_ENGINE_USER: accounts.user,
          CLICKHOUSE_ENGINE_PASSWORD: accounts.password,
          CLICKHOUSE_ENGINE_READER: accounts.reader,
          CLICKHOUSE_ENGINE_READER_PASSWORD: accounts.readerPassword,
          CLICKHOUSE_ENGINE_READER_DATABASES: options.env['CLICKHOUSE_DATABASE']?.trim() || 'hindsight',
          CLICKHOUSE_ENGINE_READER_TABLES: analystViews.map(({ name }) => name).join(','),
        },
        logFile: join(options.dataFolder, 'logs', 'clickhouse-engine.log'),
        part: true,
        readyMsMax: READY_MS_MAX,
        stopMsMax: STOP_MS_MAX,
        isReady: () => answersAsClickHouse(`http://127.0.0.1:${String(port)}`),
      };
    },
  };
}
