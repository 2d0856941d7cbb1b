/** What in-app takes of memory and of the disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diskBytesOf } from '../merger/process-figures.ts';

/** A flush comes every two seconds; what has not changed for so long is flushed. */
const standsMs = 6_000;
const lookMs = 500;

/** Bytes that are resident. */
export interface Memory {
  /** A page as often as it is mapped. */
  readonly all: number;
  /** Each page once: what the machine has less. */
  readonly once: number;
  /** Of the process alone: V8's heap, buffers, tables, pages that lmdb was about to write. */
  readonly own: number;
  /** Pages of files, read through a mapping; the kernel takes them back where memory is scarce. */
  readonly files: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const maps = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  const bytes = (name: string, text = status): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1_024;
  // A page that is mapped twice counts half in each of its mappings.
  return { all: bytes('VmRSS'), once: bytes('Pss', maps), own: bytes('RssAnon'), files: bytes('RssFile') };
}

/** Visitors, message ids, and where it stands, once all of it is written. */
export async function flushedBytesOf(dataFolder: string): Promise<number> {
  const folder = join(dataFolder, 'state', 'in-app');
  // A file may go while its folder is read; NaN is no figure that stands.
  const measure = (): Promise<number> => diskBytesOf(folder).catch(() => NaN);
  let [bytes, since] = [await measure(), performance.now()];
  while (performance.now() - since < standsMs) {
    await sleep(lookMs);
    const now = await measure();
    if (now !== bytes) [bytes, since] = [now, performance.now()];
  }
  return bytes;
}
