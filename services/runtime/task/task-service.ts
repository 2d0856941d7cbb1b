/** The tasks of one service in one process, over ports: what run-service wires to the real parts. */
import { topicIds, topics, type TopicId } from '../../../schemas/topics.ts';
import { CodedError, assert } from '../errors.ts';
import type { Log } from '../log/ports.ts';
import type { PartHealth } from '../status-server.ts';
import type { Assignment } from './layout/assignment.ts';
import type { DeadLettersMax } from './batch/failed-records.ts';
import type { Layout } from './layout/layout.ts';
import type { ServiceSpec } from './ports.ts';
import { sumOf, type Laps } from './stopwatch.ts';
import { Task } from './task.ts';
import { partitionsOfTask, type TaskPorts } from './task-plan.ts';

export interface TaskServiceOptions {
  readonly spec: ServiceSpec;
  readonly layout: Layout;
  readonly partitions: number;
  readonly standingClock: boolean;
  readonly deadLetters?: DeadLettersMax;
  readonly ports: TaskPorts;
  readonly assignment: Assignment;
  /** A task gave up after too many errors; the process should end, so that its supervisor starts it anew. */
  readonly onGivenUp: () => void;
  /** Where the time of the process went before. */
  readonly startLaps?: Laps;
}

export interface ServiceStatus {
  readonly service: string;
  /** Everything due at this time has been committed; the lowest of the tasks. */
  readonly time: number;
  readonly definitions_offset: number;
  /** Tasks of the service in the whole installation; `tasks` are those of this process. */
  readonly tasks_in_all: number;
  /** Next offset, handled and committed, by topic and partition; -1 where the partition is not live here. */
  readonly inputs: Readonly<Partial<Record<TopicId, readonly number[]>>>;
  readonly unsettled: number;
  /** Everything received before this has been handled; timers up to it have fired. Absent where time plays no part. */
  readonly watermark?: number;
  readonly tasks: readonly {
    readonly task: number;
    readonly state: string;
    readonly sequence: number;
    /** One past the last definition that is in force for every input which is taken from now on. */
    readonly definitions_offset: number;
    readonly error?: string;
    /** Milliseconds from fencing until it was live, and of which. */
    readonly went_live?: { readonly ms: number; readonly of_which: Laps };
  }[];
  /** Milliseconds from the start of the process until its tasks could begin, and of which. */
  readonly started?: { readonly ms: number; readonly of_which: Laps };
  readonly gauges: Readonly<Record<string, number>>;
}

export class TaskService {
  readonly #options: TaskServiceOptions;
  readonly #tasks = new Map<number, Task>();
  /** Tasks that have been given back and are still at their last batch. */
  readonly #leaving = new Map<number, Promise<unknown>>();

  constructor(options: TaskServiceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { assignment } = this.#options;
    await assignment.start({
      gained: (task) => {
        this.#gain(task);
      },
      lost: (task) => this.#lose(task),
    });
  }

