/** Who is fed steadily: the Kafka Streams application, or the merger with its identity, on topics of their own. */
import { join } from 'node:path';
import type { Codecs } from '../../schemas/codec.ts';
import { topics } from '../../schemas/topics.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { checkMerged } from './checked.ts';
import type { Peer, Verdict } from './peer.ts';
import { profileEnv, serviceEnv, ServiceRun } from './service-run.ts';

/** As many as the peer's topics have. */
export const PARTITIONS = 4;

export interface StageOptions {
  readonly root: string;
  readonly folder: string;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly peer: Peer;
  readonly codecs: Codecs;
  /** Where the processes of the merger and of identity write CPU profiles, each into a folder of its name. */
  readonly profileFolder: string | undefined;
}

export interface SteadyContestant {
  /** What `events.collected` is fed under. */
  readonly prefix: string;
  /** What the feed writes. */
  readonly form: 'peer' | 'collected';
  /** Process ids; their CPU is what is compared. */
  readonly processes: Readonly<Record<string, number>>;
  /** Events handled and committed. */
  handled(): Promise<number>;
  /** Committed so far; undefined where nobody counts. */
  transactions(): Promise<number | undefined>;
  /** Nothing is on its way inside it any more. */
  isSettled(): Promise<boolean>;
  stop(): Promise<void>;
  check(events: number): Promise<Verdict>;
}

/** One thread, commits every 100 ms. */
export async function startPeer(stage: StageOptions, run: number): Promise<SteadyContestant> {
  const prefix = `steady-peer${String(run)}.`;
  const outPrefix = `${prefix}out.`;
  for (const each of [prefix, outPrefix]) await makeTopics(stage, each);
  const input = prefix + topics.eventsCollected.name;
  const output = outPrefix + topics.eventsCollected.name;
  const group = 'streams';
  const log = await openLog({ brokers: stage.brokers.split(','), clientId: 'bench', prefix });
  const app = await stage.peer.start({
    id: prefix + group,
    input,
    output,
    stateFolder: join(stage.folder, `steady-peer-${String(run)}`),
    logFile: join(stage.folder, 'logs', `steady-peer-${String(run)}.log`),
  });
  return {
    prefix,
    form: 'peer',
    processes: { peer: app.pid },
    handled: async () => {
      const offsets = await log.admin.committedOffsets(group, 'eventsCollected');
      return offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
    },
    transactions: () => Promise.resolve(undefined),
    isSettled: () => Promise.resolve(true),
    stop: async () => {
      await app.stop();
      await log.close();
    },
    check: (events) => stage.peer.check(output, events),
  };
}

export async function startMerger(stage: StageOptions, run: number): Promise<SteadyContestant> {
  const { root, folder } = stage;
  const prefix = `steady-merger${String(run)}.`;
  await makeTopics(stage, prefix);
  const env = serviceEnv({ ...stage, prefix, partitions: PARTITIONS });
  const dataFolder = join(folder, `steady-merger-${String(run)}`);
  const start = (name: 'identity' | 'merger'): ServiceRun =>
    new ServiceRun(name, {
      root,
      dataFolder,
      env: { ...env, ...profileEnv(stage.profileFolder && join(stage.profileFolder, name)) },
    });
  const [identity, merger] = [start('identity'), start('merger')];
  const services = [identity, merger];
  const stop = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.stop()));
  };
  try {
    await Promise.all(services.map((service) => service.untilLive()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    prefix,
    form: 'collected',
    processes: Object.fromEntries(services.map(({ name, pid }) => [name, pid])),
    // The group's offsets are for tools, and written once a second.
    handled: async () => {
      const { inputs } = await merger.status();
      return (inputs.eventsCollected ?? []).reduce((sum, offset) => sum + Math.max(0, offset), 0);
    },
    transactions: async () => {
      const statuses = await Promise.all(services.map((service) => service.status()));
      return statuses.reduce((sum, { gauges }) => sum + (gauges['transactions'] ?? 0), 0);
    },
    isSettled: async () => (await merger.status()).unsettled === 0,
    stop,
    check: (events) => checkMerged({ ...stage, partitions: PARTITIONS, prefix, events }),
  };
}

async function makeTopics({ brokers }: StageOptions, prefix: string): Promise<void> {
  const log = await openLog({ brokers: brokers.split(','), clientId: 'bench', prefix });
  await log.admin.createTopics(PARTITIONS);
  await log.close();
}
