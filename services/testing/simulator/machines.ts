/**
 * One service on machines that fail: its process is killed and started again, moved to another machine while the old
 * one still runs, and loses its disk. At any time the newest process is the owner; older ones live until fenced.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { MemoryBroker } from '../memory-broker.ts';
import type { Fault, Request } from '../memory-log.ts';
import { MemoryDisk } from '../memory-stores.ts';
import { TaskProcess } from '../task-process.ts';
import type { Random } from './random.ts';

export interface Weather {
  /** No more faults. */
  calm: boolean;
}

export interface MachineOptions {
  readonly broker: MemoryBroker;
  readonly spec: ServiceSpec;
  readonly codecs: Codecs;
  readonly tasks: number;
  readonly random: Random;
  readonly weather: Weather;
}

const faults: readonly Fault[] = ['error_before', 'error_after', 'die_before', 'die_after'];
const FAULT_PROBABILITY = 0.004;
/** A process that stands still for this long wakes as a zombie, or finds its transaction timed out. */
const SLEEP_PROBABILITY = 0.000_5;
const SLEEP_MS_MAX = 60_000;
const RESTART_MS_MAX = 1_500;

export class Machines {
  readonly #options: MachineOptions;
  readonly #alive = new Map<TaskProcess, MemoryDisk>();
  readonly #idleDisks: MemoryDisk[] = [new MemoryDisk()];
  #current: TaskProcess | undefined;
  kills = 0;
  takeovers = 0;
  lostDisks = 0;
  /** Codes of failures that need a person: there must be none. */
  readonly alarms: string[] = [];

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get current(): TaskProcess | undefined {
    return this.#current;
  }

  /** Keeps one process running, for ever. */
  async supervise(): Promise<never> {
    const { broker, random } = this.#options;
    for (;;) {
      this.#bury();
      if (this.#current === undefined || this.#current.log.dead) {
        await broker.time.sleep(random.below(RESTART_MS_MAX));
        await this.#start();
      }
      await broker.time.sleep(50);
    }
  }

  kill(): void {
    if (this.#current?.log.dead !== false) return;
    this.kills += 1;
    this.#current.kill();
  }

  /** A second process takes over while the first is at work, on a disk that may be old or empty. */
  async takeOver(): Promise<void> {
    this.takeovers += 1;
    await this.#start();
  }

  /** Killed, and its disk is gone with it. */
  loseDisk(): void {
    const { current } = this;
    if (current?.log.dead !== false) return;
    this.lostDisks += 1;
    current.kill();
    this.#alive.delete(current);
  }

  async #start(): Promise<void> {
    const { random, ...options } = this.#options;
    const disk = this.#idleDisks.splice(random.below(this.#idleDisks.length), 1)[0] ?? new MemoryDisk();
    const process = new TaskProcess({
      ...options,
      disk,
      layout: { layout: 1, tasks: options.tasks },
      fault: (request) => this.#fault(request),
      delayMs: (request) => this.#delayMs(request),
      sliceRecords: () => (options.weather.calm ? 500 : 1 + random.below(40)),
      twice: () => !options.weather.calm && random.chance(0.05),
      late: () => !options.weather.calm && random.chance(0.1),
      newBatchId: () => String(random.below(1_000_000_000)),
    });
    this.#alive.set(process, disk);
    this.#current = process;
    await process.start();
  }

  #bury(): void {
    for (const [process, disk] of this.#alive) {
      const alarm = process.state.includes('failed') ? process.failure : undefined;
      if (alarm !== undefined && !process.log.dead) {
        this.alarms.push(alarm);
        process.kill();
      }
      if (!process.log.dead) continue;
      this.#alive.delete(process);
      this.#idleDisks.push(disk);
    }
  }

  #fault(request: Request): Fault {
    const { random, weather } = this.#options;
    if (weather.calm || request === 'fetch' || !random.chance(FAULT_PROBABILITY)) return 'none';
    return random.pick(faults) ?? 'none';
  }

  #delayMs(request: Request): number {
    const { random, weather } = this.#options;
    if (weather.calm || request === 'fetch') return 1;
    if (random.chance(SLEEP_PROBABILITY)) return random.below(SLEEP_MS_MAX);
    return random.below(5);
  }
}
