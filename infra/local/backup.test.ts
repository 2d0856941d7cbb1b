/** A backup: what is in it, of what runs and of what does not, and where none is made. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  ftruncateSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually } from '../../services/testing/eventually.ts';
import { backUp } from './backup.ts';
import { tryLock, type LockAttempt } from './lock.mjs';
import { identityOf } from './process-identity.mjs';
import { writeProcessFiles } from './process-files.ts';

let folder = '';
let data = '';
let to = '';
const never = new AbortController().signal;
const backUpIt = (target = to, stop = never) =>
  backUp({ dataFolder: data, to: target, stillMsMax: 1_000, stop });

function put(name: string, text = name): void {
  mkdirSync(dirname(join(data, name)), { recursive: true, mode: 0o700 });
  writeFileSync(join(data, name), text, { mode: 0o600 });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
  data = join(folder, '.hindsight');
  to = join(folder, 'kept', 'monday');
  for (const name of ['credentials.json', 'kafka/log/0.log', 'registry/registry.mv.db']) put(name);
  for (const name of ['clickhouse-engine/store/1', 'state/merger/data.mdb', 'spool/1.log']) put(name);
  for (const name of ['logs/kafka.log', 'run/gateway.json', 'compiled/x', 'spool/owner.json']) put(name);
  for (const name of ['endpoints.json', 'processes.json']) put(name);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('has everything that is kept and nothing of what the next start makes anew', async () => {
  const hole = openSync(join(data, 'kafka/log/0.index'), 'w');
  ftruncateSync(hole, 10 << 20);
  closeSync(hole);
  const { stillMs, bytes } = await backUpIt();
  expect(stillMs).toBeUndefined();
  expect(bytes).toBeLessThan(1 << 20);
  expect(readdirSync(to).sort()).toEqual(
    ['clickhouse-engine', 'credentials.json', 'kafka', 'registry', 'spool', 'state'].sort(),
  );
  expect(readdirSync(join(to, 'spool'))).toEqual(['1.log']);
  expect(readFileSync(join(to, 'state/merger/data.mdb'), 'utf8')).toBe('state/merger/data.mdb');
  expect(statSync(join(to, 'kafka/log/0.index')).size).toBe(10 << 20);
  expect(statSync(to).mode & 0o077).toBe(0);
  expect(statSync(join(to, 'credentials.json')).mode & 0o077).toBe(0);
  expect(existsSync(join(data, 'launcher.lock'))).toBe(false);
});

test('has what lies on another disk, with a link in its place', async () => {
  renameSync(join(data, 'kafka'), join(folder, 'other-disk'));
  symlinkSync(join(folder, 'other-disk'), join(data, 'kafka'));
  await backUpIt();
  rmSync(join(folder, 'other-disk'), { recursive: true });
  expect(readFileSync(join(to, 'kafka/log/0.log'), 'utf8')).toBe('kafka/log/0.log');
});

describe('of what runs', () => {
  const parts = ['kafka', 'registry', 'clickhouse-engine'];
  let running: ChildProcess[] = [];
  let lock: LockAttempt;
  const written = (part: string) => join(data, part, 'written');
  const sizes = () => parts.map((part) => statSync(written(part), { throwIfNoEntry: false })?.size ?? 0);
  /** Each appends to a file of its own without end. */
  beforeEach(async () => {
    running = parts.map((part) =>
      spawn(process.execPath, [
        '-e',
        `setInterval(() => require('node:fs').appendFileSync(${JSON.stringify(written(part))}, 'x'), 1)`,
      ]),
    );
    const identities = running.map(({ pid }, index) => [parts[index] ?? '', identityOf(pid ?? 0)] as const);
    writeProcessFiles(data, new Map(identities));
    lock = tryLock(join(data, 'launcher.lock'));
    await eventually(() => sizes().every((bytes) => bytes > 0));
  });
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    if (lock.holder === undefined) lock.release();
  });
  const goOn = async (): Promise<void> => {
    const before = sizes();
    await eventually(() => sizes().every((bytes, index) => bytes > (before[index] ?? 0)));
  };

  test('is what each had written at one moment, and all go on', async () => {
    const { stillMs } = await backUp({ dataFolder: data, to, stillMsMax: 60_000, stop: never });
    expect(stillMs).toBeGreaterThan(0);
    const copied = parts.map((part) => statSync(join(to, part, 'written')).size);
    expect(copied.every((bytes) => bytes > 0)).toBe(true);
    await goOn();
  }, 60_000);

  test('is given up when it takes longer than it may, leaves nothing, and all go on', async () => {
    await expect(backUp({ dataFolder: data, to, stillMsMax: 0, stop: never })).rejects.toMatchObject({
      code: 'backup_given_up',
      message: expect.stringContaining('would have taken longer than 0 s, and everything goes on'),
    });
    expect(readdirSync(dirname(to))).toEqual([]);
    await goOn();
  }, 60_000);

  test('is refused where a part does not run here', async () => {
    writeProcessFiles(data, new Map([['kafka', identityOf(running[0]?.pid ?? 0)]]));
    await expect(backUpIt()).rejects.toThrow(/not running here at this moment: registry, clickhouse-engine/);
  }, 60_000);
});

describe('is refused, and leaves nothing', () => {
  afterEach(() => {
    expect(existsSync(join(folder, 'kept')) ? readdirSync(join(folder, 'kept')) : []).toEqual([]);
  });

  test('where something is already', async () => {
    await expect(backUpIt(data)).rejects.toMatchObject({ code: 'backup_refused' });
  });

  test('within what is to be copied', async () => {
    await expect(backUpIt(join(data, 'copies', 'x'))).rejects.toThrow(/is within what is to be copied/);
  });

  test('where no installation is', async () => {
    rmSync(join(data, 'credentials.json'));
    await expect(backUpIt()).rejects.toMatchObject({ code: 'not_found' });
  });

  test('where parts run elsewhere', async () => {
    rmSync(join(data, 'kafka'), { recursive: true });
    await expect(backUpIt()).rejects.toThrow(/kafka of .* run elsewhere/);
  });

  test('while it is being started', async () => {
    rmSync(join(data, 'endpoints.json'));
    const lock = tryLock(join(data, 'launcher.lock'));
    await expect(backUpIt()).rejects.toThrow(/is starting or being stopped/);
    if (lock.holder === undefined) lock.release();
  });

  test('when it is stopped meanwhile', async () => {
    await expect(backUpIt(to, AbortSignal.abort())).rejects.toMatchObject({ code: 'backup_given_up' });
  });
});
