/**
 * Outages of the log, on a whole installation of real processes: what the gateway acknowledged meanwhile must be in
 * ClickHouse, each event once, and those of a visitor in the order in which they were acknowledged.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findInstallation, waitUntilSettled, type Installation } from '../sample/installation.ts';
import { Tables } from '../sample/tables.ts';
import { startOwnInstallation } from './own-installation.ts';
import { Visitors } from './visitors.ts';

export interface OutagesOptions {
  readonly visitors: number;
  readonly print: (line: string) => void;
}

export interface OutagesReport {
  readonly acknowledged: number;
  readonly found: number;
  /** Visitors of whom ClickHouse has anything but what was acknowledged, in its order. */
  readonly wrong: readonly string[];
  /** Acknowledged while the broker was dead. */
  readonly whileDead: number;
  /** Of the answers while the disk could take no more: their status, code and Retry-After. */
  readonly refusal: string;
  readonly readyWhileSpooling: boolean;
  /** Bytes of the spool when the gateway was killed, and before it began to be drained. */
  readonly drained: readonly [left: number, of: number];
}

interface Ingest {
  readonly ok: boolean;
  readonly state: 'direct' | 'spooling';
  readonly spooled_bytes: number;
}

const SETTLE_MS_MAX = 300_000;
const WAIT_MS_MAX = 120_000;
const ATTEMPTS_MAX = 5;
/** Drained in steps of 1 MiB, so that it can be met half drained. */
const SPOOL_BYTES_MAX = 24 << 20;

export async function runOutages({ visitors, print }: OutagesOptions): Promise<OutagesReport> {
  const own = await startOwnInstallation({
    HINDSIGHT_SPOOL_AFTER_MS: '500',
    HINDSIGHT_SPOOL_BYTES_MAX: String(SPOOL_BYTES_MAX),
    HINDSIGHT_SPOOL_WORKSPACE_SHARE: '1',
  });
  const installation = findInstallation(own.dataFolder, 'default');
  const tables = new Tables(installation.clickhouse, 'default');
  try {
    const crowd = new Visitors(installation, visitors);
    await crowd.events(3);
    const drill = { installation, dataFolder: own.dataFolder, crowd, print };
    const dead = await brokerKilled(drill);
    let full = await spoolFilled(drill);
    let drained = await killedHalfDrained(drill);
    // A fast machine may have drained all of it before it was killed.
    for (let attempt = 1; attempt < ATTEMPTS_MAX && drained[0] === 0; attempt += 1) {
      full = await spoolFilled(drill);
      drained = await killedHalfDrained(drill);
    }
    await crowd.events(3);
    print(`${String(crowd.acknowledged)} events are acknowledged; waiting until they have had their effect`);
    await waitUntilSettled(installation, SETTLE_MS_MAX);
    const rows = await tables.anonymousEvents();
    const wrong = crowd.compare(rows);
    return { acknowledged: crowd.acknowledged, found: rows.length, wrong, drained, ...dead, ...full };
  } finally {
    await tables.close();
    await own.stop();
  }
}

interface Drill {
  readonly installation: Installation;
  readonly dataFolder: string;
  readonly crowd: Visitors;
  readonly print: (line: string) => void;
}

/** The broker is killed again and again, until calls have been acknowledged without it by a gateway that was well. */
async function brokerKilled({ installation, dataFolder, crowd, print }: Drill) {
  let [whileDead, readyWhileSpooling] = [0, false];
  const isSeen = (): boolean => whileDead > 0 && readyWhileSpooling;
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !isSeen(); attempt += 1) {
    signal(dataFolder, 'kafka', 'SIGKILL');
    print('kill -9 kafka');
    const before = crowd.acknowledged;
    const calls = crowd.events(4);
    const isSpooling = await until(async () => (await ingestOf(installation))?.state === 'spooling', 15_000);
    if (isSpooling) {
      await until(() => Promise.resolve(crowd.acknowledged > before), 15_000);
      whileDead += crowd.acknowledged - before;
      // On a machine that is busy a call may have waited for so long by then that it is not well yet.
      readyWhileSpooling ||= await until(async () => {
        const ingest = await ingestOf(installation);
        return ingest?.state === 'spooling' && ingest.ok;
      }, 15_000);
    }
    await calls;
    await until(async () => (await ingestOf(installation))?.state === 'direct', WAIT_MS_MAX);
  }
  print(`${String(whileDead)} events were acknowledged without a broker`);
  return { whileDead, readyWhileSpooling };
}

/** The broker hangs, and more comes than the disk may take. It still hangs afterwards. */
async function spoolFilled({ dataFolder, crowd, print }: Drill) {
  signal(dataFolder, 'kafka', 'SIGSTOP');
  print('kafka hangs');
  const refusal = await crowd.flood();
  print(`refused at last: ${refusal}`);
  return { refusal };
}

async function killedHalfDrained({ installation, dataFolder, print }: Drill): Promise<[number, number]> {
  const of = (await ingestOf(installation))?.spooled_bytes ?? 0;
  signal(dataFolder, 'kafka', 'SIGCONT');
  let left = of;
  await until(async () => {
    left = (await ingestOf(installation))?.spooled_bytes ?? left;
    return left < of * 0.8;
  }, WAIT_MS_MAX);
  signal(dataFolder, 'gateway', 'SIGKILL');
  print(`kill -9 gateway with ${String(left)} of ${String(of)} bytes on its disk`);
  await until(async () => (await ingestOf(installation))?.state === 'direct', WAIT_MS_MAX);
  return [left, of];
}

async function ingestOf({ http }: Installation): Promise<Ingest | undefined> {
  try {
    const answer = await fetch(`${http}/health/ingest`, { signal: AbortSignal.timeout(5_000) });
    return (await answer.json()) as Ingest;
  } catch {
    return undefined; // it starts again
  }
}

async function until(holds: () => Promise<boolean>, msMax: number): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (performance.now() < deadline) {
    if (await holds()) return true;
    await sleep(5);
  }
  return false;
}

function signal(dataFolder: string, name: 'kafka' | 'gateway', which: NodeJS.Signals): void {
  const processes = JSON.parse(readFileSync(join(dataFolder, 'processes.json'), 'utf8')) as Record<
    string,
    number
  >;
  const pid = processes[name];
  if (pid !== undefined) process.kill(pid, which);
}
