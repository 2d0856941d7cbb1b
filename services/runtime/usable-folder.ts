/**
 * A folder that a setting names, made and written to once before anything relies on it. Made from the top down, one at a
 * time: Node's recursive mkdir never returns where the file system says of a folder that is there that it is not (/proc).
 */
import { mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError } from './errors.ts';

/** @param variable the setting that names it. @throws CodedError `folder_unusable`. */
export function makeUsableFolder(variable: string, folder: string): void {
  try {
    make(folder);
    rmdirSync(mkdtempSync(join(folder, '.writable-')));
  } catch (cause) {
    throw new CodedError('folder_unusable', `could not use ${folder} (${variable}): ${faultOf(cause)}`, {
      cause,
      hint: `Make the folder writable for this user, or set ${variable} to another one.`,
    });
  }
}

function make(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  if (found !== undefined) throw new NotAFolder(folder);
  const above = dirname(folder);
  if (above !== folder) make(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process made it in this moment.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

class NotAFolder extends Error {}

const faults: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  EDQUOT: 'the quota of its file system is used up',
  ENOENT: 'no folder can be made there',
};

function faultOf(error: unknown): string {
  if (error instanceof NotAFolder) return `${error.message} is no folder`;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return faults[code] ?? message;
}
