/** One process of a service on a disk: all tasks that an assignment gives it. */
import type { Codecs } from '../../../schemas/codec.ts';
import { StaticAssignment, type Assignment } from '../../runtime/task/layout/assignment.ts';
import type { Layout } from '../../runtime/task/layout/layout.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { Member, Membership } from '../toy/membership.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import { TaskProcess } from '../toy/task-process.ts';
import { badLuck, type Weather } from './bad-luck.ts';
import type { Disk, StateFolder } from './disks.ts';
import { OpenedPartitions } from './opened-partitions.ts';
import type { Random } from '../random.ts';

export interface InstanceOptions {
  readonly broker: MemoryBroker;
  readonly spec: ServiceSpec;
  readonly codecs: Codecs;
  readonly random: Random;
  readonly weather: Weather;
  readonly layout: Layout;
  readonly disk: Disk;
  /** Its place among the instances of the service. */
  readonly slot: number;
  readonly slots: number;
  /** Undefined: tasks are assigned once and for all. */
  readonly group: Membership | undefined;
  readonly onDeath: () => void;
}

export interface TaskFailure {
  readonly task: number;
  readonly code: string;
}

export class Instance {
  readonly process: TaskProcess;
  readonly slot: number;
  readonly layout: Layout;
  readonly disk: Disk;
  readonly opened: OpenedPartitions;
  /** By a person, when it is dead, since they do not reach back. */
  takenAway: readonly StateFolder[] = [];
  /** Of a group. */
  member: Member | undefined;

  constructor(options: InstanceOptions) {
    const { disk, spec, random, weather, slot, slots, group, layout, ...parts } = options;
    this.slot = slot;
    this.layout = layout;
    this.disk = disk;
    this.opened = new OpenedPartitions(disk, spec);
    this.process = new TaskProcess({
      ...parts,
      spec,
      layout,
      stores: this.opened.folders,
      ...badLuck(random, weather),
      twice: () => !weather.calm && random.chance(0.05),
      newBatchId: () => String(random.below(1_000_000_000)),
      assignment: (exit): Assignment => {
        if (group !== undefined) return (this.member = group.join(exit));
        return new StaticAssignment({ instance: slot, instances: slots, tasks: layout.tasks, exit });
      },
    });
  }

  get isDead(): boolean {
    return this.process.log.dead;
  }

  kill(): void {
    this.process.kill();
  }

  /** Its tasks that stand still, and why. */
  failures(): readonly TaskFailure[] {
    const { tasks } = this.process.service.status();
    return tasks
      .filter(({ state }) => state === 'failed')
      .map(({ task, error = '' }) => ({ task, code: error.split(':')[0] ?? '' }));
  }

  /** Which of its tasks is live. */
  liveTasks(): readonly number[] {
    const { tasks } = this.process.service.status();
    return tasks.filter(({ state }) => state === 'live').map(({ task }) => task);
  }
}
