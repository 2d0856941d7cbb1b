/**
 * Processes that stand still together while something looks at what they keep: none of them does anything between the
 * moment in which the last one stood still and the moment in which the first goes on.
 *
 *   running ──SIGSTOP to each──▶ all stand still ──work──▶ the same still do? ──SIGCONT to each──▶ running
 *
 * A shell of its own lets them go on when this process ends in whatever way, so nothing stays frozen.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { isAlive, type ProcessIdentity } from './process-identity.mjs';
import { startWaitingShell } from './waiting-shell.ts';

export type Identities = Readonly<Record<string, ProcessIdentity>>;

export interface Stillness<T> {
  readonly result: T;
  /** From the first that stood still to the first that went on, in ms. */
  readonly stillMs: number;
}

/** One that waits for its disk stops only after that. */
const STOPPING_MS_MAX = 5_000;
const POLL_MS = 2;

/**
 * @param list what runs now; asked again when all stand still, since one may have been started again meanwhile.
 * @throws CodedError `backup_given_up` when they are not the same at the end as they were at the start.
 */
export async function whileFrozen<T>(list: () => Identities, work: () => Promise<T>): Promise<Stillness<T>> {
  const processes = list();
  const pids = Object.values(processes).map(({ pid }) => pid);
  if (!Object.values(processes).every(isAlive)) throw changed();
  const letGo = startWatchdog(pids);
  const started = performance.now();
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await untilStill(pids);
    if (!isDeepEqual(list(), processes)) throw changed();
    const result = await work();
    if (!Object.values(processes).every(isAlive) || !pids.every(isStill)) throw changed();
    return { result, stillMs: performance.now() - started };
  } finally {
    await letGo();
  }
}

async function untilStill(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + STOPPING_MS_MAX;
  while (!pids.every(isStill)) {
    if (performance.now() > deadline) {
      throw new CodedError('backup_given_up', 'could not back up: a process did not stand still');
    }
    await sleep(POLL_MS);
  }
}

/** Every thread of it: each stops by itself. */
function isStill(pid: number): boolean {
  if (process.platform !== 'linux') return statesFromPs(pid).startsWith('T');
  try {
    return readdirSync(`/proc/${String(pid)}/task`).every((thread) => isStillThread(pid, thread));
  } catch {
    return false; // it has ended
  }
}

function isStillThread(pid: number, thread: string): boolean {
  const stat = readFileSync(`/proc/${String(pid)}/task/${thread}/stat`, 'utf8');
  // After the command in parentheses, which may hold spaces and parentheses itself.
  return 'TtZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
}

function statesFromPs(pid: number): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

/** @returns lets them go on, the last first, and resolves when each has been told. */
function startWatchdog(pids: readonly number[]): () => Promise<void> {
  const order = pids.toReversed().map(String);
  const script = 'read -r _; for pid; do kill -CONT "$pid"; done';
  const shell = startWaitingShell(script, 'hindsight-thaw', order);
  return async () => {
    for (const pid of order) letGoOn(Number(pid));
    await shell.tell();
  };
}

function letGoOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}

function isDeepEqual(now: Identities, then: Identities): boolean {
  const names = Object.keys(now);
  return (
    names.length === Object.keys(then).length &&
    names.every((name) => now[name]?.pid === then[name]?.pid && now[name]?.start === then[name]?.start)
  );
}

function changed(): CodedError {
  const message = 'could not back up: a process ended or was started again meanwhile';
  return new CodedError('backup_given_up', message);
}
