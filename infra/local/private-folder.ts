/**
 * A folder that is its owner's alone, with all that lies in it. The umask sees to what is made from here on; copies keep
 * the mode of what they were made of, and what an earlier version left behind is as it was.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** For this process and all that it starts. */
export const PRIVATE_UMASK = 0o077;
const OTHERS = 0o077;

/** @returns how many things could not be made private, since somebody else owns them. */
export function makePrivateFolder(folder: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return takeFromOthers(folder);
}

/** Links are left alone: what they lead to is not ours to change. What goes while we look is gone. */
function takeFromOthers(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) return 0;
  let left = 0;
  try {
    if ((found.mode & OTHERS) !== 0) chmodSync(path, found.mode & 0o700);
    if (found.isDirectory()) for (const name of readdirSync(path)) left += takeFromOthers(join(path, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM' || code === 'EACCES') left++;
    else if (code !== 'ENOENT') throw error;
  }
  return left;
}
