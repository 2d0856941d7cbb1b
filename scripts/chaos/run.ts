/**
 * Chaos over the whole path: real processes under load, kill -9 at random moments, then events.merged and ClickHouse
 * against the oracle. The oracle knows what was acknowledged; a call that failed is made again under its message id
 * until it is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { check, faultsOf, type CheckReport } from '../sample/check.ts';
import { Comparison, misplacements, type Compared } from '../sample/comparison.ts';
import { findInstallation, waitUntilSettled } from '../sample/installation.ts';
import { expectationsOf, type Oracle } from '../sample/oracle.ts';
import { Random } from '../../services/testing/random.ts';
import { applyRules, rules } from '../sample/rules.ts';
import { play } from '../sample/send.ts';
import { makeStorefront } from '../sample/storefront.ts';
import { Tables } from '../sample/tables.ts';
import { MergedTopic } from './merged-topic.ts';
import { startOwnInstallation } from './own-installation.ts';
import { PatientShop } from './patient-shop.ts';
import { underLoad, type Load } from './under-load.ts';
import { kill, pickVictim, type Victim } from './victims.ts';

export interface ChaosOptions {
  readonly kills: number;
  readonly seed: number;
  /** Pause between kills, ms: from and to. */
  readonly pauseMs: readonly [from: number, to: number];
  /** Visitors in each wave; waves go on until the last kill. */
  readonly visitors: number;
  /** Calls a second. */
  readonly rate: number;
  readonly print: (line: string) => void;
}

/** What a storefront is played while something is done to the installation, and where it is told. */
export type HarmOptions = Pick<ChaosOptions, 'seed' | 'visitors' | 'rate' | 'print'>;

/** Of ClickHouse, with what the same comparison says of the topic. */
export interface HarmReport extends CheckReport {
  readonly merged: Compared;
  readonly calls: number;
  readonly failedAttempts: number;
  /** From a call's first attempt until it was acknowledged. */
  readonly longestWaitMs: number;
  /** From the acknowledgement of what makes an event somebody's until it could be read on events.merged. */
  readonly longestStallMs: number;
  /** From the end of the harm until everything had its whole effect. */
  readonly settledAfterMs: number;
}

export interface ChaosReport extends HarmReport {
  readonly kills: Readonly<Partial<Record<Victim, number>>>;
}

/** What is done while calls come. */
type Harm = (signal: AbortSignal) => Promise<void>;

const settleMsMax = 300_000;

/** How much is wrong, on the topic and in ClickHouse. */
export function chaosFaultsOf(report: HarmReport): number {
  return faultsOf(report) + misplacements(report.merged);
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const own = await startOwnInstallation();
  try {
    let kills: ChaosReport['kills'] = {};
    const report = await runHarm(options, own.dataFolder, async (signal) => {
      kills = await killAll(options, own.dataFolder, signal);
    });
    return { ...report, kills };
  } finally {
    await own.stop();
  }
}

/** Plays the storefront until the harm is done, and compares all that was acknowledged with the oracle. */
export async function runHarm(options: HarmOptions, dataFolder: string, harm: Harm): Promise<HarmReport> {
  const { print } = options;
  const installation = findInstallation(dataFolder, 'sample');
  await applyRules(installation);
  const shop = new PatientShop(installation);
  const load = new Waves(shop, options);
  const merged = await MergedTopic.follow(installation);
  const tables = new Tables(installation.clickhouse, 'sample');
  try {
    await underLoad(load, harm);
    const harmDone = performance.now();
    print(`${String(load.calls)} calls are acknowledged; waiting until all of them have had their effect`);
    await waitPatiently(installation);
    const settledAfterMs = performance.now() - harmDone;
    await merged.catchUp();
    const oracle = expectationsOf(load.visitors);
    return {
      ...(await check(tables, oracle, rules)),
      merged: new Comparison(oracle, merged.idOf).compare(merged.rows, undefined),
      calls: load.calls,
      failedAttempts: shop.failures,
      longestWaitMs: shop.longestWaitMs,
      longestStallMs: longestStall(oracle, shop, merged),
      settledAfterMs,
    };
  } finally {
    await shop.close();
    await merged.close();
    await tables.close();
  }
}

function longestStall(oracle: Oracle, { acknowledgedAt }: PatientShop, { readableAt }: MergedTopic): number {
  let longest = 0;
  for (const [id, cause] of oracle.causes) {
    const [from, to] = [acknowledgedAt.get(cause), readableAt.get(id)];
    if (from !== undefined && to !== undefined) longest = Math.max(longest, to - from);
  }
  return longest;
}

/** Waves of visitors, each wave another seed, until it is told to end. */
class Waves implements Load {
  readonly visitors: ReturnType<typeof makeStorefront> = [];
  calls = 0;
  #ended = false;
  readonly #shop: PatientShop;
  readonly #options: HarmOptions;

  constructor(shop: PatientShop, options: HarmOptions) {
    this.#shop = shop;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { seed, visitors, rate } = this.#options;
    for (let wave = 1; !this.#ended; wave += 1) {
      const run = `s${String(seed)}w${String(wave)}`;
      const crowd = makeStorefront({ seed: seed + wave, visitors, now: Date.now(), run });
      this.visitors.push(...crowd);
      this.calls += await play(this.#shop, crowd, { rate });
    }
  }
  end(): void {
    this.#ended = true;
  }
}

async function killAll(
  options: ChaosOptions,
  dataFolder: string,
  signal: AbortSignal,
): Promise<Partial<Record<Victim, number>>> {
  const { kills, pauseMs, print } = options;
  const random = new Random(options.seed);
  const done: Partial<Record<Victim, number>> = {};
  for (let count = 0; count < kills;) {
    await sleep(random.between(...pauseMs), undefined, { signal });
    const victim = pickVictim(random);
    if (!kill(dataFolder, victim)) continue;
    count += 1;
    done[victim] = (done[victim] ?? 0) + 1;
    print(`kill -9 ${victim} (${String(count)} of ${String(kills)})`);
  }
  return done;
}

/** The gateway itself may be starting again. */
async function waitPatiently(installation: Parameters<typeof waitUntilSettled>[0]): Promise<void> {
  const deadline = performance.now() + settleMsMax;
  for (;;) {
    try {
      await waitUntilSettled(installation, deadline - performance.now());
      return;
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await sleep(500);
    }
  }
}
