/**
 * What runs, written down at every change: `processes.json` for people and tools, and `run/launcher.json`, which also
 * says when each process started and in which folder, so that the next launcher can end what a killed one left, and
 * never a stranger, nor what still runs on the folder of which this one is a copy.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type ProcessIdentity } from './process-identity.mjs';

const END_MS_MAX = 10_000;
const POLL_MS = 50;

export function writeProcessFiles(dataFolder: string, running: ReadonlyMap<string, ProcessIdentity>): void {
  const pids = Object.fromEntries([...running].map(([name, { pid }]) => [name, pid]));
  const recorded: Recorded = { folder: folderOf(dataFolder), processes: Object.fromEntries(running) };
  replaceFile(identitiesFile(dataFolder), recorded);
  replaceFile(join(dataFolder, 'processes.json'), pids);
}

/** Ends what is still there of a launcher that did not end it. @returns the names of what was. */
export async function endLeftovers(dataFolder: string): Promise<readonly string[]> {
  const left = Object.entries(recordedProcesses(dataFolder)).filter(([, identity]) => isAlive(identity));
  const living = () => left.filter(([, identity]) => isAlive(identity));
  for (const [, { pid }] of living()) signal(pid, 'SIGTERM');
  const deadline = performance.now() + END_MS_MAX;
  while (living().length > 0 && performance.now() < deadline) await sleep(POLL_MS);
  for (const [, { pid }] of living()) signal(pid, 'SIGKILL');
  while (living().length > 0) await sleep(POLL_MS);
  rmSync(identitiesFile(dataFolder), { force: true });
  return left.map(([name]) => name);
}

/** By name; alive or not. Of a folder that is a copy: none. */
export function recordedProcesses(dataFolder: string): Readonly<Record<string, ProcessIdentity>> {
  const file = identitiesFile(dataFolder);
  if (!existsSync(file)) return {};
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded; // written above
  return recorded.folder === folderOf(dataFolder) ? recorded.processes : {};
}

interface Recorded {
  readonly folder: string;
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
}

/** Of this folder and no copy of it, also under another name. */
function folderOf(dataFolder: string): string {
  const { dev, ino } = statSync(dataFolder);
  return `${String(dev)}:${String(ino)}`;
}

function identitiesFile(dataFolder: string): string {
  return join(dataFolder, 'run', 'launcher.json');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in this very moment.
  }
}

function replaceFile(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(draft, file);
}
