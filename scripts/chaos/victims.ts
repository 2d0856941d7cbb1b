/** What is killed, and how often which: services more often than parts, since they hold what may be lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../services/testing/random.ts';

export const victims = [
  'merger',
  'identity',
  'trigger',
  'in-app',
  'sink',
  'gateway',
  'clickhouse-engine',
  'kafka',
  'registry',
] as const;
export type Victim = (typeof victims)[number];

const weights: Readonly<Record<Victim, number>> = {
  merger: 6,
  identity: 4,
  trigger: 4,
  'in-app': 2,
  sink: 4,
  gateway: 2,
  'clickhouse-engine': 2,
  kafka: 1,
  registry: 1,
};

export function pickVictim(random: Random): Victim {
  const total = victims.reduce((sum, victim) => sum + weights[victim], 0);
  let at = random.next() * total;
  for (const victim of victims) {
    at -= weights[victim];
    if (at < 0) return victim;
  }
  return victims[0];
}

/** kill -9. False when it is not running now: it died of an earlier kill and is being started again. */
export function kill(dataFolder: string, victim: Victim): boolean {
  const processes = JSON.parse(readFileSync(join(dataFolder, 'processes.json'), 'utf8')) as Partial<
    Record<Victim, number>
  >;
  const pid = processes[victim];
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
