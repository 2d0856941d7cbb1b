/**
 * One service on machines that fail: its processes are killed and started again, moved to other machines while the old
 * ones still run, and lose their disks. The newest process of each place is its owner; older ones live until fenced. Tasks
 * are assigned once and for all, or by a group in which they move from one process to another.
 */
import { assert } from '../../runtime/errors.ts';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { Layout } from '../../runtime/task/layout/layout.ts';
import type { ServiceStatus } from '../../runtime/task/task-service.ts';
import { Membership } from '../toy/membership.ts';
import { noCounts } from './counts.ts';
import { DiskPool } from './disk-pool.ts';
import type { Disks } from './disks.ts';
import { Instance, type InstanceOptions, type TaskFailure } from './instance.ts';
import { notReached, refusals } from './refusal.ts';
import { expire } from './retention.ts';
import { TaskChange } from './task-change.ts';

export interface MachineOptions extends Pick<
  InstanceOptions,
  'broker' | 'spec' | 'codecs' | 'random' | 'weather'
> {
  readonly tasks: number;
  /** Of the service, as far as there are tasks for them. */
  readonly instances: number;
  /** Tasks move from one instance to another. */
  readonly grouped: boolean;
  readonly disks: Disks;
  /** Of the other services. */
  readonly others: () => readonly Machines[];
}

const RESTART_MS_MAX = 1_500;
const COME_BACK_MS_MAX = 4_000;

export class Machines {
  readonly options: MachineOptions;
  readonly #alive = new Set<Instance>();
  readonly #pool: DiskPool;
  /** The newest of each place. */
  readonly #current: Instance[] = [];
  #layout: Layout;
  #group: Membership | undefined;
  #change: TaskChange | undefined;
  readonly counts = noCounts();
  /** Nothing at all reaches back, and the service has said so. */
  lost: string | undefined;
  /** Codes of failures that need a person: there must be none. */
  readonly alarms: string[] = [];

  constructor(options: MachineOptions) {
    this.options = options;
    this.#layout = { layout: 1, tasks: options.tasks };
    this.#pool = new DiskPool(options.disks, options.random);
    this.#group = this.#newGroup();
  }

  get layout(): Layout {
    return this.#layout;
  }

  /** The stores of a partition as its owner has them. */
  stores(partition: number): PartitionStores {
    const task = partition % this.#layout.tasks;
    const owner = this.#current.find((instance) => instance.liveTasks().includes(task));
    const stores = owner?.opened.stores(partition);
    assert(stores !== undefined, `partition ${String(partition)} is live`);
    return stores;
  }

