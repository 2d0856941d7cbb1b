/**
 * Outages of a cluster of three brokers, on a whole installation of real processes, while a storefront is played: what was
 * acknowledged meanwhile must be on events.merged and in ClickHouse once, in its place and order, as the oracle has it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { findInstallation, type Installation } from '../sample/installation.ts';
import { Tables } from '../sample/tables.ts';
import { startOwnInstallation } from './own-installation.ts';
import { runHarm, type HarmOptions, type HarmReport } from './run.ts';
import { ThreeBrokers } from './three-brokers.ts';
import { Visitors } from './visitors.ts';

export const brokerOutages = ['one-gone', 'all-restarted'] as const;
export type BrokerOutage = (typeof brokerOutages)[number];

export interface BrokerOutageReport extends HarmReport {
  /** Events of visitors beside the storefront that were acknowledged in each outage, in their order. */
  readonly acknowledgedMeanwhile: readonly number[];
  /** What the gateway said of itself in each, as it changed: how it keeps calls, and that it does. */
  readonly ingestMeanwhile: readonly (readonly string[])[];
  /** Visitors beside the storefront of whom ClickHouse has anything but what was acknowledged, in its order. */
  readonly wrong: readonly string[];
}

const VISITORS = 20;
const EVENTS_EACH = 4;
const AWAY_MS = 12_000;
const LOOK_EVERY_MS = 250;
/** Until a node that is back has caught up with the others, mostly. Nothing rests on it. */
const CATCH_UP_MS = 5_000;

export async function runBrokerOutage(
  outage: BrokerOutage,
  options: HarmOptions,
): Promise<BrokerOutageReport> {
  const brokers = await ThreeBrokers.start(process.cwd());
  try {
    const own = await startOwnInstallation({
      KAFKA_BROKERS: brokers.addresses,
      HINDSIGHT_REPLICAS: '3',
      HINDSIGHT_MIN_INSYNC_REPLICAS: '2',
      HINDSIGHT_SPOOL_AFTER_MS: '1000',
    });
    try {
      const acknowledgedMeanwhile: number[] = [];
      const ingestMeanwhile: (readonly string[])[] = [];
      const installation = findInstallation(own.dataFolder, 'default');
      const crowd = new Visitors(installation, VISITORS);
      const report = await runHarm(options, own.dataFolder, async (signal) => {
        await crowd.events(EVENTS_EACH);
        for (const step of stepsOf(outage, { brokers, print: options.print })) {
          await step.begin();
          const before = crowd.acknowledged;
          const calls = crowd.events(EVENTS_EACH);
          ingestMeanwhile.push(await watchIngest(installation, signal));
          acknowledgedMeanwhile.push(crowd.acknowledged - before);
          await step.end();
          await calls;
          await sleep(CATCH_UP_MS, undefined, { signal });
        }
      });
      const wrong = await wrongOf(installation, crowd);
      return { ...report, acknowledgedMeanwhile, ingestMeanwhile, wrong };
    } finally {
      await own.stop();
    }
  } finally {
    await brokers.close();
  }
}

/** What the gateway says of itself for as long as brokers are away. */
async function watchIngest({ http }: Installation, signal: AbortSignal): Promise<readonly string[]> {
  const said: string[] = [];
  const deadline = performance.now() + AWAY_MS;
  while (performance.now() < deadline) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    const answer = await fetch(`${http}/health/ingest`, { signal: AbortSignal.timeout(AWAY_MS) });
    const { ok, state } = (await answer.json()) as { readonly ok: boolean; readonly state: string };
    const now = `${state}${ok ? '' : ', not kept'}`;
    if (said.at(-1) !== now) said.push(now);
  }
  return said;
}

async function wrongOf({ clickhouse }: Installation, crowd: Visitors): Promise<readonly string[]> {
  const tables = new Tables(clickhouse, 'default');
  try {
    return crowd.compare(await tables.anonymousEvents());
  } finally {
    await tables.close();
  }
}

interface Drill {
  readonly brokers: ThreeBrokers;
  readonly print: (line: string) => void;
}
interface Step {
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

function stepsOf(outage: BrokerOutage, { brokers, print }: Drill): readonly Step[] {
  const told = (line: string, act: () => Promise<void>) => async (): Promise<void> => {
    await act();
    print(line);
  };
  switch (outage) {
    case 'one-gone': // each in its turn, so whoever leads a partition, a transaction or the quorum is among them
      return Array.from({ length: brokers.count }, (_, at) => ({
        begin: told(`kill -9 broker ${String(at + 1)}`, () => brokers.kill(at)),
        end: told(`broker ${String(at + 1)} is back`, () => brokers.start(at)),
      }));
    case 'all-restarted':
      return [
        {
          begin: told('all brokers are stopped', () => brokers.stopAll()),
          end: told('all brokers are back', () => brokers.startAll()),
        },
        {
          begin: told('kill -9 all brokers', () => brokers.killAll()),
          end: told('all brokers are back', () => brokers.startAll()),
        },
      ];
  }
}
