/** `npm start` as an operator meets it: in a terminal, on a machine that lacks something, and after a kill -9. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { assert } from '../../services/runtime/errors.ts';
import { startOf } from './process-identity.mjs';

const readyMsMax = 180_000;
const names = [
  'clickhouse-engine',
  'gateway',
  'identity',
  'in-app',
  'kafka',
  'merger',
  'registry',
  'sink',
  'trigger',
];
const folder = mkdtempSync(join(tmpdir(), 'hindsight-launcher-'));
const data = join(folder, 'data');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('npm start says in one sentence what is missing, and exits with 1', () => {
  let taken: Server;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '0.0.0.0', () => done()));
  });
  afterAll(() => {
    taken.close();
  });

  test('HINDSIGHT_PORT is taken', () => {
    const port = String((taken.address() as AddressInfo).port);
    expectRefusal({ HINDSIGHT_PORT: port }, new RegExp(`port ${port} is taken.*HINDSIGHT_PORT`));
  });

  test.each([
    ['KAFKA_BROKERS', '127.0.0.1:1'],
    ['SCHEMA_REGISTRY_URL', 'http://127.0.0.1:1'],
    ['CLICKHOUSE_URL', 'http://127.0.0.1:1'],
  ])('nothing answers at %s', (variable, address) => {
    expectRefusal({ [variable]: address }, new RegExp(`${address}.*${variable}`));
  });

  test('CLICKHOUSE_PASSWORD is wrong', () => {
    const settings = { CLICKHOUSE_URL: process.env.TEST_CLICKHOUSE_URL ?? '', CLICKHOUSE_PASSWORD: 'wrong' };
    expectRefusal(settings, /refuses user default.*CLICKHOUSE_PASSWORD/);
  });

  test('a setting is not what it should be', () => {
    expectRefusal({ HINDSIGHT_PORT: 'eighty' }, /HINDSIGHT_PORT.*whole number/);
  });

  test('there is no Java', () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    expectRefusal({ PATH: bin, JAVA_HOME: '' }, /needs Java.*install a JDK 17/);
  });
});

describe('npm start', () => {
  /** Of each test; the one that ends it starts none again. */
  let launcher: Launcher | undefined;
  let recorded: Record<string, number>;
  beforeAll(() => {
    // As a version before this one, or whoever made the folder, may have left it.
    mkdirSync(join(data, 'kafka'), { recursive: true, mode: 0o755 });
    writeFileSync(join(data, 'kafka', 'left'), 'x', { mode: 0o644 });
  });
  beforeEach(async () => {
    launcher ??= await startLauncher();
    recorded = processes();
  }, readyMsMax);
  afterAll(async () => {
    if (launcher === undefined) return;
    process.kill(-launcher.pid, 'SIGINT');
    await launcher.exited;
  }, readyMsMax);

  test('brings up every part and service, each a process of its own, and writes down where they are', async () => {
    expect(Object.keys(recorded).sort()).toEqual(names);
    const addresses = JSON.parse(readFileSync(join(data, 'endpoints.json'), 'utf8')) as Record<
      string,
      string
    >;
    expect(Object.keys(addresses).sort()).toEqual([
      'clickhouse',
      'clickhouse_reader',
      'http',
      'kafka',
      'registry',
    ]);
    for (const file of ['endpoints.json', 'credentials.json', 'clickhouse-accounts.json']) {
      expect(statSync(join(data, file)).mode & 0o777).toBe(0o600);
    }
    const health = await fetch(`${addresses.http ?? ''}/health/ready`);
    expect(health.status).toBe(200);
  });

  test('security 7: keeps nothing that anybody else of this machine could read, and listens on loopback', async () => {
    const open = everythingIn(data).filter((path) => (lstatSync(path).mode & 0o077) !== 0);
    expect(open).toEqual([]);
    expect(everythingIn(data).length).toBeGreaterThan(100);
    const { http } = JSON.parse(readFileSync(join(data, 'endpoints.json'), 'utf8')) as { http: string };
    const elsewhere = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    for (const address of ['127.0.0.2', ...elsewhere.map((each) => each.address)]) {
      await expect(fetch(`http://${address}:${new URL(http).port}/health/live`)).rejects.toThrow();
    }
  });

  test('refuses a folder that another one runs on', () => {
    expectRefusal({ HINDSIGHT_DATA: data }, /runs on .* already/);
    expect(processes()).toEqual(recorded);
  });

  test(
    'starts again what dies, a part on its old port',
    async () => {
      for (const name of ['trigger', 'clickhouse-engine']) process.kill(idOf(name), 'SIGKILL');
      await eventually(() => {
        const now = processes();
        return ['trigger', 'clickhouse-engine'].every(
          (name) => now[name] !== undefined && now[name] !== recorded[name],
        );
      });
      const { http } = JSON.parse(readFileSync(join(data, 'endpoints.json'), 'utf8')) as { http: string };
      await eventually(
        async () => (await fetch(`${http}/health/settled`).catch(() => undefined))?.status === 200,
      );
    },
    readyMsMax,
  );

  test(
    'killed with -9, leaves nothing that stops the next one, which goes on with what was kept',
    async () => {
      const before = readFileSync(join(data, 'credentials.json'), 'utf8');
      const first = launcher;
      assert(first !== undefined, 'npm start runs');
      process.kill(first.pid, 'SIGKILL');
      await first.exited;
      const second = (launcher = await startLauncher());
      expect(Object.values(recorded).filter(isRunning)).toEqual([]);
      expect(readFileSync(join(data, 'credentials.json'), 'utf8')).toBe(before);

      recorded = processes();
      const children = childrenOf(second.pid);
      expect(children.length).toBeGreaterThanOrEqual(names.length);
      process.kill(-second.pid, 'SIGINT'); // as a terminal does: to the whole foreground group
      launcher = undefined;
      expect(await second.exited).toBe(0);
      expect([...Object.values(recorded), ...children].filter(isRunning)).toEqual([]);
      expect(existsSync(join(data, 'endpoints.json'))).toBe(false);
      expect(processes()).toEqual({});
    },
    2 * readyMsMax,
  );
});

