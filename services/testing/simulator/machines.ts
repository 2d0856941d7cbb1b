/**
 * One service on machines that fail: its process is killed and started again, moved to another machine while the old
 * one still runs, and loses its disk. At any time the newest process is the owner; older ones live until fenced.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import { assert } from '../../runtime/errors.ts';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { MemoryBroker } from '../memory-broker.ts';
import { badLuck, type Weather } from './bad-luck.ts';
import { TaskProcess } from '../task-process.ts';
import type { Disk, Disks } from './disks.ts';
import type { Random } from './random.ts';

export interface MachineOptions {
  readonly broker: MemoryBroker;
  readonly spec: ServiceSpec;
  readonly codecs: Codecs;
  readonly tasks: number;
  readonly random: Random;
  readonly weather: Weather;
  readonly disks: Disks;
}

const RESTART_MS_MAX = 1_500;

export class Machines {
  readonly #options: MachineOptions;
  readonly #alive = new Set<TaskProcess>();
  readonly #idleDisks: Disk[] = [];
  #current: TaskProcess | undefined;
  /** Of the current process, by partition. */
  #opened: ReadonlyMap<number, PartitionStores> = new Map();
  kills = 0;
  takeovers = 0;
  lostDisks = 0;
  stops = 0;
  snapshots = 0;
  /** Codes of failures that need a person: there must be none. */
  readonly alarms: string[] = [];

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get current(): TaskProcess | undefined {
    return this.#current;
  }

  /** The stores of a partition as the current process has them. */
  stores(partition: number): PartitionStores {
    const stores = this.#opened.get(partition);
    assert(stores !== undefined, `partition ${String(partition)} is live`);
    return stores;
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

  /** SIGTERM: the process ends its batch and goes, if nothing kills it before. */
  stop(): void {
    const { current } = this;
    if (current?.log.dead !== false) return;
    this.stops += 1;
    void current.service.stop().then(() => {
      current.kill();
    });
  }

  /** Asks for a copy of every partition that is live. */
  snapshot(): void {
    if (this.#current?.log.dead !== false) return;
    this.snapshots += 1;
    void this.#current.service.snapshot();
  }

  /** Killed, and its disk is gone with it. */
  loseDisk(): void {
    const { current } = this;
    if (current?.log.dead !== false) return;
    this.lostDisks += 1;
    current.kill();
    this.#idleDisks.pop(); // its own, as it was put back
  }

  async #start(): Promise<void> {
    const { random, disks, ...options } = this.#options;
    const disk = this.#idleDisks.splice(random.below(this.#idleDisks.length), 1)[0] ?? disks.fresh();
    const folders = disk.folders(options.spec);
    const opened = new Map<number, PartitionStores>();
    const process = new TaskProcess({
      ...options,
      stores: {
        ...folders,
        open: async (partition) => {
          const stores = await folders.open(partition);
          opened.set(partition, stores);
          return stores;
        },
      },
      onDeath: () => {
        this.#idleDisks.push(disk.afterCrash());
      },
      layout: { layout: 1, tasks: options.tasks },
      ...badLuck(random, options.weather),
      twice: () => !options.weather.calm && random.chance(0.05),
      newBatchId: () => String(random.below(1_000_000_000)),
    });
    this.#alive.add(process);
    this.#current = process;
    this.#opened = opened;
    await process.start();
  }

  #bury(): void {
    for (const process of this.#alive) {
      const alarm = process.state.includes('failed') ? process.failure : undefined;
      if (alarm !== undefined && !process.log.dead) {
        this.alarms.push(alarm);
        process.kill();
      }
      if (process.log.dead) this.#alive.delete(process);
    }
  }
}
