/** An embedded engine as a process of its own, for tests and drills that kill it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface EngineProcess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly reader: string;
  readonly readerPassword: string;
  readonly pid: number;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

const SCRIPT = fileURLToPath(new URL('../clickhouse-engine.ts', import.meta.url));
const READY_MS_MAX = 180_000;
const accounts = {
  username: 'writer',
  password: 'writer-password',
  reader: 'analyst',
  readerPassword: 'analyst-password',
} as const;

export async function startEngineProcess(options: {
  readonly folder: string;
  readonly port: number;
  /** What the reader may see; `shop` left out. */
  readonly readerDatabases?: string;
  /** Of these databases; left out: all. */
  readonly readerTables?: readonly string[];
}): Promise<EngineProcess> {
  const args = [SCRIPT, '--data', options.folder, '--port', String(options.port)];
  const child = spawn(process.execPath, args, {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      UV_THREADPOOL_SIZE: '16',
      CLICKHOUSE_ENGINE_USER: accounts.username,
      CLICKHOUSE_ENGINE_PASSWORD: accounts.password,
      CLICKHOUSE_ENGINE_READER: accounts.reader,
      CLICKHOUSE_ENGINE_READER_PASSWORD: accounts.readerPassword,
      CLICKHOUSE_ENGINE_READER_DATABASES: options.readerDatabases ?? 'shop',
      ...(options.readerTables && { CLICKHOUSE_ENGINE_READER_TABLES: options.readerTables.join(',') }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${String(options.port)}`;
  await untilUp(child, url);
  return {
    url,
    ...accounts,
    pid: child.pid ?? 0,
    kill: async () => {
      await ended(child, 'SIGKILL');
    },
    stop: () => ended(child, 'SIGTERM'),
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilUp(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX;
  while (Date.now() < deadline && child.exitCode === null) {
    const up = await fetch(`${url}/ping`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return;
    await sleep(20);
  }
  child.kill('SIGKILL');
  throw new Error(`could not start the engine on ${url}`);
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return child.exitCode;
}
