/** A service process over memory parts: it can be started, stopped, and killed as with -9. */
import { localCodecs, type Codecs } from '../../../schemas/codec.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { StaticAssignment, type Assignment } from '../../runtime/task/layout/assignment.ts';
import type { Layout } from '../../runtime/task/layout/layout.ts';
import type { DeadLettersMax } from '../../runtime/task/batch/failed-records.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { TaskService } from '../../runtime/task/task-service.ts';
import type { StateFolders } from '../../runtime/task/task-plan.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryLog, type MemoryLogOptions } from '../memory/memory-log.ts';
import type { MemoryDisk } from '../memory/memory-stores.ts';

/** With a disk, or with folders of its own making. */
export type TaskProcessOptions = TaskProcessParts &
  ({ readonly disk: MemoryDisk } | { readonly stores: StateFolders });

interface TaskProcessParts extends MemoryLogOptions {
  readonly broker: MemoryBroker;
  readonly spec: ServiceSpec;
  readonly codecs?: Codecs;
  readonly layout?: Layout;
  readonly standingClock?: boolean;
  readonly deadLetters?: DeadLettersMax;
  readonly learn?: (schemaId: number) => Promise<boolean>;
  readonly newBatchId?: () => string;
  /** Of all tasks, unless said otherwise. */
  readonly assignment?: (exit: (code: number) => void) => Assignment;
}

export class TaskProcess {
  readonly log: MemoryLog;
  readonly service: TaskService;
  /** Codes with which it wanted to end. It is dead after the first. */
  readonly exits: number[] = [];

  constructor(options: TaskProcessOptions) {
    const { broker, spec } = options;
    const layout = options.layout ?? { layout: 1, tasks: 1 };
    this.log = new MemoryLog(broker, options);
    const exit = (code: number): void => {
      this.exits.push(code);
      this.log.kill();
    };
    this.service = new TaskService({
      spec,
      layout,
      partitions: broker.partitions,
      standingClock: options.standingClock ?? false,
      ...(options.deadLetters && { deadLetters: options.deadLetters }),
      ports: {
        log: this.log,
        codecs: options.codecs ?? localCodecs(),
        time: broker.time,
        logger: silentLogger,
        stores: 'stores' in options ? options.stores : foldersOn(options.disk, spec),
        learn: options.learn ?? (() => Promise.resolve(false)),
        newBatchId: options.newBatchId ?? (() => 'batch'),
      },
      assignment:
        options.assignment?.(exit) ??
        new StaticAssignment({ instance: 0, instances: 1, tasks: layout.tasks, exit }),
      onGivenUp: () => {
        exit(1);
      },
    });
  }

  async start(): Promise<this> {
    await this.service.start();
    return this;
  }

  kill(): void {
    this.log.kill();
  }

  get state(): string {
    return this.service
      .status()
      .tasks.map((task) => task.state)
      .join(' ');
  }

  /** The code of the last failure, or an empty text. */
  get failure(): string {
    return this.service
      .status()
      .tasks.map((task) => task.error?.split(':')[0] ?? '')
      .join(' ');
  }
}

function foldersOn(disk: MemoryDisk, { name, stores }: ServiceSpec): StateFolders {
  return { open: (partition) => Promise.resolve(disk.open(`${name}/${String(partition)}`, stores)) };
}
