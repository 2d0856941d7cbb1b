/** The real sink, on processes that are killed, started again, and taken over while they still run. */
import type { Codecs } from '../../../schemas/codec.ts';
import { isFenced, Sink } from '../../sink/sink.ts';
import type { Target } from '../../sink/target.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryLog, type MemoryLogOptions } from '../memory/memory-log.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Random } from '../random.ts';
import { sinkTopics } from '../../sink/tables.ts';

export interface SinkMachineOptions {
  readonly time: VirtualTime;
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly connect: (log: MemoryLog) => Target;
  readonly random: Random;
  /** How the log misbehaves. */
  readonly log: MemoryLogOptions;
}

const PAUSE_MS_MAX = 500;

export class SinkMachine {
  readonly #options: SinkMachineOptions;
  #log: MemoryLog | undefined;
  #sink: Sink | undefined;
  kills = 0;
  takeovers = 0;
  /** Errors that it did not expect, and that its process would have ended with. */
  readonly alarms: string[] = [];

  constructor(options: SinkMachineOptions) {
    this.#options = options;
  }

  /** Keeps one process running, for ever. */
  async supervise(): Promise<never> {
    const { time, random } = this.#options;
    for (;;) {
      if (this.#log?.dead !== false) this.#start();
      await time.sleep(1 + random.below(PAUSE_MS_MAX));
    }
  }

  kill(): void {
    if (this.#log?.dead !== false) return;
    this.kills += 1;
    this.#log.kill();
  }

  /** Another process starts; the one before does not know yet. */
  takeOver(): void {
    this.takeovers += 1;
    this.#start();
  }

  /** Everything below these offsets is in the tables, and says so. */
  reached(ends: ReadonlyMap<string, readonly number[]>): boolean {
    const written = this.#sink?.written ?? {};
    return sinkTopics.every((topic) =>
      (ends.get(topic) ?? []).every((end, partition) => (written[topic]?.[partition] ?? 0) >= end),
    );
  }

  #start(): void {
    const log = new MemoryLog(this.#options.broker, this.#options.log);
    this.#log = log;
    void this.#live(log);
  }

  /** As its main does: an error of the log is one to start again after, a newer owner one to end with. */
  async #live(log: MemoryLog): Promise<void> {
    const { time, random, codecs, connect } = this.#options;
    const running = new AbortController();
    while (!log.dead) {
      const sink = new Sink({
        log,
        codecs,
        time,
        learn: () => Promise.reject(new Error('the run knows every schema')),
        target: connect(log),
        logger: silentLogger,
        task: 0,
        tasks: 1,
        stopSignal: running.signal,
        abortSignal: running.signal,
      });
      if (this.#log === log) this.#sink = sink;
      try {
        await sink.run();
      } catch (error) {
        if (isFenced(error)) {
          log.kill();
          return;
        }
        // One that has been taken over may be overtaken by retention before it notices.
        if (!isExpected(error) && this.#log === log) this.alarms.push(String(error));
      }
      await time.sleep(random.below(PAUSE_MS_MAX));
    }
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === true;
}
