/** The Kafka Streams application: built once into .parts, and run as one reads its README. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, waitUntilReady, type RunningProcess } from '../../infra/local/child-process.ts';
import { withLock } from '../../infra/local/lock.mjs';
import { runLong } from '../../infra/local/long-command.mjs';
import { javaCommand } from '../../infra/local/requirements.mjs';
import { CodedError } from '../../services/runtime/errors.ts';

export interface PeerFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly startUpCpuSeconds: number;
  readonly brokerCpuSecondsPerMillion: number;
  readonly peakMebibytes: number;
  readonly stateMebibytes: number;
  readonly changelogMebibytes: number;
}

export interface Verdict {
  readonly passed: boolean;
  /** The checker's line. */
  readonly line: string;
}

export interface PeerApplication {
  /** Application id: its consumer group. */
  readonly id: string;
  /** Topics; both are there. */
  readonly input: string;
  readonly output: string;
  readonly stateFolder: string;
  readonly logFile: string;
  /** What it does, and how; absent: the merger's work. */
  readonly work?: readonly string[];
}

const mergers = ['--variant', 'window'];

const SOURCES = 'bench/kafka-streams-peer';
const RUN_SECONDS_MAX = 900;
const OUTPUT_CHARS_MAX = 20_000;
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;

export class Peer {
  readonly #folder: string;
  readonly #brokers: string;

  private constructor(folder: string, brokers: string) {
    this.#folder = folder;
    this.#brokers = brokers;
  }

  /** @param root the checkout; Maven takes what it needs from its own repository on the first time. */
  static async build(root: string, brokers: string): Promise<Peer> {
    const folder = join(root, '.parts', `kafka-streams-peer-${hashOf(join(root, SOURCES))}`);
    await withLock(
      join(root, '.parts', 'kafka-streams-peer.lock'),
      ({ pid }) => {
        console.log(`  waiting for process ${String(pid)}, which builds the peer`);
      },
      async () => {
        if (!existsSync(folder)) await build(root, folder);
      },
    );
    return new Peer(folder, brokers);
  }

  /** Makes the topic and fills it with the first events of the workload, 4 partitions. */
  async load(topic: string, events: number): Promise<void> {
    await this.#run(['load', '--topic', topic, '--events', String(events)]);
  }

  /** One thread, commits every 100 ms. Its output goes to the topic `peer-out-<id>`. */
  async bench(run: {
    readonly topic: string;
    readonly id: string;
    readonly stateFolder: string;
    readonly brokerPid: number;
  }): Promise<PeerFigures> {
    const { output } = await this.#run([
      ...['bench', ...mergers, '--threads', '1', '--commit', '100'],
      ...['--in', run.topic, '--id', run.id, '--state', run.stateFolder],
      ...['--broker-pid', String(run.brokerPid), '--limit', String(RUN_SECONDS_MAX)],
    ]);
    const figure = (pattern: RegExp): number => {
      const text = pattern.exec(output)?.[1];
      if (text === undefined) throw failed('bench', `it did not say ${String(pattern)}: ${output}`);
      return Number(text);
    };
    return {
      seconds: figure(/events ([\d.]+) s/),
      cpuSeconds: figure(/cpu ([\d.]+) s/),
      startUpCpuSeconds: figure(/start-up ([\d.]+)/),
      brokerCpuSecondsPerMillion: figure(/broker ([\d.]+) cpu-s/),
      peakMebibytes: figure(/peak (\d+)/),
      stateMebibytes: figure(/state (\d+) MiB/),
      changelogMebibytes: figure(/changelog (\d+) MiB/),
    };
  }

  /** The application alone, as `bench` starts it, on a topic that is filled meanwhile. Resolves when it runs. */
  async start(application: PeerApplication): Promise<RunningProcess> {
    const { id, input, output, stateFolder, logFile, work = mergers } = application;
    const spec = {
      name: id,
      command: javaCommand(process.env),
      args: [
        ...['-Xms1g', '-Xmx1g', '-XX:+UseParallelGC', ...this.#main(), 'app'],
        ...[...work, '--threads', '1', '--commit', '100'],
        ...['--app', id, '--in', input, '--out', output, '--state', stateFolder, '--brokers', this.#brokers],
      ],
      cwd: this.#folder,
      env: process.env,
      logFile,
      part: true,
      readyMsMax: READY_MS_MAX,
      stopMsMax: STOP_MS_MAX,
      isReady: async () => /^RUNNING /m.test(await readFile(logFile, 'utf8')),
    };
    const running = startProcess(spec);
    try {
      await waitUntilReady(spec, running);
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /** Deletes the topics whose names start so. The broker frees their disk about a minute later. */
  async delete(prefix: string): Promise<void> {
    await this.#run(['delete', '--prefix', prefix]);
  }

  /** Compares a topic with what the workload must give: nothing lost, doubled, misordered, unexpected, altered. */
  async check(topic: string, events: number): Promise<Verdict> {
    const args = ['check', '--topic', topic, '--events', String(events)];
    const { code, output } = await this.#run(args, true);
    return { passed: code === 0, line: /^CHECK .*$/m.exec(output)?.[0] ?? output.trim() };
  }

  async #run(args: readonly string[], mayFail = false): Promise<{ code: number; output: string }> {
    const java = spawn(
      javaCommand(process.env),
      ['-Xmx2g', ...this.#main(), ...args, '--brokers', this.#brokers],
      { stdio: ['ignore', 'pipe', 'pipe'], timeout: RUN_SECONDS_MAX * 1_000 },
    );
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
    };
    java.stdout.on('data', take);
    java.stderr.on('data', take);
    const code = await new Promise<number>((done, fail) => {
      java.once('error', fail);
      java.once('close', (status) => {
        done(status ?? 1);
      });
    });
    if (code !== 0 && !mayFail) throw failed(args[0] ?? '', output);
    return { code, output };
  }

  #main(): readonly string[] {
    const classPath = [join(this.#folder, 'classes'), join(this.#folder, 'lib', '*')].join(':');
    return ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', classPath, 'peer.Main'];
  }
}

function failed(what: string, output: string): CodedError {
  return new CodedError('peer_failed', `could not run ${what} of the Kafka Streams application: ${output}`);
}

async function build(root: string, folder: string): Promise<void> {
  const draft = `${folder}.${String(process.pid)}.draft`;
  const { MAVEN_ARGS: mavenArgs = '', ...env } = process.env; // Maven 3.8 does not read it yet
  try {
    await mkdir(draft, { recursive: true });
    await runLong(
      'building the Kafka Streams application',
      {
        file: 'mvn',
        args: [
          ...mavenArgs.split(/\s+/).filter((argument) => argument !== ''),
          ...['--batch-mode', '--strict-checksums', '--file', join(root, SOURCES, 'pom.xml')],
          ...[`-Dinto=${draft}`, 'package'],
        ],
        cwd: root,
        env,
      },
      { text: () => 'about 70 MB' },
    );
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The name follows the sources, so a change of them is a new build. */
function hashOf(sources: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\.(java|xml)$/.test(name)) hash.update(name).update(readFileSync(join(sources, name)));
  }
  return hash.digest('hex').slice(0, 12);
}
