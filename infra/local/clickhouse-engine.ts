/**
 * The ClickHouse engine where no server is at hand: chDB behind ClickHouse's HTTP protocol, in a process of its own.
 *
 *   node infra/local/clickhouse-engine.ts --data DIR --port N
 *
 * Accounts come from the environment: CLICKHOUSE_ENGINE_USER and CLICKHOUSE_ENGINE_PASSWORD may do anything,
 * CLICKHOUSE_ENGINE_READER and CLICKHOUSE_ENGINE_READER_PASSWORD (both or none) may only read, and only the databases of
 * CLICKHOUSE_ENGINE_READER_DATABASES (hindsight), of these only CLICKHOUSE_ENGINE_READER_TABLES if that is set. Prints one line of JSON when it listens. Give UV_THREADPOOL_SIZE=16: each running query holds one of these threads (4 without it).
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { drainPending } from 'chdb';
import type { Account } from './engine/accounts.ts';
import { startEngine } from './engine/server.ts';

const { values } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string' } } });

function stopWith(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function accountsOf(env: NodeJS.ProcessEnv): Account[] {
  const name = env['CLICKHOUSE_ENGINE_USER'];
  const password = env['CLICKHOUSE_ENGINE_PASSWORD'];
  if (name === undefined || password === undefined || password === '') {
    return stopWith('could not start: set CLICKHOUSE_ENGINE_USER and CLICKHOUSE_ENGINE_PASSWORD');
  }
  const accounts: Account[] = [{ name, password, readOnly: false }];
  const reader = env['CLICKHOUSE_ENGINE_READER'];
  const readerPassword = env['CLICKHOUSE_ENGINE_READER_PASSWORD'];
  if (reader !== undefined && readerPassword !== undefined && readerPassword !== '') {
    accounts.push({ name: reader, password: readerPassword, readOnly: true });
  }
  return accounts;
}

const port = Number(values.port);
if (values.data === undefined || !Number.isInteger(port) || port < 0 || port > 65_535) {
  stopWith('could not start: give --data DIR and --port N (0 for any free port)');
}
mkdirSync(values.data, { recursive: true, mode: 0o700 });

const readerDatabases = (process.env['CLICKHOUSE_ENGINE_READER_DATABASES'] ?? 'hindsight').split(',');
const readerTables = process.env['CLICKHOUSE_ENGINE_READER_TABLES']?.split(',');
const readable = { databases: readerDatabases, ...(readerTables !== undefined && { tables: readerTables }) };
const accounts = accountsOf(process.env);
const engine = await startEngine({ dataFolder: values.data, port, accounts, readable }).catch(
  (error: unknown) => stopWith(`could not start: ${error instanceof Error ? error.message : String(error)}`),
);
process.stdout.write(`${JSON.stringify({ ready: true, port: engine.port })}\n`);

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void engine
      .stop()
      .then(drainPending)
      .then(() => process.exit(0));
  });
}
