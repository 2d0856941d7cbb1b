/** Leases lie in a folder that anybody may have made first. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOwnFolder } from './network-ports.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hindsight-leases-'));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

test('a folder is made for its owner alone, and found again', () => {
  const folder = join(base, 'ports');
  expect([isOwnFolder(folder), isOwnFolder(folder)]).toEqual([true, true]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('one of another account, a link and a file are not ours, and nothing fails', () => {
  const [folder, link, lost, file] = ['ports', 'link', 'lost', 'file'].map((name) => join(base, name));
  mkdirSync(folder ?? '');
  symlinkSync(folder ?? '', link ?? '');
  symlinkSync(join(base, 'nowhere'), lost ?? '');
  writeFileSync(file ?? '', '');
  const uid = process.getuid?.() ?? 0;
  expect(isOwnFolder(folder ?? '', uid + 1)).toBe(false);
  for (const other of [link, lost, file, join(base, 'none', 'ports')]) {
    expect(isOwnFolder(other ?? '', uid)).toBe(false);
  }
});
