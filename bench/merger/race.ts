/** The runs, one after the other, each on topics of its own. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Codecs } from '../../schemas/codec.ts';
import { topics } from '../../schemas/topics.ts';
import type { BenchRow } from '../../scripts/bench.ts';
import { checkMerged } from './checked.ts';
import { feed, type Fed } from './feed.ts';
import { runMerger, runRecovery, type MergerRunOptions } from './merger-run.ts';
import type { PassFigures } from './pass-through.ts';
import type { Peer, Verdict } from './peer.ts';
import type { RunFigures } from './rows.ts';
import { profileEnv, serviceEnv } from './service-run.ts';

export type Contestant = 'peer' | 'pass' | 'merger' | 'recovery';

export interface RaceOptions {
  readonly root: string;
  readonly folder: string;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly brokerPid: number;
  readonly peer: Peer;
  readonly codecs: Codecs;
  readonly events: number;
  readonly runs: number;
  readonly only: readonly Contestant[];
  readonly profileFolder: string | undefined;
  readonly report: (line: string) => void;
}

/** As many as the peer's topics have. */
const PARTITIONS = 4;
const INPUT = 'input.';
const PASS_SECONDS_MAX = 900;
const BYTES_PER_MIB = 2 ** 20;
const MILLION = 1e6;
const MINUTE_MS = 60_000;

const run = promisify(execFile);

export class Race {
  readonly #options: RaceOptions;
  readonly figures: RunFigures[] = [];
  readonly recoveries: BenchRow[] = [];

  private constructor(options: RaceOptions) {
    this.#options = options;
  }

  static async prepare(options: RaceOptions): Promise<Race> {
    const { peer, events, report } = options;
    await peer.load(inputTopic(), events);
    report(`loaded ${String(events)} events of the peer's workload`);
    return new Race(options);
  }

  /** Round by round, so that what else the machine does meets all alike. No round begins after so many minutes. */
  async run(minutesMax: number): Promise<void> {
    const { runs, only } = this.#options;
    for (const number of numbers(runs)) {
      if (number > 1 && performance.now() > minutesMax * MINUTE_MS) break;
      if (only.includes('peer')) await this.#peer(number, load());
      if (!only.includes('pass') && !only.includes('merger')) continue;
      // The pass-through leaves its input as it is, so both take the same.
      const prefix = mergerPrefix(number);
      const fed = await this.#fill(prefix);
      if (only.includes('pass')) await this.#pass(number, load());
      if (only.includes('merger')) await this.#merger(number, load(), fed);
      await this.#options.peer.delete(prefix);
    }
    if (!only.includes('recovery')) return;
    await this.#recovery('kept');
    await this.#recovery('deleted');
  }

  /** The events as events of ours; just before they are needed, and deleted after, so that ten million fit. */
  async #fill(prefix: string): Promise<Fed> {
    const fed = await feed({ ...shared(this.#options), from: INPUT, into: [prefix] });
    const [bytes, waiting] = [mebibytes(fed.bytes), mebibytes(fed.waitingBytes)];
    this.#options.report(`copied as events of ours: ${bytes} MiB, of which ${waiting} wait at the end`);
    return fed;
  }

  async #peer(number: number, loadBefore: number): Promise<void> {
    const { peer, events, folder, brokerPid } = this.#options;
    const id = `r${String(number)}`;
    const stateFolder = join(folder, 'peer-state');
    const figures = await peer.bench({ topic: inputTopic(), id, stateFolder, brokerPid });
    const output = `peer-out-${id}`;
    const { line, passed } = await peer.check(output, events);
    await peer.delete(output);
    this.#take(
      { ...figures, what: 'peer', run: number, load: loadBefore, events, check: verdict(passed) },
      line,
    );
  }

