/**
 * Keeps processes up. Each of them goes
 *
 *   starting ──ready──▶ up ──ends──▶ pausing ──▶ up …
 *      │ ends, or not ready in time: start() rejects, and it is not kept
 *   any of these ──stop()──▶ stopped
 *
 * The pause grows with each death, and is short again for one that was ready for a while (restart-pause.ts).
 */
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { startProcess, waitUntilReady, type ProcessSpec, type RunningProcess } from './child-process.ts';
import type { ProcessIdentity } from './process-identity.mjs';
import { RestartPause } from './restart-pause.ts';

const LOG_BYTES_MAX = 64 << 20;
const LOG_CHECK_EVERY_MS = 60_000;

export interface SupervisorOptions {
  /** Called after every change with what runs now. */
  readonly onChange: (running: ReadonlyMap<string, ProcessIdentity>) => void;
  readonly report: (line: string) => void;
  /** Without it a process that dies stays dead. */
  readonly restart: boolean;
}

interface Kept {
  readonly spec: ProcessSpec;
  readonly stopping: AbortController;
  running: RunningProcess | undefined;
  /** Since when the one that runs is ready, ms of performance.now(); undefined while it is not. */
  readyAt: number | undefined;
  /** Resolves when nothing of it is left and nothing will come. */
  done: Promise<void>;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #logCheck: NodeJS.Timeout;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#logCheck = setInterval(() => {
      for (const { spec } of this.#kept.values()) boundLog(spec.logFile);
    }, LOG_CHECK_EVERY_MS);
    this.#logCheck.unref();
  }

  /** Resolves when it is ready. @throws CodedError `process_failed`, or `stopping` when it was closed meanwhile. */
  async start(spec: ProcessSpec): Promise<void> {
    this.#refuseWhenClosed(spec);
    if (this.#kept.has(spec.name))
      throw new CodedError('process_failed', `could not start ${spec.name} twice`);
    const running = startProcess(spec);
    const kept: Kept = {
      spec,
      stopping: new AbortController(),
      running,
      readyAt: undefined,
      done: Promise.resolve(),
    };
    this.#kept.set(spec.name, kept);
    this.#nowRunning(kept, running);
    kept.done = running.ended.then(() => {
      this.#nowRunning(kept, undefined);
    });
    try {
      await waitUntilReady(spec, running);
      kept.readyAt = performance.now();
    } catch (error) {
      await running.stop();
      this.#kept.delete(spec.name);
      this.#refuseWhenClosed(spec);
      throw error;
    }
    if (this.#options.restart) kept.done = this.#keepUp(kept, running);
  }

  running(): ReadonlyMap<string, ProcessIdentity> {
    const running = new Map<string, ProcessIdentity>();
    for (const [name, kept] of this.#kept) {
      if (kept.running !== undefined) running.set(name, kept.running.identity);
    }
    return running;
  }

  /** Stops these at once and waits until they have ended. */
  async stop(names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const kept = this.#kept.get(name);
        if (kept === undefined) return;
        kept.stopping.abort();
        await kept.running?.stop();
        await kept.done;
        this.#kept.delete(name);
      }),
    );
  }

  /** Services first, then parts; nothing can be started any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#logCheck);
    const names = (part: boolean) =>
      [...this.#kept.values()].filter(({ spec }) => spec.part === part).map(({ spec }) => spec.name);
    await this.stop(names(false));
    await this.stop(names(true));
  }

  #refuseWhenClosed({ name }: ProcessSpec): void {
    if (!this.#closed) return;
    throw new CodedError('stopping', `could not start ${name}: everything is being stopped`);
  }

  async #keepUp(kept: Kept, first: RunningProcess): Promise<void> {
    const { spec, stopping } = kept;
    let running = first;
    const pause = new RestartPause(spec.restartPauseMsMax);
    for (;;) {
      const how = await running.ended;
      const readyMs = kept.readyAt === undefined ? 0 : performance.now() - kept.readyAt;
      kept.readyAt = undefined;
      this.#nowRunning(kept, undefined);
      if (stopping.signal.aborted) return;
      const pauseMs = pause.next(readyMs);
      this.#options.report(
        `${spec.name} ${how}; it is started again in ${String(pauseMs)} ms (log: ${spec.logFile})`,
      );
      const next = await this.#startAgain(kept, pauseMs);
      if (next === undefined) return;
      running = next;
    }
  }

  /** @returns undefined when it is to be stopped. */
  async #startAgain(kept: Kept, pauseMs: number): Promise<RunningProcess | undefined> {
    const { spec, stopping } = kept;
    await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return undefined;
    const running = startProcess(spec);
    this.#nowRunning(kept, running);
    void waitUntilReady(spec, running).then(
      () => {
        if (kept.running === running) kept.readyAt = performance.now();
        this.#options.report(`${spec.name} is up again`);
      },
      () => undefined, // it ended again, which is reported there, or it takes long, which /health says
    );
    return running;
  }

  #nowRunning(kept: Kept, running: RunningProcess | undefined): void {
    kept.running = running;
    this.#options.onChange(this.running());
  }
}

/** The process goes on writing to the same file, in append mode, so the file is emptied and not replaced. */
function boundLog(file: string): void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes <= LOG_BYTES_MAX) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
}
