/**
 * Which process is meant by a number that was written down earlier: a number is given out again once its process has
 * ended, so it is kept together with the time at which the process started. Plain JavaScript, since it runs before
 * anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @returns text that differs for every process that ever had this number, or undefined if none has it now. */
export function startOf(pid) {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

/** @param identity {pid, start} as written down. */
export function isAlive(identity) {
  return identity.start === startOf(identity.pid);
}

export function identityOf(pid) {
  return { pid, start: startOf(pid) ?? 'ended' };
}

function startFromProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startTicks}`;
  } catch {
    return undefined;
  }
}

function startFromPs(pid) {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
  });
  const line = status === 0 ? stdout.trim() : '';
  if (line === '' || line.startsWith('Z')) return undefined;
  return line.replace(/^\S+\s+/, '');
}
