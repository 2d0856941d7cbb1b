/** Who keeps the segments: our trigger as it runs, or the Kafka Streams application; each catches up on a filled topic. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { topics } from '../../schemas/topics.ts';
import { CodedError } from '../../services/runtime/errors.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Log } from '../../services/runtime/log/ports.ts';
import type { Peer } from '../merger/peer.ts';
import { cpuSecondsOf, diskBytesOf, peakMebibytesOf } from '../merger/process-figures.ts';
import { profileEnv, serviceEnv, ServiceRun } from '../merger/service-run.ts';
import type { WatchingSegment } from '../trigger/watching-segments.ts';
import { PARTITIONS, RULE_VERSION, type Stage } from './shop-topics.ts';

export interface RunOptions extends Stage {
  readonly root: string;
  /** Of this run; files of the contestant lie in it. */
  readonly folder: string;
  readonly registryUrl: string;
  readonly brokerPid: number;
  readonly peer: Peer;
  /** Further arguments of the peer's application. */
  readonly peerArgs: readonly string[];
  readonly profileFolder: string | undefined;
  /** What the topics of the shop are named under. */
  readonly prefix: string;
  readonly segments: readonly WatchingSegment[];
  /** On the topic, beside watermarks. */
  readonly events: number;
  /** Event time between two looks of the peer at what is due, ms: as often as watermarks come. */
  readonly lookEveryMs: number;
}

export interface Ran {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly startUpCpuSeconds: number;
  readonly brokerCpuSeconds: number;
  readonly peakMebibytes: number;
  readonly stateMebibytes: number;
  /** Handled after the clock began. */
  readonly events: number;
}

export type Contestant = 'peer' | 'trigger';

/** An answer of the status server costs the trigger a millisecond of CPU, which would be counted as its work. */
const POLL_MS = 250;
const RUN_MS_MAX = 900_000;
const BYTES_PER_MIB = 2 ** 20;
const GROUP = 'streams';
/** When it was given its first record, and the CPU that it had taken by then, ms. */
const FIRST = /^FIRST (\d+) (\d+)$/m;

interface Beginning {
  /** As of performance.now(). */
  readonly at: number;
  readonly cpuSeconds: number;
  /** Records that it had handled by then. */
  readonly handled: number;
}

interface Progress {
  /** Next offset of each partition: what is below it is handled and committed. */
  readonly handled: readonly number[];
  /** Nothing is on its way inside it. */
  readonly isSettled: boolean;
}

/** A contestant that has been started: it begins as soon as it can. */
interface Running {
  readonly pid: number;
  /** From where on it is measured. */
  begun(): Promise<Beginning>;
  progress(): Promise<Progress>;
  stop(): Promise<void>;
}

/** Where the changes are, once it has run. */
export function outputPrefix(what: Contestant, prefix: string): string {
  return what === 'peer' ? `${prefix}out.` : prefix;
}

export async function runContestant(what: Contestant, options: RunOptions): Promise<Ran> {
  const log = await openLog({
    brokers: options.brokers.split(','),
    clientId: 'bench',
    prefix: options.prefix,
  });
  try {
    const ends = await log.admin.endOffsets('eventsMerged');
    const stateFolder = join(options.folder, 'state');
    const running = what === 'peer' ? await startPeer(options, log, stateFolder) : startTrigger(options);
    try {
      const begun = await running.begun();
      const brokerBefore = cpuSecondsOf(options.brokerPid);
      // The last offset of each partition is the marker of the transaction that filled it.
      await until(async () => {
        const { handled, isSettled } = await running.progress();
        return isSettled && ends.every((end, at) => (handled[at] ?? 0) >= end - 1);
      });
      const [at, own] = [performance.now(), cpuSecondsOf(running.pid)];
      const brokerCpuSeconds = cpuSecondsOf(options.brokerPid) - brokerBefore;
      const peakMebibytes = peakMebibytesOf(running.pid);
      await running.stop(); // flushes
      return {
        seconds: (at - begun.at) / 1_000,
        cpuSeconds: own - begun.cpuSeconds,
        startUpCpuSeconds: begun.cpuSeconds,
        brokerCpuSeconds,
        peakMebibytes,
        stateMebibytes: (await diskBytesOf(stateFolder)) / BYTES_PER_MIB,
        // Watermarks and markers are among the records: their share is that of the whole.
        events: options.events * (1 - begun.handled / sumOf(ends)),
      };
    } finally {
      await running.stop();
    }
  } finally {
    await log.close();
  }
}

function startTrigger({ root, folder, profileFolder, prefix, ...stage }: RunOptions): Running {
  const env = {
    ...serviceEnv({ ...stage, prefix, partitions: PARTITIONS }),
    ...profileEnv(profileFolder),
  };
  const trigger = new ServiceRun('trigger', { root, dataFolder: folder, env });
  const progress = async (): Promise<Progress> => {
    const { inputs, unsettled } = await trigger.status();
    return { handled: inputs.eventsMerged ?? [], isSettled: unsettled === 0 };
  };
  return {
    pid: trigger.pid,
    begun: async () => {
      await trigger.untilLive();
      const { handled } = await progress();
      return { at: performance.now(), cpuSeconds: cpuSecondsOf(trigger.pid), handled: sumOf(handled) };
    },
    progress,
    stop: () => trigger.stop(),
  };
}

async function startPeer(options: RunOptions, log: Log, stateFolder: string): Promise<Running> {
  const { folder, prefix, brokers, codecs, segments } = options;
  const outPrefix = outputPrefix('peer', prefix);
  const out = await openLog({ brokers: brokers.split(','), clientId: 'bench', prefix: outPrefix });
  await out.admin.createTopics(PARTITIONS);
  await out.close();
  const rules = join(folder, 'rules.json');
  const logFile = join(folder, 'logs', 'peer.log');
  await writeFile(rules, JSON.stringify(segments.map((segment) => ({ ...segment, version: RULE_VERSION }))));
  const app = await options.peer.start({
    id: prefix + GROUP,
    input: prefix + topics.eventsMerged.name,
    output: outPrefix + topics.segmentsChanged.name,
    stateFolder,
    logFile,
    work: [
      ...['--variant', 'segment', '--rules', rules, '--schema', String(codecs.SegmentChange.schemaId)],
      ...['--every', String(options.lookEveryMs), ...options.peerArgs],
    ],
  });
  return {
    pid: app.pid,
    begun: async () => {
      const said = async () => FIRST.exec(await readFile(logFile, 'utf8'));
      await until(async () => (await said()) !== null);
      const [, atMs, cpuMs] = (await said()) ?? [];
      const at = Number(atMs) - performance.timeOrigin;
      return { at, cpuSeconds: Number(cpuMs) / 1_000, handled: 0 };
    },
    progress: async () => {
      const offsets = await log.admin.committedOffsets(GROUP, 'eventsMerged');
      // What is due runs before a commit.
      return { handled: offsets.map(({ offset }) => offset ?? 0), isSettled: true };
    },
    stop: () => app.stop(),
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + RUN_MS_MAX;
  while (performance.now() < deadline) {
    if (await isSo()) return;
    await sleep(POLL_MS);
  }
  throw new CodedError('bench_failed', 'could not wait until everything is handled: it takes too long');
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
