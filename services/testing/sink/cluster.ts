/** Real ClickHouse servers as the shards of a cluster, each a process of its own (server.py), for tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../infra/local/engine/engine-process.ts';

export interface TestShard {
  readonly url: string;
  kill(): Promise<void>;
  /** After a kill, on the same data and ports. */
  start(): Promise<void>;
}

export interface TestCluster {
  readonly name: string;
  readonly shards: readonly TestShard[];
  stop(): Promise<void>;
}

const NAME = 'hindsight';
const SCRIPT = fileURLToPath(new URL('./server.py', import.meta.url));
const LIBRARY = createRequire(import.meta.url).resolve('@chdb/lib-linux-x64-gnu/libchdb.so');
const READY_MS_MAX = 60_000;

export async function startTestCluster(shardCount: number): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'hindsight-cluster-'));
  const ports: { tcp: number; http: number }[] = [];
  for (let shard = 0; shard < shardCount; shard++) {
    ports.push({ tcp: await freePort(), http: await freePort() });
  }
  const shards = await Promise.all(
    ports.map(async (own, index) => {
      const data = join(folder, `shard-${String(index + 1)}`);
      const config = `${data}.xml`;
      await mkdir(data);
      await writeFile(config, configOf(own.tcp, ports));
      const shard = new ServerProcess([LIBRARY, config, data, String(own.tcp), String(own.http)], own.http);
      await shard.start();
      return shard;
    }),
  );
  return {
    name: NAME,
    shards,
    stop: async () => {
      await Promise.all(shards.map((shard) => shard.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configOf(tcpPort: number, ports: readonly { readonly tcp: number }[]): string {
  const replica = (tcp: number): string =>
    `<shard><replica><host>127.0.0.1</host><port>${String(tcp)}</port></replica></shard>`;
  const cluster = ports.map(({ tcp }) => replica(tcp)).join('');
  return `<clickhouse>
  <tcp_port>${String(tcpPort)}</tcp_port>
  <remote_servers><${NAME}>${cluster}</${NAME}></remote_servers>
</clickhouse>`;
}

class ServerProcess implements TestShard {
  readonly url: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(args: readonly string[], httpPort: number) {
    this.#args = args;
    this.url = `http://127.0.0.1:${String(httpPort)}`;
  }

  async start(): Promise<void> {
    const child = spawn('python3', [SCRIPT, ...this.#args], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    const deadline = Date.now() + READY_MS_MAX;
    while (Date.now() < deadline && child.exitCode === null) {
      if (await answers(this.url)) return;
      await sleep(50);
    }
    child.kill('SIGKILL');
    throw new Error(`could not start a ClickHouse server on ${this.url}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(`${url}/ping`).then(
    (answer) => answer.ok,
    () => false,
  );
}
