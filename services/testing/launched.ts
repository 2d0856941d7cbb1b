/** `npm start` in a process group of its own, as a shell gives one to each command. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from '../../infra/local/process-identity.mjs';
import { eventually } from './eventually.ts';

export interface Launched {
  readonly pid: number;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** @param data the folder HINDSIGHT_DATA. Resolves when it says that it is ready. */
export async function launch(data: string): Promise<Launched> {
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    env: launchSettings({ HINDSIGHT_DATA: data }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const output = collect(child);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await eventually(() => ended() || output.text.includes('hindsight is ready'));
  const { pid } = child;
  if (ended() || pid === undefined) throw new Error(`the launcher ended:\n${output.text}`);
  return { pid, exited };
}

/** Nothing of the settings of whoever runs the tests. */
export function launchSettings(extra: Record<string, string>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(HINDSIGHT|KAFKA|SCHEMA|CLICKHOUSE|TEST|NODE)_/.test(name),
  );
  return { ...Object.fromEntries(own), HINDSIGHT_PORT: '0', HINDSIGHT_SAMPLE: 'off', ...extra };
}

/** The process id of each part and service, as the launcher has written it down. */
export function launchedProcesses(data: string): Record<string, number> {
  return JSON.parse(readFileSync(join(data, 'processes.json'), 'utf8')) as Record<string, number>;
}

export function isRunning(pid: number): boolean {
  return startOf(pid) !== undefined;
}

export function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child ?? 0);
}

function collect(child: ChildProcess): { text: string } {
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
  }
  return output;
}
