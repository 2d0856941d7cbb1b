/** A backup of a folder on which nothing runs: what is in it, and where none is made. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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
import { backUp } from './backup.ts';
import { tryLock } from './lock.mjs';

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
