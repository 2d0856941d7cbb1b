/** A service process that is measured: started as the launcher starts it, watched through its status server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess, type RunningProcess } from '../../infra/local/child-process.ts';
import { serviceProcess, type ServiceName } from '../../infra/local/service-processes.ts';
import { CodedError } from '../../services/runtime/errors.ts';
import type { ServiceStatus } from '../../services/runtime/task/task-service.ts';

export interface ServiceRunOptions {
  readonly root: string;
  readonly dataFolder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Where an installation of a bench is. */
export interface ServicePlace {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly prefix: string;
  readonly partitions: number;
}

const POLL_MS = 10;
const LIVE_MS_MAX = 300_000;
const ANSWER_MS_MAX = 5_000;

export class ServiceRun {
  readonly name: ServiceName;
  readonly spawnedAt = performance.now();
  readonly #dataFolder: string;
  readonly #process: RunningProcess;
  #ended: string | undefined;
  #url: string | undefined;

  constructor(name: ServiceName, options: ServiceRunOptions) {
    this.name = name;
    this.#dataFolder = options.dataFolder;
    this.#process = startProcess(serviceProcess(name, options));
    void this.#process.ended.then((how) => {
      this.#ended = how;
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** @returns milliseconds from the start of the process until /health/ready said so. */
  async untilLive(): Promise<number> {
    await this.#until(async () => (await fetch(`${await this.#base()}/health/ready`, withLimit())).ok);
    return performance.now() - this.spawnedAt;
  }

  /** @returns milliseconds from the start of the process until it had handled a record and committed. */
  async untilFirstRecord(): Promise<number> {
    await this.#until(async () => eventsIn(await this.status()) > 0);
    return performance.now() - this.spawnedAt;
  }

  /** A task service's; others say what they say. */
  async status<Status = ServiceStatus>(): Promise<Status> {
    const answer = await fetch(`${await this.#base()}/status`, withLimit());
    return (await answer.json()) as Status; // written by services/runtime/status-server.ts
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.#process.ended;
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + LIVE_MS_MAX;
    while (performance.now() < deadline) {
      if (this.#ended !== undefined) break;
      if (await isSo().catch(() => false)) return;
      await sleep(POLL_MS);
    }
    throw new CodedError(
      'bench_failed',
      `could not wait for ${this.name}: it ${this.#ended ?? 'took too long'}`,
      {
        hint: `Its log is ${join(this.#dataFolder, 'logs', `${this.name}.log`)}.`,
      },
    );
  }

  async #base(): Promise<string> {
    if (this.#url !== undefined) return this.#url;
    const text = await readFile(join(this.#dataFolder, 'run', `${this.name}.json`), 'utf8');
    const { pid, url } = JSON.parse(text) as { pid: number; url: string }; // written by the status server
    // A file that a killed predecessor left behind says nothing of this process.
    if (pid !== this.pid) throw new CodedError('bench_failed', `${this.name} has not said yet where it is`);
    this.#url = url;
    return url;
  }
}

export function serviceEnv({ brokers, registryUrl, prefix, partitions }: ServicePlace): NodeJS.ProcessEnv {
  return {
    ...process.env,
    KAFKA_BROKERS: brokers,
    SCHEMA_REGISTRY_URL: registryUrl,
    HINDSIGHT_PREFIX: prefix,
    HINDSIGHT_PARTITIONS: String(partitions),
  };
}

/** Added to the environment of a service: it writes a CPU profile into the folder as it exits. */
export function profileEnv(folder: string | undefined): NodeJS.ProcessEnv {
  if (folder === undefined) return {};
  return {
    NODE_OPTIONS: `--import ${new URL('cpu-profile.mjs', import.meta.url).href}`,
    BENCH_PROFILE_FOLDER: folder,
  };
}

/** Records of all inputs, handled and committed by this process. */
export function eventsIn({ gauges }: ServiceStatus): number {
  return gauges['events'] ?? 0;
}

function withLimit(): RequestInit {
  return { signal: AbortSignal.timeout(ANSWER_MS_MAX) };
}
