/** A child process that runs the toy service on real parts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ToyChildOptions {
  readonly dataFolder: string;
  readonly prefix: string;
  readonly partitions: number;
  /** Counts by the event store, too. */
  readonly isStoring?: boolean;
}

const START_MS_MAX = 120_000;
/** The launcher gives a service five seconds. */
const STOP_MS_MAX = 5_000;

export class ToyChild {
  readonly #process: ChildProcess;
  readonly #options: ToyChildOptions;
  readonly exited: Promise<number | null>;
  output = '';
  readonly #spawnedAt = performance.now();
  #startMs = 0;

  constructor(options: ToyChildOptions) {
    this.#options = options;
    const main = ['services/testing/toy/main.ts', ...(options.isStoring === true ? ['storing'] : [])];
    this.#process = spawn(process.execPath, [...main], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS,
        SCHEMA_REGISTRY_URL: process.env.TEST_SCHEMA_REGISTRY_URL,
        HINDSIGHT_DATA: options.dataFolder,
        HINDSIGHT_PREFIX: options.prefix,
        HINDSIGHT_PARTITIONS: String(options.partitions),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.#process.stderr?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.exited = new Promise((done) => {
      this.#process.once('exit', done);
    });
  }

  /** Resolves when its task is live. */
  async live(): Promise<void> {
    const end = Date.now() + START_MS_MAX;
    while (!(await this.#isReady())) {
      if (Date.now() > end || this.#process.exitCode !== null) {
        throw new Error(`the toy service did not go live: ${this.output}`);
      }
      await sleep(20);
    }
    this.#startMs = performance.now() - this.#spawnedAt;
  }

  /** Asks for a snapshot of every partition; resolves when they are made, rejects when it dies meanwhile. */
  async snapshot(): Promise<void> {
    const { url, secret } = this.#url();
    const headers = { authorization: `Bearer ${secret}` };
    const answer = await fetch(`${url}/snapshot`, { method: 'POST', headers });
    if (answer.status !== 200) throw new Error(`no snapshot: ${await answer.text()}`);
  }

  /** What /health/ready says. */
  async health(): Promise<string> {
    try {
      const { pid, url } = this.#url();
      if (pid !== this.#process.pid) return 'has not started';
      return await (await fetch(`${url}/health/ready`)).text();
    } catch {
      return 'does not answer';
    }
  }

  /**
   * SIGTERM. Resolves with the exit code. Rejects when that took more than five seconds; on a machine so busy that a
   * start takes as many, more than a start.
   */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    const toldAt = performance.now();
    const code = await this.exited;
    const stopMs = Math.round(performance.now() - toldAt);
    if (stopMs > Math.max(STOP_MS_MAX, this.#startMs))
      throw new Error(`stopped in ${String(stopMs)} ms, started in ${String(Math.round(this.#startMs))} ms`);
    return code;
  }

  /** -9 and the others. Resolves with the exit code when the process ends by it. */
  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  async #isReady(): Promise<boolean> {
    try {
      const { pid, url } = this.#url();
      return pid === this.#process.pid && (await fetch(`${url}/health/ready`)).status === 200;
    } catch {
      return false; // not there yet
    }
  }

  #url(): { readonly pid: number; readonly url: string; readonly secret: string } {
    const file = readFileSync(join(this.#options.dataFolder, 'run', 'merger.json'), 'utf8');
    return JSON.parse(file) as { readonly pid: number; readonly url: string; readonly secret: string }; // by status-server.ts
  }
}
