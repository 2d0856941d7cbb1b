import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryKeys } from '../testing/memory-keys.ts';
import { ensureCredentials, keysInFile, replaceInFile, type CredentialsFile } from './credentials.ts';
import { digestOf, keyIdOf } from './keys/secrets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const keysFor = (env: Record<string, string>) =>
  memoryKeys({ fromFile: keysInFile(ensureCredentials(folder, env)) }).keys;
const file = () => JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8')) as CredentialsFile;

describe('credentials.json', () => {
  test('is made once, readable by its owner alone, with the keys of default and sample', () => {
    ensureCredentials(folder, {});
    expect(Object.keys(file())).toEqual(['default', 'sample']);
    expect(statSync(join(folder, 'credentials.json')).mode & 0o777).toBe(0o600);
    const before = file();
    ensureCredentials(folder, {});
    expect(file()).toEqual(before);
  });

  test('keys open their workspace, each on its own API (spec A.0 row 6)', () => {
    const credentials = keysFor({});
    const { sample } = file();
    expect(credentials.track(sample?.site_id ?? '', sample?.api_key ?? '')).toBe('sample');
    expect(credentials.pipelines(sample?.write_key ?? '')).toBe('sample');
    expect(credentials.app(sample?.app_key ?? '')).toBe('sample');
    expect(credentials.app(sample?.write_key ?? '')).toBeUndefined();
    expect(credentials.track(sample?.site_id ?? '', 'wrong')).toBeUndefined();
    expect(credentials.track('wrong', sample?.api_key ?? '')).toBeUndefined();
    expect(credentials.pipelines('')).toBeUndefined();
    expect(credentials.isAdmin(file()['default']?.admin_key ?? '')).toBe(true);
    expect(credentials.isAdmin(file()['default']?.app_key ?? '')).toBe(false);
  });

  test('the environment sets the keys of default', () => {
    ensureCredentials(folder, {});
    const env = {
      HINDSIGHT_SITE_ID: 's',
      HINDSIGHT_API_KEY: 'a',
      HINDSIGHT_WRITE_KEY: 'w',
      HINDSIGHT_APP_KEY: 'p',
    };
    const credentials = keysFor({ ...env, HINDSIGHT_ADMIN_KEY: 'admin' });
    expect(credentials.track('s', 'a')).toBe('default');
    expect(credentials.pipelines('w')).toBe('default');
    expect(credentials.app('p')).toBe('default');
    expect(credentials.isAdmin('admin')).toBe(true);
    expect(file()['default']).toEqual({
      site_id: 's',
      api_key: 'a',
      browser_key: expect.stringMatching(/^browser_/),
      write_key: 'w',
      app_key: 'p',
      admin_key: 'admin',
    });
  });

  test('of an earlier version works on: what is missing is added, and others may not read it', () => {
    const old = { site_id: 's', api_key: 'a', write_key: 'w', app_key: 'p' };
    const path = join(folder, 'credentials.json');
    writeFileSync(path, JSON.stringify({ default: { ...old, admin_key: 'root' }, sample: old, second: old }));
    chmodSync(path, 0o644);
    const credentials = keysFor({});
    expect(file()).toMatchObject({ default: { ...old, admin_key: 'root' }, sample: old, second: old });
    expect(file()['default']?.browser_key).toMatch(/^browser_/);
    expect(credentials.find('write', 'w')).toMatchObject({ kind: 'server' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o640);
    ensureCredentials(folder, {});
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('the place of a key that is rotated holds the new one, and no other changes', () => {
    const before = ensureCredentials(folder, {});
    const { sample } = before;
    const id = keyIdOf(digestOf('app', sample?.app_key ?? ''));
    replaceInFile(folder, id, { app_key: 'new' });
    expect(file()).toEqual({ ...before, sample: { ...sample, app_key: 'new' } });
    replaceInFile(folder, 'key_of_nobody', { app_key: 'other' });
    expect(file()['sample']?.app_key).toBe('new');
  });

  test('a file that cannot be read is refused, never overwritten', () => {
    writeFileSync(join(folder, 'credentials.json'), '{');
    expect(() => ensureCredentials(folder, {})).toThrow(/not JSON/);
    expect(readFileSync(join(folder, 'credentials.json'), 'utf8')).toBe('{');
  });
});
