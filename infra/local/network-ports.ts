/**
 * Which TCP ports of this machine are free. A JVM takes its port seconds after it was given it; two launchers that look
 * in the meantime would both give theirs the same one, and the slower's services would then talk to the other's broker.
 * So a port that was chosen is leased, by a file that stands for it while this process lives.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '../../services/runtime/errors.ts';
import { listenOnce } from './free-ports.mjs';
import { tryLock } from './lock.mjs';

const LOOPBACK = '127.0.0.1';
/** A user's own: nobody can write into what another has made, but anybody may have made it first. */
const LEASES = join(tmpdir(), `hindsight-ports-${String(process.getuid?.() ?? 'all')}`);
const ATTEMPTS_MAX = 20;

/** The usual one if it is free, else any. Nobody else who asks here is given it while this process lives. */
export async function choosePort(usual: number | undefined): Promise<number> {
  if (usual !== undefined && (await isPortFree(usual, LOOPBACK)) && lease(usual)) return usual;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const port = await listenOnce(0, LOOPBACK);
    if (port !== undefined && lease(port)) return port;
  }
  throw new CodedError('no_port', 'could not find a free port on 127.0.0.1');
}

/** Without a folder of our own there are no leases: then of two launchers that start at once one may have to start again. */
function lease(port: number): boolean {
  return !isOwnFolder(LEASES) || 'release' in tryLock(join(LEASES, String(port)));
}

/** Made if it is not there. False: another account has made it, or what is there leads elsewhere. */
export function isOwnFolder(folder: string, uid = process.getuid?.()): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && (uid === undefined || found.uid === uid);
}

/** @param host without it: on every address of the machine. */
export async function isPortFree(port: number, host?: string): Promise<boolean> {
  return (await listenOnce(port, host)) !== undefined;
}