  /** Every task finishes its batch, commits and flushes. */
  async stop(): Promise<void> {
    await this.#options.assignment.stop();
    await Promise.all([...this.#tasks.values()].map((task) => task.stop()));
    await Promise.all(this.#leaving.values());
  }

  /** A snapshot of every live partition, now. */
  async snapshot(): Promise<void> {
    const schedules = [...this.#tasks.values()].flatMap(({ loop }) => loop?.snapshots ?? []);
    await Promise.all(schedules.map((schedule) => schedule.ask()));
  }

  ready(): Readonly<Record<string, PartHealth>> {
    const parts: Record<string, PartHealth> = {};
    for (const [number, task] of this.#tasks) {
      const unread = task.loop?.failingReads.detail;
      const failure = task.failure === undefined ? unread : describe(task.failure);
      const detail = failure === undefined ? task.state : `${task.state}: ${failure}`;
      parts[`task ${String(number)}`] = { ok: task.state === 'live' && unread === undefined, detail };
    }
    return parts;
  }

  status(): ServiceStatus {
    const { spec, layout, partitions, startLaps } = this.#options;
    const inputs: Partial<Record<TopicId, number[]>> = {};
    for (const topic of spec.inputs) inputs[topic] = new Array<number>(partitions).fill(-1);
    const gauges: Record<string, number> = {};
    let unsettled = 0;
    const progress = [];
    for (const task of this.#tasks.values()) {
      const { loop } = task;
      progress.push({
        task: task.plan.task,
        state: task.state,
        sequence: loop?.progress.sequence ?? 0,
        definitions_offset: loop?.progress.definitionsOffset ?? 0,
        ...(task.failure !== undefined && { error: describe(task.failure) }),
        ...(task.laps !== undefined && { went_live: { ms: sumOf(task.laps), of_which: task.laps } }),
      });
      if (loop === undefined) {
        unsettled += 1;
        continue;
      }
      for (const { topic, partition, offset } of loop.handled) {
        const offsets = inputs[topic];
        if (offsets !== undefined) offsets[partition] = offset;
      }
      for (const [name, value] of Object.entries(loop.gauges)) gauges[name] = (gauges[name] ?? 0) + value;
      unsettled += loop.gauges.unsettled ?? 0;
    }
    const loops = [...this.#tasks.values()].map((task) => task.loop?.progress);
    const watermarks = [...this.#tasks.values()].flatMap(({ loop }) => loop?.watermark ?? []);
    return {
      service: spec.name,
      time: Math.min(...loops.map((loop) => loop?.time ?? 0)),
      definitions_offset: Math.min(...loops.map((loop) => loop?.definitionsOffset ?? 0)),
      tasks_in_all: layout.tasks,
      inputs,
      unsettled,
      ...(watermarks.length > 0 && { watermark: Math.min(...watermarks) }),
      tasks: progress,
      ...(startLaps !== undefined && { started: { ms: sumOf(startLaps), of_which: startLaps } }),
      gauges,
    };
  }

  #gain(number: number): void {
    const { spec, layout, partitions, standingClock, deadLetters, ports, assignment, onGivenUp } =
      this.#options;
    const plan = {
      spec,
      task: number,
      layout: layout.layout,
      tasks: layout.tasks,
      partitions,
      own: partitionsOfTask(number, layout.tasks, partitions),
      standingClock,
      ...(deadLetters && { deadLetters }),
    };
    const task = new Task(plan, ports, {
      onFenced: (fenced) => {
        assignment.fenced(fenced);
      },
      onGivenUp,
    });
    assert(!this.#tasks.has(number), `task ${String(number)} is gained once`);
    this.#tasks.set(number, task);
    const leaving = this.#leaving.get(number);
    if (leaving === undefined) task.start();
    else
      void leaving.then(() => {
        task.start();
      });
  }

  /** It may come back before it has stopped; then it waits for that, since two must not open one folder. */
  async #lose(number: number): Promise<void> {
    const task = this.#tasks.get(number);
    this.#tasks.delete(number);
    const before = this.#leaving.get(number);
    const stopped = Promise.all([before, task?.stop()]);
    this.#leaving.set(number, stopped);
    await stopped;
    if (this.#leaving.get(number) === stopped) this.#leaving.delete(number);
  }
}

/** @throws CodedError `partitions_differ`: co-partitioned topics must agree, or keys would meet in the wrong places. */
export async function assertPartitions(log: Log, partitions: number): Promise<void> {
  for (const topic of topicIds) {
    if (topics[topic].partitions !== 'lanes') continue;
    const found = await log.admin.partitionsOf(topic);
    if (found === partitions) continue;
    throw new CodedError(
      'partitions_differ',
      `could not start: ${topics[topic].name} has ${String(found)} partitions, not ${String(partitions)}`,
    );
  }
}

function describe(failure: unknown): string {
  if (failure instanceof CodedError) return `${failure.code}: ${failure.message}`;
  return failure instanceof Error ? failure.message : String(failure);
}