  async #pass(number: number, loadBefore: number): Promise<void> {
    const { root, brokers, events, brokerPid } = this.#options;
    const script = [join(root, 'bench/merger/pass-through.ts')];
    const into = `pass${String(number)}.`;
    const args = [brokers, mergerPrefix(number), into, String(events), String(PARTITIONS), String(brokerPid)];
    const { stdout } = await run(process.execPath, [...script, ...args], {
      cwd: root,
      timeout: PASS_SECONDS_MAX * 1_000,
    });
    const figures = JSON.parse(stdout) as PassFigures; // printed by the script
    await this.#options.peer.delete(into);
    const perMillion = figures.brokerCpuSeconds / (events / MILLION);
    this.#take({
      ...figures,
      what: 'pass-through',
      run: number,
      load: loadBefore,
      events,
      brokerCpuSecondsPerMillion: perMillion,
      check: '',
    });
  }

  async #merger(number: number, loadBefore: number, fed: Fed): Promise<void> {
    const prefix = mergerPrefix(number);
    const figures = await runMerger(this.#mergerOptions(prefix));
    const { line, passed } = await this.#check(prefix);
    const shared = {
      run: number,
      load: loadBefore,
      events: figures.events,
      seconds: figures.seconds,
      brokerCpuSecondsPerMillion: figures.brokerCpuSeconds / (figures.events / MILLION),
      startUpCpuSeconds: figures.startUpCpuSeconds,
      check: verdict(passed),
    };
    this.#take(
      {
        ...shared,
        what: 'merger',
        cpuSeconds: figures.mergerCpuSeconds,
        peakMebibytes: figures.mergerPeakMebibytes,
        stateMebibytes: figures.stateBytes / BYTES_PER_MIB,
        stateShare: figures.stateBytes / fed.waitingBytes,
      },
      `${line} | ${String(figures.transactions)} transactions`,
    );
    this.#take({
      ...shared,
      what: 'merger + identity',
      cpuSeconds: figures.mergerCpuSeconds + figures.identityCpuSeconds,
      peakMebibytes: figures.mergerPeakMebibytes + figures.identityPeakMebibytes,
    });
  }

  async #recovery(state: 'kept' | 'deleted'): Promise<void> {
    const prefix = recoveryPrefix(state);
    await this.#fill(prefix);
    const figures = await runRecovery(this.#mergerOptions(prefix), state);
    const { line, passed } = await this.#check(prefix);
    await this.#options.peer.delete(prefix);
    this.#options.report(`kill -9, state ${state}: ${JSON.stringify(figures)} ${line}`);
    this.recoveries.push({
      what: `kill -9, state ${state}`,
      'killed at events': figures.killedAtEvents,
      'live after s': Number(figures.liveSeconds.toFixed(2)),
      'first record after s': Number(figures.firstRecordSeconds.toFixed(2)),
      check: verdict(passed),
    });
  }

  async #check(prefix: string): Promise<Verdict> {
    const verdict = await checkMerged({ ...this.#options, partitions: PARTITIONS, prefix });
    await this.#options.peer.delete(`checked-${prefix}`);
    await rm(join(this.#dataFolder(prefix), 'state'), { recursive: true });
    return verdict;
  }

  #mergerOptions(prefix: string): MergerRunOptions {
    const { root, brokers, registryUrl, brokerPid, events, profileFolder } = this.#options;
    return {
      root,
      dataFolder: this.#dataFolder(prefix),
      brokers,
      brokerPid,
      prefix,
      events,
      env: serviceEnv({ brokers, registryUrl, prefix, partitions: PARTITIONS }),
      mergerEnv: profileEnv(profileFolder),
    };
  }

  #dataFolder(prefix: string): string {
    return join(this.#options.folder, prefix.replace(/\.$/, ''));
  }

  #take(figures: RunFigures, line = ''): void {
    this.figures.push(figures);
    const perCpuSecond = Math.round(figures.events / figures.cpuSeconds);
    const { what, run: number, seconds } = figures;
    this.#options.report(
      `${what} ${String(number)}: ${seconds.toFixed(1)} s, ${String(perCpuSecond)} events per CPU s ${line}`,
    );
  }
}

function inputTopic(): string {
  return INPUT + topics.eventsCollected.name;
}
function mergerPrefix(number: number): string {
  return `merger${String(number)}.`;
}
function recoveryPrefix(state: 'kept' | 'deleted'): string {
  return `recovery-${state}.`;
}
function shared({ brokers, codecs }: RaceOptions) {
  return { brokers: brokers.split(','), codecs, partitions: PARTITIONS };
}
function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
function load(): number {
  return loadavg()[0] ?? 0;
}
function verdict(passed: boolean): string {
  return passed ? 'PASS' : 'FAIL';
}
function mebibytes(bytes: number): string {
  return (bytes / BYTES_PER_MIB).toFixed(0);
}
