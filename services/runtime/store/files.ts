/**
 * What the stores ask of a file system, as a port: so that a test can be a disk that is full, fails, or loses its power.
 * Nothing is durable before it was synced: bytes by the sync of their file, names by the sync of their folder. What a
 * failed sync may have dropped no later sync brings back (Linux marks the pages clean), so none is ever tried again.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';

export interface StoreFiles {
  /** `w+`: made anew and empty; `r+`: there already. */
  open(path: string, flags: 'r+' | 'w+'): number;
  close(fd: number): void;
  sizeOf(fd: number): number;
  read(fd: number, into: Buffer, start: number, length: number, position: number): number;
  write(fd: number, bytes: Buffer, start: number, length: number, position: number): number;
  truncate(fd: number, bytes: number): void;
  sync(fd: number): Promise<void>;
  syncNow(fd: number): void;
  /** Makes what was made, renamed and removed in it last. */
  syncFolder(folder: string): void;
  makeFolder(folder: string): void;
  exists(path: string): boolean;
  list(folder: string): readonly string[];
  rename(from: string, to: string): void;
  /** Does nothing when it is not there. */
  remove(path: string): void;
}

/** Where logs and tables lie, and how large they grow. */
export interface LogDisk {
  readonly files: StoreFiles;
  readonly segmentBytesMax: number;
  /** A tail of fewer records is never worth a table; eight such tails are read in a tenth of a second. */
  readonly tailRecordsMin: number;
}

const syncBeside = promisify(fdatasync);

export const realFiles: StoreFiles = {
  open: openSync,
  close: closeSync,
  sizeOf: (fd) => fstatSync(fd).size,
  read: readSync,
  write: writeSync,
  truncate: ftruncateSync,
  sync: syncBeside,
  syncNow: fdatasyncSync,
  syncFolder: (folder) => {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  makeFolder: (folder) => {
    mkdirSync(folder, { recursive: true });
  },
  exists: existsSync,
  list: readdirSync,
  rename: renameSync,
  remove: (path) => {
    rmSync(path, { force: true });
  },
};
