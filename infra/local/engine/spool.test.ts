/** The spool lies where everybody may make folders: nobody can make one in its place. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spool } from './spool.ts';

const NOBODY = 65_534;
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hindsight-spool-'));
});
afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});
const bytes = async (spool: Spool): Promise<string> => (await spool.write([Buffer.from('rows')])).file;

test('the name is another at each start, and what a killed engine left behind goes', async () => {
  const first = await bytes(new Spool('/data', base));
  const [left = ''] = readdirSync(base);
  expect(statSync(join(base, left)).mode & 0o777).toBe(0o700);
  const other = new Spool('/other', base);
  const second = await bytes(new Spool('/data', base));
  expect(readdirSync(base)).toHaveLength(2);
  expect(readdirSync(base)).not.toContain(left);
  expect(second.startsWith(first.slice(0, first.lastIndexOf('/')))).toBe(false);
  other.close();
  expect(readdirSync(base)).toHaveLength(1);
});

test('a folder of another account under a name like it keeps nobody from starting, and is left alone', async () => {
  new Spool('/data', base).close();
  const probe = new Spool('/data', base);
  const [name = ''] = readdirSync(base);
  probe.close();
  const foreign = join(base, name.slice(0, name.lastIndexOf('-')));
  mkdirSync(join(foreign, 'theirs'), { recursive: true });
  // Who may not give files away has made this one, and it goes; both ways the spool is ours.
  const isForeign = process.getuid?.() === 0;
  if (isForeign) chownSync(foreign, NOBODY, NOBODY);
  const file = await bytes(new Spool('/data', base));
  expect(file.startsWith(`${foreign}/`)).toBe(false);
  expect(readdirSync(base).includes(name.slice(0, name.lastIndexOf('-')))).toBe(isForeign);
});
