/** Reading and writing the files of a store: all of it, or an error that says what to do. */
import { CodedError } from '../../errors.ts';
import type { StoreFiles } from '../files.ts';

/** What one system call is asked for: it takes less than 2 GiB. */
const CALL_BYTES_MAX = 1 << 30;

export interface OpenFile {
  readonly files: StoreFiles;
  readonly fd: number;
}

/** @throws CodedError `store_write_failed` or `store_disk_failed`. */
export function writeFully({ files, fd }: OpenFile, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    try {
      const length = Math.min(bytes.length - done, CALL_BYTES_MAX);
      done += files.write(fd, bytes, done, length, position + done);
    } catch (cause) {
      throw writeFailed(cause);
    }
  }
}

/** As much as there is, up to the buffer's size. @throws CodedError `store_disk_failed`. */
export function readFully({ files, fd }: OpenFile, into: Buffer, position: number): number {
  let done = 0;
  while (done < into.length) {
    let got: number;
    try {
      got = files.read(fd, into, done, Math.min(into.length - done, CALL_BYTES_MAX), position + done);
    } catch (cause) {
      throw diskFailed(cause);
    }
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** A full disk takes more when there is space; one that fails has lost nobody knows what. */
export function writeFailed(cause: unknown): CodedError {
  if (isInputOutput(cause)) return diskFailed(cause);
  return new CodedError('store_write_failed', `could not write to a store: ${String(cause)}`, { cause });
}

export function diskFailed(cause: unknown): CodedError {
  return new CodedError('store_disk_failed', `could not keep a store on its disk: ${String(cause)}`, {
    cause,
  });
}

const EIO = 5;

/** By name from Node, by number from lmdb. */
function isInputOutput(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return false;
  return cause.code === 'EIO' || cause.code === EIO;
}
