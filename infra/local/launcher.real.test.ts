/** `npm start` as an operator meets it: in a terminal, and on a machine that lacks something. */
import { spawnSync } from 'node:child_process';
import {
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
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../services/testing/eventually.ts';
import { launch, launchedProcesses, launchSettings, type Launched } from '../../services/testing/launched.ts';

const readyMsMax = 600_000;
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

  test('HINDSIGHT_DATA or HINDSIGHT_SNAPSHOTS cannot be made', () => {
    const below = join(folder, 'a-file');
    writeFileSync(below, '');
    for (const variable of ['HINDSIGHT_DATA', 'HINDSIGHT_SNAPSHOTS']) {
      const sentence = new RegExp(`a-file.*\\(${variable}\\).*set ${variable} to another`);
      expectRefusal({ [variable]: join(below, 'x') }, sentence);
    }
  });

  test('the certificate is not there', () => {
    const file = join(folder, 'none.pem');
    expectRefusal({ HINDSIGHT_TLS_CERT: file, HINDSIGHT_TLS_KEY: file }, /none\.pem.*HINDSIGHT_TLS_CERT/);
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
  let launcher: Launched | undefined;
  let recorded: Record<string, number>;
  beforeAll(() => {
    // As a version before this one, or whoever made the folder, may have left it.
    mkdirSync(join(data, 'kafka'), { recursive: true, mode: 0o755 });
    writeFileSync(join(data, 'kafka', 'left'), 'x', { mode: 0o644 });
  });
  beforeEach(async () => {
    launcher ??= await launch(data);
    recorded = launchedProcesses(data);
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
    const { parts } = (await health.json()) as { parts: Record<string, unknown> };
    expect(names.filter((name) => name !== 'gateway' && parts[name] === undefined)).toEqual([]);
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
    expect(launchedProcesses(data)).toEqual(recorded);
  });

  test(
    'starts again what dies, a part on its old port',
    async () => {
      for (const name of ['trigger', 'clickhouse-engine']) process.kill(recorded[name] ?? 0, 'SIGKILL');
      await eventually(() => {
        const now = launchedProcesses(data);
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
});

/** The folder itself, too. What goes while we look is left out; links lead to what is looked at by itself. */
function everythingIn(path: string): string[] {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const inside = lstatSync(path).isDirectory() ? readdirSync(path) : [];
  const own = lstatSync(path).isSymbolicLink() ? [] : [path];
  return [...own, ...inside.flatMap((name) => everythingIn(join(path, name)))];
}

function expectRefusal(extra: Record<string, string>, sentence: RegExp): void {
  const ended = spawnSync(process.execPath, ['scripts/start.mjs'], {
    env: launchSettings({ HINDSIGHT_DATA: join(folder, 'refused'), ...extra }),
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  expect(ended.stdout).toBe('');
  expect(ended.status).toBe(1);
}
