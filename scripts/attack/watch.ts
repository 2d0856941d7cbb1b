/** Looks once a second at what an operator would: memory of each process, readiness, what the services say. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from './target.ts';

const everyMs = 1_000;
const answerMsMax = 10_000;
const pageBytes = 4_096;

export class Watch {
  readonly #target: Target;
  /** Highest, bytes, by process. */
  readonly memory = new Map<string, number>();
  looks = 0;
  /** Looks at which it was not ready, and what the first said. */
  notReady = 0;
  firstNotReady: string | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(target: Target) {
    this.#target = target;
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
  }
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#measure();
      await this.#ask();
      await sleep(everyMs);
    }
  }

  #measure(): void {
    for (const [name, pid] of Object.entries(this.#target.processes)) {
      const bytes = residentBytes(pid);
      if (bytes !== undefined) this.memory.set(name, Math.max(bytes, this.memory.get(name) ?? 0));
    }
  }

  async #ask(): Promise<void> {
    this.looks += 1;
    let said: string;
    try {
      const signal = AbortSignal.timeout(answerMsMax);
      const answer = await fetch(`${this.#target.http}/health/ready`, { signal });
      said = await answer.text();
      if (answer.ok) return;
    } catch (error) {
      said = String(error);
    }
    this.notReady += 1;
    this.firstNotReady ??= said;
  }
}

/** undefined where there is no /proc, or no such process any more. */
function residentBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${String(pid)}/statm`, 'utf8').split(' ')[1]) * pageBytes;
  } catch {
    return undefined;
  }
}
