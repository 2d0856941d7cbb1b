/** A copy of a data folder, by the system's own `cp`, which keeps holes and shares blocks where the file system can. */
import { spawn } from 'node:child_process';
import { lstatSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../../services/runtime/errors.ts';

/** Of the installation that ran, or made anew by the next start. */
const notKept = new Set(['compiled', 'logs', 'run', 'launcher.lock', 'processes.json', 'endpoints.json']);
const ownerOfSpool = join('spool', 'owner.json');
const BLOCK_BYTES = 512;
const ERROR_CHARS_MAX = 500;

/** Into a folder that is there and empty. @throws CodedError `backup_given_up`; what is copied by then stays. */
export async function copyKept(from: string, to: string, signal: AbortSignal): Promise<void> {
  const entries = keptIn(from).map((name) => join(from, name));
  // -H: a folder that was moved to another disk, and has a link in its place, is copied itself.
  const options = process.platform === 'linux' ? ['-aH', '--reflink=auto', '--sparse=auto'] : ['-RHp'];
  const child = spawn('cp', [...options, '--', ...entries, `${to}/`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(0, ERROR_CHARS_MAX);
  });
  const fault = await new Promise<string | undefined>((done) => {
    child.once('error', (error) => {
      done(error.message);
    });
    child.once('close', (code) => {
      done(code === 0 ? undefined : said.trim());
    });
  });
  if (fault !== undefined) {
    throw new CodedError('backup_given_up', `could not back up: the copy was not made: ${fault}`);
  }
  rmSync(join(to, ownerOfSpool), { force: true });
}

/** Of disk, holes left out. What goes while we look is gone. */
export function keptBytes(folder: string): number {
  return keptIn(folder).reduce((sum, name) => sum + bytesIn(join(folder, name), statSync), 0);
}

/** That this user may fill. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function keptIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => !notKept.has(name));
}

function bytesIn(path: string, look: typeof statSync): number {
  const found = look(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  const own = found.blocks * BLOCK_BYTES;
  if (!found.isDirectory()) return own;
  try {
    return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name), lstatSync), own);
  } catch {
    return own;
  }
}
