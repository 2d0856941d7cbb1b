/** Services compiled at the start of an installation. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileServices, uncompiled } from './compiled-services.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'compiled-'));
const run = promisify(execFile);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What Node says of a service without settings, in a folder far from the checkout. */
async function sayOf(program: readonly string[], name: string): Promise<string> {
  const env = { PATH: process.env.PATH };
  try {
    await run(process.execPath, [...program, name], { cwd: folder, env });
    return 'ended well';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }; // as execFile promises
    return stdout + stderr;
  }
}

describe('compiled services', () => {
  test('run from any folder, with their packages and schemas', async () => {
    const program = await compileServices({ root, dataFolder: folder, report: () => undefined });
    expect(program).not.toEqual(uncompiled);
    expect(await sayOf(program, 'nobody')).toMatch(/could not run service nobody: there are gateway,/);
    // Each gets as far as reading its settings, so all that it imports was found.
    for (const name of ['gateway', 'merger', 'identity', 'trigger', 'sink']) {
      expect(await sayOf(program, name)).toMatch(/could not read the settings: .*KAFKA_BROKERS: is not set/);
    }
  });

  test('name the sources in what they report', async () => {
    const program = await compileServices({ root, dataFolder: folder, report: () => undefined });
    expect(await sayOf(program, 'merger')).toMatch(/services\/runtime\/config\.ts:\d+/);
  });

  test('are compiled at each start where nothing can be written', async () => {
    const lines: string[] = [];
    writeFileSync(join(folder, 'a-file'), '');
    const dataFolder = join(folder, 'a-file');
    expect(await compileServices({ root, dataFolder, report: (line) => lines.push(line) })).toEqual(
      uncompiled,
    );
    expect(lines).toHaveLength(1);
  });
});
