/**
 * A backup of an installation whose parts all run here: its folder as it is in one moment. While it runs all its
 * processes stand still for the copy; what they had written is what a power failure of that moment would leave, less
 * what a disk would lose, so what was acknowledged before is in it. Of one that is stopped the folder is copied as it is.
 *
 * The copy has another name until it is whole.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CodedError } from '../../services/runtime/errors.ts';
import { makeUsableFolder } from '../../services/runtime/usable-folder.ts';
import { copyKept, freeBytes, keptBytes } from './copy-folder.ts';
import { whileFrozen, type Identities } from './frozen-processes.ts';
import { tryLock } from './lock.mjs';
import { isAlive } from './process-identity.mjs';
import { recordedProcesses } from './process-files.ts';

export interface BackupOptions {
  readonly dataFolder: string;
  /** Is not there yet. */
  readonly to: string;
  /** As long as everything may stand still, in ms. */
  readonly stillMsMax: number;
  /** Gives it up. */
  readonly stop: AbortSignal;
}

export interface Backup {
  /** Of disk. */
  readonly bytes: number;
  /** Undefined: nothing ran. */
  readonly stillMs: number | undefined;
}

const embedded = ['kafka', 'registry', 'clickhouse-engine'];
const SPARE_BYTES = 64 << 20;

/** @throws CodedError `not_found`, `folder_unusable`, `backup_refused`, `backup_given_up`. */
export async function backUp(options: BackupOptions): Promise<Backup> {
  const { dataFolder, to } = options;
  checkSource(dataFolder);
  const bytes = checkTarget(dataFolder, to);
  const draft = `${to}.${String(process.pid)}.part`;
  mkdirSync(draft, { mode: 0o700 });
  try {
    const stillMs = await copyOfOneMoment(options, draft);
    // Nobody waits for us any more; a backup that says it is there is on the disk.
    if (process.platform === 'linux') spawnSync('sync', ['-f', draft]);
    renameSync(draft, to);
    return { bytes, stillMs };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function copyOfOneMoment(options: BackupOptions, draft: string): Promise<number | undefined> {
  const { dataFolder, stillMsMax, stop } = options;
  const lock = tryLock(join(dataFolder, 'launcher.lock'));
  if (lock.holder !== undefined) {
    checkReady(dataFolder);
    const tooLong = AbortSignal.timeout(stillMsMax);
    const deadline = performance.now() + stillMsMax;
    const copy = async (): Promise<void> => {
      // The signal may come later than a short copy ends.
      if (performance.now() >= deadline) throw tookTooLong(stillMsMax);
      await copyKept(dataFolder, draft, AbortSignal.any([stop, tooLong]));
    };
    try {
      return (await whileFrozen(() => gatewayFirst(recordedProcesses(dataFolder)), copy)).stillMs;
    } catch (error) {
      throw tooLong.aborted ? tookTooLong(stillMsMax) : error;
    }
  }
  try {
    if (Object.values(recordedProcesses(dataFolder)).some(isAlive)) {
      throw refused('processes of a launcher that was killed still run: start it once, and stop it');
    }
    await copyKept(dataFolder, draft, stop);
    return undefined;
  } finally {
    lock.release();
  }
}

function checkSource(dataFolder: string): void {
  if (!existsSync(join(dataFolder, 'credentials.json'))) {
    const hint = 'Set HINDSIGHT_DATA to its folder.';
    throw new CodedError('not_found', `could not find an installation in ${dataFolder}`, { hint });
  }
  const elsewhere = embedded.filter((part) => !existsSync(join(dataFolder, part)));
  if (elsewhere.length > 0) {
    throw refused(`${elsewhere.join(', ')} of ${dataFolder} run elsewhere, and belong to a backup`);
  }
}

/** @returns how many bytes it takes. */
function checkTarget(dataFolder: string, to: string): number {
  if (existsSync(to)) throw refused(`${to} is there already`);
  makeUsableFolder('FOLDER', dirname(to));
  const inside = relative(realpathSync(dataFolder), realpathSync(dirname(to)));
  if (!inside.startsWith('..')) throw refused(`${to} is within what is to be copied`);
  const bytes = keptBytes(dataFolder);
  const free = freeBytes(dirname(to));
  if (free < bytes + SPARE_BYTES) {
    throw refused(`it takes ${megabytes(bytes)}, and ${dirname(to)} has ${megabytes(free)} left`);
  }
  return bytes;
}

function checkReady(dataFolder: string): void {
  const running = recordedProcesses(dataFolder);
  if (!existsSync(join(dataFolder, 'endpoints.json'))) throw refused('it is starting or being stopped');
  const absent = embedded.filter((part) => running[part] === undefined);
  if (absent.length > 0) throw refused(`not running here at this moment: ${absent.join(', ')}`);
}

/** Calls wait from the first moment on; and it goes on last, when what it needs does. */
function gatewayFirst(processes: Identities): Identities {
  const last = (name: string): number => (name === 'gateway' ? 0 : embedded.includes(name) ? 2 : 1);
  return Object.fromEntries(Object.entries(processes).sort(([a], [b]) => last(a) - last(b)));
}

function refused(why: string): CodedError {
  return new CodedError('backup_refused', `could not back up: ${why}`);
}

function tookTooLong(stillMsMax: number): CodedError {
  const seconds = String(stillMsMax / 1_000);
  return new CodedError(
    'backup_given_up',
    `could not back up: the copy would have taken longer than ${seconds} s, and everything goes on`,
    {
      hint: 'Copy to another folder on the same file system or a faster one, give --seconds, or stop it first.',
    },
  );
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
