/**
 * Changes the number of tasks of a stopped service. The order makes every crash in between harmless:
 *
 *   1. Every transactional id of the layout in force is initialised. A process that still runs is fenced and ends; one
 *      that starts again is refused from step 4 on, and until then fences this command, which then fails.
 *   2. Each task is recovered, so that every partition stands at its task's last batch, and is flushed.
 *   3. Every partition's mark moves to one number that lies above all tasks' last batches, and a snapshot is made: from
 *      those of before the new journals do not lead on.
 *   4. One transaction writes a first batch of that number, of the next layout, for each new task: empty, with the
 *      positions of its partitions. From its commit on the new layout is in force.
 *
 * After a crash between 3 and 4 some marks lie above their journal; the same command computes the same number, takes
 * them as moved, and goes on. A start of the service instead is refused (`state_ahead`).
 */
import type { BatchRecord } from '../../../schemas/records.ts';
import { topics } from '../../../schemas/topics.ts';
import { CodedError, assert } from '../errors.ts';
import type { TransactionalProducer } from '../log/ports.ts';
import { keepPositions } from './kept-positions.ts';
import { readLastBatches, type Layout } from './layout.ts';
import type { PartitionRunner } from './partition-runner.ts';
import { Positions } from './positions.ts';
import type { ServiceSpec } from './ports.ts';
import { recover } from './recovery.ts';
import { transactionalIdOf } from './task.ts';
import { partitionsOfTask, type TaskPlan, type TaskPorts } from './task-plan.ts';

export interface ChangeTasksOptions {
  readonly spec: ServiceSpec;
  readonly partitions: number;
  /** Of the new layout. */
  readonly tasks: number;
  readonly ports: TaskPorts;
}

const TRANSACTION_TIMEOUT_MS = 30_000;

/** @throws CodedError `tasks_invalid`, or what recovery throws. */
export async function changeTasks(options: ChangeTasksOptions): Promise<Layout> {
  const { spec, partitions, tasks, ports } = options;
  if (tasks < 1 || tasks > partitions) {
    throw new CodedError(
      'tasks_invalid',
      `could not give ${spec.name} ${String(tasks)} tasks: it has ${String(partitions)} partitions`,
    );
  }
  const before = inForce(await readLastBatches(ports, spec.journal, ports.codecs.BatchRecord));
  if (before === undefined) {
    throw new CodedError('tasks_invalid', `could not change the tasks of ${spec.name}: it has never run`, {
      hint: 'Set HINDSIGHT_TASKS and start it.',
    });
  }
  if (before.tasks === tasks) return before;
  const fences = await fenceAll(options, before);
  try {
    return await move(options, before);
  } finally {
    for (const fence of fences) await fence.close();
  }
}

async function move(options: ChangeTasksOptions, before: Layout): Promise<Layout> {
  const { spec, ports, tasks } = options;
  // Only now does nobody write any more.
  const last = await readLastBatches(ports, spec.journal, ports.codecs.BatchRecord);
  const ends = [...last.values()].filter((batch) => batch.layout === before.layout);
  const base = Math.max(...ends.map((batch) => batch.sequence)) + 1;
  const positions = new Positions(spec.inputs, allPartitions(options));
  const recovered: PartitionRunner[] = [];
  try {
    for (let task = 0; task < before.tasks; task += 1) {
      const plan = planOf(options, before, task);
      const {
        runners,
        positions: reached,
        expired,
      } = await recover({ ...plan, movedTo: base }, ports, new Set());
      recovered.push(...runners);
      if (expired.length > 0) throw expiredUnread(spec.name);
      for (const { topic, partition, offset } of reached.all()) positions.set(topic, partition, offset);
      for (const { stores } of runners) stores.flush();
    }
    for (const { partition, stores } of recovered) {
      if (stores.mark === base) continue;
      keepPositions(stores.keyed, positions, partition);
      stores.committed(base);
      stores.flush();
    }
    await snapshotAll(ports, recovered);
    const after = { layout: before.layout + 1, tasks };
    const time = Math.max(...ends.map((batch) => batch.time));
    const definitionsOffset = Math.max(...ends.map((batch) => batch.definitions_offset));
    await writeLayout(options, after, (task) => ({
      batch_id: ports.newBatchId(),
      service: spec.name,
      task,
      ...after,
      sequence: base,
      time,
      definitions_offset: definitionsOffset,
      decider_version: spec.deciderVersion,
      ranges: [...positions.all()]
        .filter(({ partition }) => partition % tasks === task)
        .map(({ topic, partition, offset }) => ({
          topic: topics[topic].name,
          partition,
          from: offset,
          to: offset,
        })),
      outputs: [],
    }));
    return after;
  } finally {
    for (const { stores } of recovered) stores.close();
  }
}

async function fenceAll(options: ChangeTasksOptions, before: Layout): Promise<TransactionalProducer[]> {
  const fences: TransactionalProducer[] = [];
  for (let task = 0; task < before.tasks; task += 1) {
    const producer = await options.ports.log.transactionalProducer({
      transactionalId: transactionalIdOf(planOf(options, before, task)),
      timeoutMs: TRANSACTION_TIMEOUT_MS,
    });
    await producer.init();
    fences.push(producer);
  }
  return fences;
}

async function writeLayout(
  options: ChangeTasksOptions,
  after: Layout,
  recordOf: (task: number) => BatchRecord,
): Promise<void> {
  const { ports, spec } = options;
  const producer = await ports.log.transactionalProducer({
    transactionalId: transactionalIdOf(planOf(options, after, 0)),
    timeoutMs: TRANSACTION_TIMEOUT_MS,
  });
  try {
    await producer.init();
    const outputs = ports.log.newOutputBuffer();
    for (let task = 0; task < after.tasks; task += 1) {
      outputs.append(spec.journal, task, null, ports.codecs.BatchRecord.encode(recordOf(task)));
    }
    await producer.send(outputs);
    await producer.commit();
  } finally {
    await producer.close();
  }
}

async function snapshotAll(
  { stores: folders }: TaskPorts,
  runners: readonly PartitionRunner[],
): Promise<void> {
  for (const { partition, stores } of runners) await folders.snapshots?.keep(partition, stores);
}

function expiredUnread(service: string): CodedError {
  return new CodedError(
    'input_expired',
    `could not change the tasks of ${service}: records have expired on the log before they were read`,
    { hint: 'Start it once as it is, so that it says in events.dropped which, then stop it and try again.' },
  );
}

function planOf({ spec, partitions }: ChangeTasksOptions, { layout, tasks }: Layout, task: number): TaskPlan {
  const own = partitionsOfTask(task, tasks, partitions);
  return { spec, task, layout, tasks, partitions, own, standingClock: false };
}

function allPartitions({ partitions }: ChangeTasksOptions): number[] {
  return partitionsOfTask(0, 1, partitions);
}

function inForce(last: ReadonlyMap<number, BatchRecord>): Layout | undefined {
  let newest: BatchRecord | undefined;
  for (const batch of last.values()) if (newest === undefined || batch.layout > newest.layout) newest = batch;
  if (newest === undefined) return undefined;
  assert(newest.tasks >= 1, 'a layout has at least one task');
  return { layout: newest.layout, tasks: newest.tasks };
}
