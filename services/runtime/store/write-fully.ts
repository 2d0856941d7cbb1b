/** Writing to the files of a store: all of it, or an error that says what to do. */
import { writeSync } from 'node:fs';
import { CodedError } from '../errors.ts';

/** What one system call is asked for: it takes less than 2 GiB. */
export const CALL_BYTES_MAX = 1 << 30;

/** @throws CodedError `store_write_failed`. */
export function writeFully(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done, Math.min(bytes.length - done, CALL_BYTES_MAX), position + done);
    } catch (cause) {
      throw writeFailed(cause);
    }
  }
}

export function writeFailed(cause: unknown): CodedError {
  return new CodedError('store_write_failed', `could not write to a store: ${String(cause)}`, {
    cause,
    retryable: true,
    hint: 'Free space on the disk of HINDSIGHT_DATA. The task stops cleanly and starts again; nothing is lost.',
  });
}
