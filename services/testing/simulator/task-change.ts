/** The operator's command that changes the number of tasks of a service, again until it has said that it is done. */
import type { TopicId } from '../../../schemas/topics.ts';
import { CodedError } from '../../runtime/errors.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { changeTasks } from '../../runtime/task/change-tasks.ts';
import type { Layout } from '../../runtime/task/layout/layout.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryLog } from '../memory/memory-log.ts';
import { badLuck } from './bad-luck.ts';
import type { DiskPool } from './disk-pool.ts';
import type { InstanceOptions } from './instance.ts';
import type { StateFolder } from './disks.ts';
import { OpenedPartitions } from './opened-partitions.ts';
import { notReached, refusals } from './refusal.ts';

export interface TaskChangeOptions extends Pick<
  InstanceOptions,
  'broker' | 'spec' | 'codecs' | 'random' | 'weather'
> {
  readonly tasks: number;
  readonly before: Layout;
  readonly pool: DiskPool;
  /** Of the service, should one have been forgotten. */
  readonly killAll: () => void;
}

const PAUSE_MS_MAX = 1_500;
const TRIES_MAX = 60;

export class TaskChange {
  readonly #options: TaskChangeOptions;
  /** Disks that did not reach back, and said so. */
  refusals = 0;
  lost: string | undefined;
  readonly alarms: string[] = [];

  constructor(options: TaskChangeOptions) {
    this.#options = options;
  }

  /** The layout in force after it; undefined when an alarm has ended it. */
  async run(): Promise<Layout | undefined> {
    const { broker, random } = this.#options;
    for (let times = 0; times < TRIES_MAX; times += 1) {
      await broker.time.sleep(random.below(PAUSE_MS_MAX));
      const layout = await this.#try();
      if (layout !== undefined) return layout;
      if (this.alarms.length > 0 || this.lost !== undefined) return undefined;
    }
    this.alarms.push('the number of tasks could not be changed');
    return undefined;
  }

  /** One run of the command, in a process of its own, which may die of it. */
  async #try(): Promise<Layout | undefined> {
    const { broker, spec, codecs, random, weather, tasks, before, pool, killAll } = this.#options;
    const disk = pool.take();
    const opened = new OpenedPartitions(disk, spec);
    let takenAway: readonly StateFolder[] = [];
    let died = (): void => undefined;
    const death = new Promise<undefined>((resolve) => {
      died = () => {
        resolve(undefined);
      };
    });
    const log = new MemoryLog(broker, {
      ...badLuck(random, weather),
      onDeath: () => {
        pool.giveBack(disk, takenAway);
        died();
      },
    });
    const ports = {
      log,
      codecs,
      time: broker.time,
      logger: silentLogger,
      stores: opened.folders,
      learn: () => Promise.resolve(false),
      newBatchId: () => String(random.below(1_000_000_000)),
    };
    const command = changeTasks({ spec, partitions: broker.partitions, tasks, ports });
    try {
      return await Promise.race([command, death]);
    } catch (error) {
      const code = error instanceof CodedError ? error.code : String(error);
      if (code === 'tasks_invalid') return isEmpty(broker, spec.journal) ? before : undefined;
      const lacking = refusals.has(code) ? this.#notReached(opened) : [];
      if (lacking.length > 0) {
        this.refusals += 1;
        takenAway = lacking.map((partition) => opened.folderOf(partition));
        killAll();
        log.kill();
        if (!pool.mendLast(takenAway, opened.hadFolder)) this.lost = code;
      } else if (!passes(error)) this.alarms.push(`could not change the number of tasks: ${code}`);
      return undefined;
    } finally {
      log.kill();
    }
  }

  #notReached({ markOf }: OpenedPartitions): readonly number[] {
    const { before, ...parts } = this.#options;
    return Array.from({ length: before.tasks }, (_, task) =>
      notReached({ ...parts, task, tasks: before.tasks, markOf }),
    ).flat();
  }
}

/** The service has never committed anything, so there is nothing to change yet. */
function isEmpty(broker: MemoryBroker, journal: TopicId): boolean {
  return broker.everCommitted(journal).length === 0;
}

/** Fenced by a process that was forgotten, or overtaken by retention as it read. */
const passing: ReadonlySet<string> = new Set(['producer_dead', 'offset_out_of_range']);

function passes(error: unknown): boolean {
  return error instanceof CodedError && (error.retryable || passing.has(error.code));
}
