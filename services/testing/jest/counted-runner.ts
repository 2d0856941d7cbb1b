/** Runs a suite with circus, and says what it took of processors: its process, and every one that it started and saw end. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Of /proc; a tick is 10 ms on every Linux. */
const TICK_MS = 10;
const CHILDREN_USER = 15;
const CHILDREN_SYSTEM = 16;

interface Circus {
  readonly default: (...args: readonly unknown[]) => Promise<{ readonly perfStats: object }>;
}
const circus = createRequire(import.meta.url)('jest-circus/runner') as Circus; // as jest calls it; it has no types

/** Without `await`, by which this file would stand in the stack of an error that circus makes, and jest would show it. */
export default function countedRunner(...args: readonly unknown[]): Promise<object> {
  return circus
    .default(...args)
    .then((result) => ({ ...result, perfStats: { ...result.perfStats, cpuMs: cpuMs() } }));
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000) + childrenCpuMs();
}

/** 0 where there is no /proc. */
function childrenCpuMs(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8');
    // The second is the name in parentheses, and may have blanks.
    const behindName = fields.slice(fields.lastIndexOf(')') + 2).split(' ');
    return TICK_MS * (Number(behindName[CHILDREN_USER - 2]) + Number(behindName[CHILDREN_SYSTEM - 2]));
  } catch {
    return 0;
  }
}
