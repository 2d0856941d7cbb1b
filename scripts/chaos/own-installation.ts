/** An installation of its own for a chaos run: `npm start` as a child process, in a folder that goes afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';

export interface OwnInstallation {
  readonly dataFolder: string;
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
  const ended = once(launcher, 'exit') as Promise<[code: number | null]>;
  const deadline = performance.now() + startMsMax;
  while (!printed.includes('hindsight is ready')) {
    if (launcher.exitCode !== null || performance.now() > deadline) {
      launcher.kill('SIGTERM');
      throw new CodedError('not_started', `could not start an installation:\n${printed}`);
    }
    await sleep(100);
  }
  return {
    dataFolder,
    stop: async () => {
      launcher.kill('SIGTERM');
      const timer = setTimeout(() => launcher.kill('SIGKILL'), stopMsMax);
      const [code] = await ended;
      clearTimeout(timer);
      rmSync(dataFolder, { recursive: true, force: true });
      return code;
    },
  };
}
