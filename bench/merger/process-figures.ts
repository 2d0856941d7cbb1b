/** What Linux says of a process and of a folder. */
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1_024;

/** User and system time of all its threads so far, in steps of 10 ms. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const [, user = 0, system = 0] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(text)?.map(Number) ?? [];
  return (user + system) / TICKS_PER_SECOND;
}

/** The most memory that it had resident since it started. */
export function peakMebibytesOf(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / KIB_PER_MIB);
}

const SECTOR_BYTES = 512;

/** What its files take on the disk, holes not counted. */
export async function diskBytesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).blocks * SECTOR_BYTES;
  }
  return bytes;
}
