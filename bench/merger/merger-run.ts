/**
 * The merger as it runs: the processes `merger` and `identity`, catching up on a filled topic. Measured from the moment
 * at which the merger is live (what it has handled by then is not counted) until everything is handled and no lane asks
 * or releases; starting Node and compiling TypeScript is left out, as the start of the JVM is for the peer.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { cpuSecondsOf, diskBytesOf, peakMebibytesOf } from './process-figures.ts';
import { ServiceRun, type ServiceRunOptions } from './service-run.ts';

export interface MergerRunOptions extends ServiceRunOptions {
  readonly brokers: string;
  readonly brokerPid: number;
  readonly prefix: string;
  /** On the topic. */
  readonly events: number;
  /** Added for the merger only. */
  readonly mergerEnv?: NodeJS.ProcessEnv;
}

export interface MergerFigures {
  readonly events: number;
  readonly seconds: number;
  readonly mergerCpuSeconds: number;
  readonly identityCpuSeconds: number;
  readonly brokerCpuSeconds: number;
  readonly startUpCpuSeconds: number;
  readonly mergerPeakMebibytes: number;
  readonly identityPeakMebibytes: number;
  readonly stateBytes: number;
  readonly transactions: number;
}

export interface RecoveryFigures {
  readonly killedAtEvents: number;
  /** From the start of the new process. */
  readonly liveSeconds: number;
  readonly firstRecordSeconds: number;
}

const POLL_MS = 50;
const RUN_MS_MAX = 900_000;

export async function runMerger(options: MergerRunOptions): Promise<MergerFigures> {
  const installation = await Installation.start(options);
  const { merger, identity } = installation;
  try {
    await merger.untilLive();
    const before = await installation.look();
    await installation.untilHandled(1);
    const after = await installation.look();
    const peaks = [peakMebibytesOf(merger.pid), peakMebibytesOf(identity.pid)] as const;
    await merger.stop(); // flushes
    return {
      events: options.events - before.events,
      seconds: (after.at - before.at) / 1_000,
      mergerCpuSeconds: after.merger - before.merger,
      identityCpuSeconds: after.identity - before.identity,
      brokerCpuSeconds: after.broker - before.broker,
      startUpCpuSeconds: before.merger,
      mergerPeakMebibytes: peaks[0],
      identityPeakMebibytes: peaks[1],
      stateBytes: await diskBytesOf(join(options.dataFolder, 'state', 'merger')),
      transactions: after.transactions,
    };
  } finally {
    await installation.stop();
  }
}

/** kill -9 half way; the run then goes on to its end, so that what it gave can be checked. */
export async function runRecovery(
  options: MergerRunOptions,
  state: 'kept' | 'deleted',
): Promise<RecoveryFigures> {
  const installation = await Installation.start(options);
  try {
    await installation.merger.untilLive();
    await installation.untilHandled(0.5);
    const { events } = await installation.look();
    await installation.merger.kill();
    if (state === 'deleted') await rm(join(options.dataFolder, 'state', 'merger'), { recursive: true });
    const again = (installation.merger = new ServiceRun('merger', options));
    const [liveMs, firstRecordMs] = await Promise.all([again.untilLive(), again.untilFirstRecord()]);
    await installation.untilHandled(1);
    return {
      killedAtEvents: events,
      liveSeconds: liveMs / 1_000,
      firstRecordSeconds: firstRecordMs / 1_000,
    };
  } finally {
    await installation.stop();
  }
}

class Installation {
  readonly #options: MergerRunOptions;
  readonly #ends: readonly number[];
  readonly identity: ServiceRun;
  merger: ServiceRun;

  private constructor(options: MergerRunOptions, ends: readonly number[], identity: ServiceRun) {
    this.#options = options;
    this.#ends = ends;
    this.identity = identity;
    const env = { ...options.env, ...options.mergerEnv };
    this.merger = new ServiceRun('merger', { ...options, env });
  }

  static async start(options: MergerRunOptions): Promise<Installation> {
    const { brokers, prefix } = options;
    const log = await openLog({ brokers: brokers.split(','), clientId: 'bench', prefix });
    const ends = await log.admin.endOffsets('eventsCollected');
    await log.close();
    const identity = new ServiceRun('identity', options);
    try {
      await identity.untilLive();
    } catch (error) {
      await identity.stop();
      throw error;
    }
    return new Installation(options, ends, identity);
  }

  async look() {
    const { gauges, inputs } = await this.merger.status();
    return {
      at: performance.now(),
      events: (inputs.eventsCollected ?? []).reduce((sum, offset) => sum + Math.max(0, offset), 0),
      transactions: gauges['transactions'] ?? 0,
      merger: cpuSecondsOf(this.merger.pid),
      identity: cpuSecondsOf(this.identity.pid),
      broker: cpuSecondsOf(this.#options.brokerPid),
    };
  }

  /** @param part of the topic, 0 to 1; for 1 no lane asks or releases any more, either. */
  async untilHandled(part: number): Promise<void> {
    const deadline = performance.now() + RUN_MS_MAX;
    while (performance.now() < deadline) {
      const { inputs, unsettled } = await this.merger.status();
      const offsets = inputs.eventsCollected ?? [];
      // The last offset of each partition is the marker of the transaction that filled it.
      if (part === 1 && unsettled === 0 && this.#ends.every((end, at) => (offsets[at] ?? 0) >= end - 1))
        return;
      const handled = offsets.reduce((sum, offset) => sum + offset, 0);
      if (part < 1 && handled >= part * this.#ends.reduce((sum, end) => sum + end, 0)) return;
      await sleep(POLL_MS);
    }
    throw new CodedError('bench_failed', 'could not wait until everything is handled: it takes too long');
  }

  async stop(): Promise<void> {
    await this.merger.stop();
    await this.identity.stop();
  }
}
