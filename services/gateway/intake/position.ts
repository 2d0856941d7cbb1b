/**
 * How far the spool was read, in a file of its own: u64 name of the file, u32 number, u32 offset, u32 CRC-32C. It is
 * overwritten in place and never synced: what is not whole, or of a file that is gone, says nothing.
 */
import { crc32c } from '@node-rs/crc32';
import { join } from 'node:path';
import type { StoreFiles } from '../../runtime/store/files.ts';
import { readFully, writeFully } from '../../runtime/store/segments/write-fully.ts';
import type { SpoolFile } from './spool-file.ts';

const NAME = 'position';
const BYTES = 20;

export interface Position {
  readonly offset: number;
  isIn(file: SpoolFile): boolean;
}

/** A disk that cannot keep it costs a step that is sent once more, after a kill. */
export function notePosition(files: StoreFiles, folder: string, file: SpoolFile): void {
  const bytes = Buffer.alloc(BYTES);
  file.head.nonce.copy(bytes);
  bytes.writeUInt32LE(file.number, 8);
  bytes.writeUInt32LE(file.at, 12);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 16)) >>> 0, 16);
  const path = join(folder, NAME);
  try {
    const fd = files.open(path, files.exists(path) ? 'r+' : 'w+');
    try {
      writeFully({ files, fd }, bytes, 0);
    } finally {
      files.close(fd);
    }
  } catch {
    files.remove(path);
  }
}

export function positionIn(files: StoreFiles, folder: string): Position | undefined {
  const path = join(folder, NAME);
  if (!files.exists(path)) return undefined;
  const fd = files.open(path, 'r+');
  const bytes = Buffer.alloc(BYTES);
  const length = readFully({ files, fd }, bytes, 0);
  files.close(fd);
  if (length < BYTES || bytes.readUInt32LE(16) !== crc32c(bytes.subarray(0, 16)) >>> 0) return undefined;
  const [number, offset] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
  const nonce = bytes.subarray(0, 8);
  return {
    offset,
    isIn: (file) => file.number === number && file.head.nonce.equals(nonce) && offset <= file.end,
  };
}
