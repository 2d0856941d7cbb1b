/**
 * Brings schemathesis, which makes calls from an OpenAPI description, from PyPI into a virtual environment under `.parts` of
 * the checkout; once, under a lock. What was not finished is made anew.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../infra/local/lock.mjs';
import { CommandFailed, runLong } from '../../infra/local/long-command.mjs';
import { CodedError } from '../../services/runtime/errors.ts';

const VERSION = '4.32.5';
/** What schemathesis of this version asks for. */
const PYTHON_MINOR_MIN = 10;

/** @returns the path of its command. @throws CodedError `tool_missing` without Python, `download_failed`. */
export async function bringSchemathesis(root: string, signal: AbortSignal): Promise<string> {
  const folder = join(root, '.parts', `schemathesis-${VERSION}`);
  const whole = join(folder, 'whole');
  const parts = join(root, '.parts');
  mkdirSync(parts, { recursive: true });
  if (!existsSync(whole)) {
    assertPython();
    await withLock(
      join(parts, 'schemathesis.lock'),
      () => undefined,
      async () => {
        if (existsSync(whole)) return;
        rmSync(folder, { recursive: true, force: true });
        await make(folder, root, signal);
        writeFileSync(whole, '');
      },
    );
  }
  return join(folder, 'bin', 'schemathesis');
}

function assertPython(): void {
  const { error, stdout } = spawnSync('python3', ['-c', 'import sys, venv; print(sys.version_info[1])'], {
    encoding: 'utf8',
  });
  if (error === undefined && Number(stdout) >= PYTHON_MINOR_MIN) return;
  const message = `could not fuzz: there is no python3 of 3.${String(PYTHON_MINOR_MIN)} or later with venv (on Debian: apt install python3-venv)`;
  throw new CodedError('tool_missing', message);
}

async function make(folder: string, root: string, signal: AbortSignal): Promise<void> {
  const pip = join(folder, 'bin', 'pip');
  const steps = [
    ['python3', '-m', 'venv', folder],
    [pip, 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`],
  ] as const;
  try {
    for (const [file, ...args] of steps) {
      const command = { file, args, cwd: root, env: process.env, signal };
      await runLong('bringing schemathesis', command, { text: () => 'about 60 MB' });
    }
  } catch (cause) {
    if (!(cause instanceof CommandFailed)) throw cause;
    throw new CodedError('download_failed', `could not bring schemathesis: ${cause.message}`, { cause });
  }
}
