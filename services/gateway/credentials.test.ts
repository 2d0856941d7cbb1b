import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toWorkspace } from '../../schemas/ids.ts';
import { ensureCredentials, type CredentialsFile } from './credentials.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
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
    const credentials = ensureCredentials(folder, {});
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
    const credentials = ensureCredentials(folder, { ...env, HINDSIGHT_ADMIN_KEY: 'admin' });
    expect(credentials.track('s', 'a')).toBe('default');
    expect(credentials.pipelines('w')).toBe('default');
    expect(credentials.app('p')).toBe('default');
    expect(credentials.isAdmin('admin')).toBe(true);
    expect(file()['default']).toEqual({
      site_id: 's',
      api_key: 'a',
      write_key: 'w',
      app_key: 'p',
      admin_key: 'admin',
    });
  });

  test('a workspace that is created has its keys at once and after a restart', () => {
    const credentials = ensureCredentials(folder, {});
    const fresh = toWorkspace('fresh');
    expect(credentials.has(fresh)).toBe(false);
    const keys = credentials.ensure(fresh);
    expect(credentials.has(fresh)).toBe(true);
    expect(credentials.app(keys.app_key)).toBe('fresh');
    expect(ensureCredentials(folder, {}).app(keys.app_key)).toBe('fresh');
  });

  test('a file that cannot be read is refused, never overwritten', () => {
    writeFileSync(join(folder, 'credentials.json'), '{');
    expect(() => ensureCredentials(folder, {})).toThrow(/not JSON/);
    expect(readFileSync(join(folder, 'credentials.json'), 'utf8')).toBe('{');
  });
});
