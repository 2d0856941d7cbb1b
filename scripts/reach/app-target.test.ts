import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findAppTarget } from './app-target.ts';

const NAMES = ['HINDSIGHT_DATA', 'HINDSIGHT_APP_KEY'] as const;
const before = NAMES.map((name) => [name, process.env[name]] as const);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'target-'));
  process.env['HINDSIGHT_DATA'] = folder;
  delete process.env['HINDSIGHT_APP_KEY'];
});
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true });
});

test('where nothing has run, the installation is missing', () => {
  expect(() => findAppTarget('default', undefined)).toThrow(`could not find the installation in ${folder}`);
});

test('where it runs and has no key of the workspace, that is said, and HINDSIGHT_APP_KEY helps', () => {
  writeFileSync(join(folder, 'endpoints.json'), '{"http":"http://127.0.0.1:1"}');
  writeFileSync(join(folder, 'credentials.json'), '{"default":{"app_key":"k"}}');
  expect(findAppTarget('default', undefined)).toEqual({ url: 'http://127.0.0.1:1', appKey: 'k' });
  expect(() => findAppTarget('shop', undefined)).toThrow('could not find an app key of workspace shop');
  expect(() => findAppTarget('shop', 'http://127.0.0.1:2')).toThrow(/workspace shop/);
  process.env['HINDSIGHT_APP_KEY'] = 'made';
  expect(findAppTarget('shop', undefined)).toEqual({ url: 'http://127.0.0.1:1', appKey: 'made' });
});
