/**
 * The same load for both, as much as one of them could do alone with ease: so many events a second, transactions of
 * about 100 ms. A run: start, stand idle, be fed and warm up, be measured, take the rest, be checked.
 */
import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CodedError } from '../../services/runtime/errors.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Log } from '../../services/runtime/log/ports.ts';
import { cpuSecondsOf, peakMebibytesOf } from './process-figures.ts';
import { startMerger, startPeer, type StageOptions, type SteadyContestant } from './steady-contestants.ts';
import type { FeedFigures } from './steady-feed.ts';
import type { SteadyFigures } from './steady-rows.ts';

export interface SteadyOptions extends StageOptions {
  readonly brokerPid: number;
  readonly eventsPerSecond: number;
  /** Fed before anything is measured, for the compilers of both to come to rest. */
  readonly warmSeconds: number;
  readonly seconds: number;
  readonly runs: number;
  readonly only: readonly ('peer' | 'merger')[];
  readonly report: (line: string) => void;
}

const IDLE_MS = 5_000;
const SAMPLE_MS = 1_000;
const REST_MS_MAX = 60_000;
const POLL_MS = 100;
const FEED_START_MS = 5_000;
const starts = { peer: startPeer, merger: startMerger } as const;

const execute = promisify(execFile);

export async function runSteady(options: SteadyOptions): Promise<readonly SteadyFigures[]> {
  const figures: SteadyFigures[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    for (const what of options.only) {
      const load = loadavg()[0] ?? 0;
      const contestant = await starts[what](options, run);
      const found = await runOne(options, contestant, { what, run, load });
      options.report(`${what} ${String(run)}: ${JSON.stringify(found)}`);
      figures.push(found);
    }
  }
  return figures;
}

async function runOne(
  options: SteadyOptions,
  contestant: SteadyContestant,
  names: Pick<SteadyFigures, 'what' | 'run' | 'load'>,
): Promise<SteadyFigures> {
  const { brokers, eventsPerSecond, warmSeconds, seconds } = options;
  const log = await openLog({ brokers: brokers.split(','), clientId: 'bench', prefix: contestant.prefix });
  try {
    const watch = new Watch(log, contestant, options.brokerPid);
    const standing = await watch.look();
    await sleep(IDLE_MS);
    const idle = difference(standing, await watch.look());
    const events = eventsPerSecond * (warmSeconds + seconds + 1);
    const feeding = feed(options, contestant, events);
    await watch.until((look) => look.written > 0, FEED_START_MS + REST_MS_MAX);
    await sleep(warmSeconds * 1_000);
    const { measured, lags } = await watch.during(seconds);
    const { lateMsMax } = await feeding;
    await watch.until((look) => look.handled === events && look.settled, REST_MS_MAX);
    const peaks = Object.values(contestant.processes).map(peakMebibytesOf);
    await contestant.stop();
    const { line, passed } = await contestant.check(events);
    options.report(line);
    return {
      ...names,
      ...measured,
      lags,
      idleShares: Object.fromEntries(
        Object.entries(idle.cpuSeconds).map(([name, cpu]) => [name, cpu / idle.seconds]),
      ),
      feedLateMsMax: lateMsMax,
      peakMebibytes: peaks.reduce((sum, peak) => sum + peak, 0),
      check: passed ? 'PASS' : 'FAIL',
    };
  } finally {
    await contestant.stop();
    await log.close();
  }
}

async function feed(
  { root, brokers, registryUrl, eventsPerSecond }: SteadyOptions,
  { prefix, form }: SteadyContestant,
  events: number,
): Promise<FeedFigures> {
  const script = [join(root, 'bench/merger/steady-feed.ts')];
  const args = [brokers, registryUrl, prefix, form, String(eventsPerSecond), String(events)];
  const timeout = (events / eventsPerSecond) * 2_000 + REST_MS_MAX;
  const { stdout } = await execute(process.execPath, [...script, ...args], { cwd: root, timeout });
  return JSON.parse(stdout) as FeedFigures; // printed by the script
}

interface Look {
  readonly at: number;
  /** Records on the topic. */
  readonly written: number;
  /** Of which handled and committed. */
  readonly handled: number;
  readonly settled: boolean;
  readonly transactions: number | undefined;
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly brokerCpuSeconds: number;
}

class Watch {
  readonly #log: Log;
  readonly #contestant: SteadyContestant;
  readonly #brokerPid: number;

  constructor(log: Log, contestant: SteadyContestant, brokerPid: number) {
    this.#log = log;
    this.#contestant = contestant;
    this.#brokerPid = brokerPid;
  }

  async look(): Promise<Look> {
    const { processes } = this.#contestant;
    // Asked first, so that a lag is never below nothing.
    const handled = await this.#contestant.handled();
    const ends = await this.#log.admin.endOffsets('eventsCollected');
    const cpu = Object.entries(processes).map(([name, pid]) => [name, cpuSecondsOf(pid)] as const);
    return {
      at: performance.now(),
      written: ends.reduce((sum, end) => sum + end, 0),
      handled,
      settled: await this.#contestant.isSettled(),
      transactions: await this.#contestant.transactions(),
      cpuSeconds: Object.fromEntries(cpu),
      brokerCpuSeconds: cpuSecondsOf(this.#brokerPid),
    };
  }

  async until(isSo: (look: Look) => boolean, msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    while (!isSo(await this.look())) {
      if (performance.now() > deadline) {
        throw new CodedError('bench_failed', 'could not go on: what was fed was not handled in time');
      }
      await sleep(POLL_MS);
    }
  }

  async during(seconds: number) {
    const before = await this.look();
    const lags: number[] = [];
    let last = before;
    while (last.at - before.at < seconds * 1_000) {
      await sleep(SAMPLE_MS);
      last = await this.look();
      lags.push(last.written - last.handled);
    }
    return { measured: difference(before, last), lags };
  }
}

function difference(from: Look, to: Look) {
  const names = Object.keys(to.cpuSeconds);
  const spent = (name: string): number => (to.cpuSeconds[name] ?? 0) - (from.cpuSeconds[name] ?? 0);
  return {
    seconds: (to.at - from.at) / 1_000,
    fed: to.written - from.written,
    events: to.handled - from.handled,
    transactions: to.transactions === undefined ? undefined : to.transactions - (from.transactions ?? 0),
    cpuSeconds: Object.fromEntries(names.map((name) => [name, spent(name)])),
    brokerCpuSeconds: to.brokerCpuSeconds - from.brokerCpuSeconds,
  };
}
