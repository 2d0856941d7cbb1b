/** An installation of its own for a chaos run: `npm start` as a child process, in a folder that goes afterwards. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';

export interface OwnInstallation {
  readonly dataFolder: string;
  /** SIGTERM, and a start on the same folder; resolves when it is ready. */
  restart(): Promise<void>;
  /** SIGTERM; resolves when it has ended. @returns its exit code. */
  stop(): Promise<number | null>;
}

const startMsMax = 180_000;
const stopMsMax = 60_000;

/** @throws CodedError `not_started` with what the launcher printed. */
export async function startOwnInstallation(
  env: Readonly<Record<string, string>> = {},
): Promise<OwnInstallation> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-chaos-'));
  let launcher = await launch(dataFolder, env);
  return {
    dataFolder,
    restart: async () => {
      await end(launcher);
      launcher = await launch(dataFolder, env);
    },
    stop: async () => {
      const code = await end(launcher);
      rmSync(dataFolder, { recursive: true, force: true });
      return code;
    },
  };
}

async function launch(dataFolder: string, env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const launcher = spawn(process.execPath, ['scripts/start.mjs'], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HINDSIGHT_DATA: dataFolder,
      HINDSIGHT_PORT: '0',
      HINDSIGHT_SAMPLE: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [launcher.stdout, launcher.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-20_000);
    });
  }
  const deadline = performance.now() + startMsMax;
  while (!printed.includes('hindsight is ready')) {
    if (launcher.exitCode !== null || performance.now() > deadline) {
      launcher.kill('SIGTERM');
      throw new CodedError('not_started', `could not start an installation:\n${printed}`);
    }
    await sleep(100);
  }
  return launcher;
}

async function end(launcher: ChildProcess): Promise<number | null> {
  if (launcher.exitCode !== null) return launcher.exitCode;
  const ended = once(launcher, 'exit') as Promise<[code: number | null]>;
  launcher.kill('SIGTERM');
  const timer = setTimeout(() => launcher.kill('SIGKILL'), stopMsMax);
  const [code] = await ended;
  clearTimeout(timer);
  return code;
}
