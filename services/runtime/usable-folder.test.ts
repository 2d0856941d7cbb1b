/** A folder that cannot be made or written is refused at once, with the setting that names it and what to do. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeUsableFolder } from './usable-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'usable-folder-'));
const ownsAll = process.getuid?.() === 0;
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

test('it is made with all above it, and nothing is left in it', () => {
  const folder = join(root, 'a', 'b', 'c');
  makeUsableFolder('HINDSIGHT_DATA', folder);
  makeUsableFolder('HINDSIGHT_DATA', folder);
  expect(readdirSync(folder)).toEqual([]);
});

describe('is refused', () => {
  const refusal = (why: RegExp) =>
    expect.objectContaining({
      code: 'folder_unusable',
      message: expect.stringMatching(why),
      hint: expect.stringContaining('set HINDSIGHT_DATA to another one'),
    });
  const expectRefused = (folder: string, why: RegExp) => {
    expect(() => {
      makeUsableFolder('HINDSIGHT_DATA', folder);
    }).toThrow(refusal(why));
  };

  test('below a file', () => {
    writeFileSync(join(root, 'file'), '');
    expectRefused(join(root, 'file'), /could not use .*file \(HINDSIGHT_DATA\): .*file is no folder/);
    expectRefused(join(root, 'file', 'x'), /file is no folder|ENOTDIR/);
  });

  (existsSync('/proc/self') ? test : test.skip)('where no folder can be made, and it does not hang', () => {
    expectRefused('/proc/x/y', /could not use \/proc\/x\/y \(HINDSIGHT_DATA\): no folder can be made/);
    expectRefused('/proc', /no folder can be made|may not write/);
  });

  (ownsAll ? test.skip : test)('where this user may not write', () => {
    const folder = join(root, 'closed');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expectRefused(folder, /may not write there/);
    expectRefused(join(folder, 'x'), /may not write there/);
  });
});
