/**
 * A lock that a file stands for, and that ends with the process that holds it, however that process ends.
 * Plain JavaScript, since it runs before anything is installed.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive } from './process-identity.mjs';

const POLL_MS = 250;

/** @returns {release} when it is ours, or {holder: {pid, start}} when a living process has it. */
export function tryLock(file) {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  for (;;) {
    // Linked into place whole, so that nobody ever reads half a lock.
    writeFileSync(draft, JSON.stringify(identityOf(process.pid)));
    try {
      linkSync(draft, file);
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = read(file);
    if (holder !== undefined && isAlive(holder)) return { holder };
    if (holder !== undefined) takeAway(file, holder);
  }
}

/** Waits for the lock, runs work, gives the lock back. onWait is called once, when a living process has it. */
export async function withLock(file, onWait, work) {
  let lock = tryLock(file);
  if (lock.holder !== undefined) onWait(lock.holder);
  while (lock.holder !== undefined) {
    await sleep(POLL_MS);
    lock = tryLock(file);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`could not read the lock ${file}: remove it and start again`, { cause: error });
  }
}

/**
 * Two processes find the same dead holder; one takes its lock away and makes its own; the other, a moment later, would
 * take that one away. So what was taken is looked at, and put back if it is not the dead one's.
 */
function takeAway(file, dead) {
  const taken = `${file}.${process.pid}.taken`;
  try {
    renameSync(file, taken);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  const found = read(taken);
  if (found !== undefined && (found.pid !== dead.pid || found.start !== dead.start)) {
    try {
      linkSync(taken, file);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
  rmSync(taken, { force: true });
}