  /** Of all tasks; undefined when one of them is not live. */
  status(): Pick<ServiceStatus, 'inputs' | 'unsettled'> | undefined {
    const { tasks } = this.#layout;
    const live = new Set(this.#current.flatMap((instance) => (instance.isDead ? [] : instance.liveTasks())));
    if (live.size < tasks || this.#change !== undefined) return undefined;
    const inputs: Record<string, number[]> = {};
    let unsettled = 0;
    for (const { process } of this.#current) {
      const status = process.service.status();
      unsettled += status.unsettled;
      for (const [topic, offsets] of Object.entries(status.inputs)) {
        const handled = (inputs[topic] ??= offsets.map(() => -1));
        for (const [partition, offset] of offsets.entries()) {
          handled[partition] = Math.max(offset, handled[partition] ?? -1);
        }
      }
    }
    return { inputs, unsettled };
  }

  /** Keeps its processes running, for ever. */
  async supervise(): Promise<never> {
    const { broker, random } = this.options;
    for (;;) {
      this.#bury();
      const slot = this.#vacancy();
      if (slot !== undefined) {
        await broker.time.sleep(random.below(RESTART_MS_MAX));
        if (this.#vacancy() === slot) await this.#start(slot);
      }
      this.#balance();
      await broker.time.sleep(50);
    }
  }

  kill(): void {
    const instance = this.#anybody();
    if (instance === undefined) return;
    this.counts.kills += 1;
    instance.kill();
  }

  /** Another process takes a place while the one there is at work, on a disk that may be old or empty. */
  async takeOver(): Promise<void> {
    const { random } = this.options;
    if (this.#change !== undefined || this.lost !== undefined) return;
    this.counts.takeovers += 1;
    const slot = random.below(this.#slots);
    await this.#start(slot);
  }

  /** SIGTERM: the process ends its batch and goes, if nothing kills it before. */
  stop(): void {
    const instance = this.#anybody();
    if (instance === undefined) return;
    this.counts.stops += 1;
    void instance.process.service.stop().then(() => {
      instance.kill();
    });
  }

  /** Asks for a copy of every partition that is live. */
  snapshot(): void {
    if (this.#current.length > 0) this.counts.snapshots += 1;
    for (const { process } of this.#current) if (!process.log.dead) void process.service.snapshot();
  }

  /** Killed, and its disk is gone with it. */
  loseDisk(): void {
    const instance = this.#anybody();
    if (instance === undefined) return;
    this.counts.lostDisks += 1;
    instance.kill();
    this.#pool.loseLast(); // its own, as it was put back
  }

  /** A task goes to another process: given back at rest, or by one that does not hear of it. */
  moveTask(): void {
    const { random } = this.options;
    const to = this.#anybody()?.member;
    if (this.#group === undefined || to === undefined || this.#change !== undefined) return;
    this.counts.moves += 1;
    const task = random.below(this.#layout.tasks);
    if (random.chance(0.5)) void this.#group.move(task, to);
    else this.#group.seize(task, to);
  }

  /** Retention takes from its journal and inputs what its snapshots do not need. */
  expire(): void {
    const { broker, codecs, disks, spec } = this.options;
    this.#bury(); // whoever has refused is judged by what was there
    const others = this.options.others().map(({ options, layout }) => ({ spec: options.spec, layout }));
    const own = { spec, layout: this.#layout };
    if (expire({ broker, codecs, shelf: disks.shelf }, own, others) > 0) this.counts.expiries += 1;
  }

  /** A snapshot that a lost folder would start from is gone, or damaged. */
  spoilSnapshot(): void {
    const { random, disks, broker, spec } = this.options;
    const [newest] = disks.shelf.of(spec.name, random.below(broker.partitions));
    if (newest === undefined) return;
    this.counts.spoiledSnapshots += 1;
    if (random.chance(0.5)) disks.shelf.lose(newest);
    else disks.shelf.damage(newest);
  }

  /** The operator stops the service, or believes so, changes the number of its tasks, and starts it again. */
  async changeTasks(): Promise<void> {
    const { random, broker } = this.options;
    if (this.#change !== undefined || this.lost !== undefined || this.#current.length === 0) return;
    const tasks = 1 + random.below(broker.partitions);
    this.#change = new TaskChange({
      ...this.options,
      tasks,
      pool: this.#pool,
      killAll: () => {
        this.#killAll();
      },
      before: this.#layout,
    });
    for (const instance of this.#current) {
      const how = random.next();
      if (how < 0.4)
        void instance.process.service.stop().then(() => {
          instance.kill();
        });
      else if (how < 0.8) instance.kill();
      // Else it was forgotten, and is fenced.
      instance.member?.leaveOut();
    }
    this.#current.length = 0;
    void this.#comeBack();
    const layout = await this.#change.run();
    this.counts.refusals += this.#change.refusals;
    this.lost = this.#change.lost;
    this.alarms.push(...this.#change.alarms);
    this.#change = undefined;
    if (layout === undefined) return;
    this.counts.taskChanges += 1;
    this.#layout = layout;
    this.#group = this.#newGroup();
  }

  get #slots(): number {
    return Math.min(this.options.instances, this.#layout.tasks);
  }

  #newGroup(): Membership | undefined {
    return this.options.grouped ? new Membership(this.options.broker.time) : undefined;
  }

  /** A place whose process is gone. */
  #vacancy(): number | undefined {
    if (this.#change !== undefined || this.lost !== undefined) return undefined;
    for (let slot = 0; slot < this.#slots; slot += 1) {
      if (this.#current[slot]?.isDead !== false) return slot;
    }
    return undefined;
  }

  #anybody(): Instance | undefined {
    const instance = this.options.random.pick(this.#current);
    return instance?.isDead === false ? instance : undefined;
  }

  /** Tasks that nobody has go to somebody. */
  #balance(): void {
    if (this.#group === undefined || this.#change !== undefined) return;
    for (const instance of this.#current) if (instance.isDead) instance.member?.leaveOut();
    for (let task = 0; task < this.#layout.tasks; task += 1) {
      const to = this.#group.isMoving || this.#group.owner(task) !== undefined ? undefined : this.#anybody();
      if (to?.member !== undefined) void this.#group.move(task, to.member);
    }
  }

  async #start(slot: number): Promise<void> {
    const instance = this.#newInstance(slot, this.#group);
    this.#current[slot]?.member?.leaveOut(); // dead, or taken for it
    this.#current[slot] = instance;
    await instance.process.start();
  }

  /** A process that nobody thought of comes back in the middle of the change, or after it, with all the tasks of before. */
  async #comeBack(): Promise<void> {
    const { random, broker } = this.options;
    if (!random.chance(0.5)) return;
    const forgotten = this.#newInstance(0, undefined, 1);
    await broker.time.sleep(random.below(COME_BACK_MS_MAX));
    await forgotten.process.start();
  }

  #newInstance(slot: number, group: Membership | undefined, slots = this.#slots): Instance {
    const disk = this.#pool.take();
    const instance = new Instance({
      ...this.options,
      disk,
      slot,
      slots,
      layout: this.#layout,
      group,
      onDeath: () => {
        this.#pool.giveBack(disk, instance.takenAway);
      },
    });
    this.#alive.add(instance);
    return instance;
  }

  /** What needs a person: one that finds nothing that reaches back takes another disk; all else is a fault. */
  #bury(): void {
    for (const instance of this.#alive) {
      const [failure] = instance.isDead ? [] : instance.failures();
      // Left over from before the number of tasks was changed; whatever stops it is welcome.
      const isLeftOver = this.#change !== undefined || instance.layout.layout < this.#layout.layout;
      if (failure !== undefined && isLeftOver) instance.kill();
      else if (failure !== undefined) this.#judge(instance, failure);
      if (instance.isDead) this.#alive.delete(instance);
    }
  }

  /** What one lacks may be on the disk of another. */
  #killAll(last?: Instance): void {
    for (const instance of this.#alive) if (instance !== last) instance.kill();
    last?.kill();
  }

  #judge(instance: Instance, { task, code }: TaskFailure): void {
    const { opened, layout } = instance;
    const partitions = notReached({ ...this.options, task, tasks: layout.tasks, markOf: opened.markOf });
    if (!refusals.has(code)) this.alarms.push(code);
    else if (partitions.length === 0) this.alarms.push(`${code}, though everything reaches back`);
    else {
      this.counts.refusals += 1;
      instance.takenAway = partitions.map((partition) => opened.folderOf(partition));
      this.#killAll(instance);
      if (!this.#pool.mendLast(instance.takenAway, opened.hadFolder)) this.lost = code;
    }
    instance.kill();
  }
}