/** The folder itself, too. What goes while we look is left out; links lead to what is looked at by itself. */
function everythingIn(path: string): string[] {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const inside = lstatSync(path).isDirectory() ? readdirSync(path) : [];
  const own = lstatSync(path).isSymbolicLink() ? [] : [path];
  return [...own, ...inside.flatMap((name) => everythingIn(join(path, name)))];
}

interface Launcher {
  readonly pid: number;
  readonly exited: Promise<number | null>;
}

/** In a process group of its own, as a shell gives one to each command. */
async function startLauncher(): Promise<Launcher> {
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    env: settings({ HINDSIGHT_DATA: data }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const output = collect(child);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await eventually(() => ended() || output.text.includes('hindsight is ready'));
  const { pid } = child;
  if (ended() || pid === undefined) throw new Error(`the launcher ended:\n${output.text}`);
  return { pid, exited };
}

function collect(child: ChildProcess): { text: string } {
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
  }
  return output;
}

function expectRefusal(extra: Record<string, string>, sentence: RegExp): void {
  const ended = spawnSync(process.execPath, ['scripts/start.mjs'], {
    env: settings({ HINDSIGHT_DATA: join(folder, 'refused'), ...extra }),
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  expect(ended.stdout).toBe('');
  expect(ended.status).toBe(1);
}

/** Nothing of the settings of whoever runs the tests. */
function settings(extra: Record<string, string>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(HINDSIGHT|KAFKA|SCHEMA|CLICKHOUSE|TEST|NODE)_/.test(name),
  );
  return { ...Object.fromEntries(own), HINDSIGHT_PORT: '0', HINDSIGHT_SAMPLE: 'off', ...extra };
}

function processes(): Record<string, number> {
  return JSON.parse(readFileSync(join(data, 'processes.json'), 'utf8')) as Record<string, number>;
}

function idOf(name: string): number {
  const pid = processes()[name];
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

function isRunning(pid: number): boolean {
  return startOf(pid) !== undefined;
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child ?? 0);
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + readyMsMax;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await sleep(100);
  }
}
