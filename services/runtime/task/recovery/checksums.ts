/**
 * What a folder held when it was copied: a list of its files with their lengths and CRC-32C, kept in the copy. Segments
 * and tables are checked where they are read; a copy is checked as a whole before anybody relies on it. What was checked,
 * here or there, the disk has, too.
 */
import { crc32c } from '@node-rs/crc32';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

interface Checksum {
  readonly bytes: number;
  readonly crc32c: number;
}

export const checksumsFile = 'checksums.json';
const BLOCK_BYTES = 1 << 20;

export async function writeChecksums(folder: string, signal?: AbortSignal): Promise<void> {
  const list: Record<string, Checksum> = {};
  for (const name of await filesOf(folder)) list[name] = await checksumOf(join(folder, name), signal);
  await writeFile(join(folder, checksumsFile), JSON.stringify(list));
}

/** What is wrong with the folder, as a clause; undefined when it holds what its list says. */
export async function findDamage(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, checksumsFile), 'utf8').catch(() => undefined);
  if (text === undefined) return `it has no ${checksumsFile}`;
  const list = parsed(text);
  if (list === undefined) return `its ${checksumsFile} cannot be read`;
  for (const [name, then] of Object.entries(list)) {
    const now = await checksumOf(join(folder, name)).catch(() => undefined);
    if (now === undefined) return `${name} is missing or cannot be read`;
    if (now.bytes !== then.bytes || now.crc32c !== then.crc32c) return `${name} is not what was copied`;
  }
  return undefined;
}

function parsed(text: string): Readonly<Record<string, Checksum>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, Checksum>>; // written by writeChecksums
  } catch {
    return undefined;
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => name !== checksumsFile)
    .sort();
}

async function checksumOf(file: string, signal?: AbortSignal): Promise<Checksum> {
  const handle = await open(file, 'r');
  try {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const sum = { bytes: 0, crc32c: 0 };
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES);
      if (bytesRead === 0) {
        await handle.sync();
        return sum;
      }
      sum.crc32c = crc32c(block.subarray(0, bytesRead), sum.crc32c);
      sum.bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
