/**
 * Changes the number of tasks of a stopped service. The order makes every crash in between harmless, and every process
 * that was forgotten, or comes back at the wrong moment:
 *
 *   1. Every transactional id of the layout in force is initialised: whoever still runs is fenced and ends.
 *   2. Each task is recovered, so that every partition stands at its task's last batch, and is flushed.
 *   3. Each task is closed, by a last batch that has no effect and belongs to the next layout, written under the task's
 *      own id. If somebody has taken the id since step 1, the command fails, and can be run again. From here on whoever
 *      takes it is refused, whichever task it is and however old the process.
 *   4. Once all are closed, every partition's mark moves to one number that lies above all tasks' last batches, and a
 *      snapshot is made: from those of before the new journals do not lead on. The number leaves a gap, so that no disk
 *      takes the first batch of the next layout for the one that follows its own.
 *   5. One transaction writes a first batch of that number, of the next layout, for each new task: empty, with the
 *      positions of its partitions. From its commit on the new layout is in force.
 *
 * From the first closed task to step 5 the service does not start, and the same command, also for another number, goes on
 * where it was: tasks that are closed stay as they are, so the number of step 4 is the same, and marks that have been
 * moved to it are known by it.
 */
import type { BatchRecord } from '../../../schemas/records.ts';
import { topics, type TopicId } from '../../../schemas/topics.ts';
import { CodedError, assert } from '../errors.ts';
import type { TransactionalProducer } from '../log/ports.ts';
import { keepPositions } from './batch/kept-positions.ts';
import { isClosing, newestLayout, readLastBatches, type Layout } from './layout/layout.ts';
import type { PartitionRunner } from './partition-runner.ts';
import { Positions } from './batch/positions.ts';
import type { ServiceSpec } from './ports.ts';
import { recover, type Recovered } from './recovery/recovery.ts';
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
  const found = newestLayout(await readLastBatches(ports, spec.journal, ports.codecs.BatchRecord));
  if (found === undefined) {
    throw new CodedError('tasks_invalid', `could not change the tasks of ${spec.name}: it has never run`);
  }
  if (found.tasks === tasks) return found;
  const before = isClosing(found) ? { layout: found.layout - 1, tasks: -found.tasks } : found;
  const fences = await fenceAll(options, before);
  try {
    return await move(options, before, fences);
  } finally {
    for (const fence of fences) await fence.close();
  }
}

async function move(
  options: ChangeTasksOptions,
  before: Layout,
  fences: readonly TransactionalProducer[],
): Promise<Layout> {
  const { spec, ports, tasks } = options;
  // Only now does nobody write any more, or it is noticed when the task is closed.
  const last = await readLastBatches(ports, spec.journal, ports.codecs.BatchRecord);
  const closed = [...last.values()].filter(
    (batch) => isClosing(batch) && batch.layout === before.layout + 1 && batch.task < before.tasks,
  );
  const movedTo = closed.length === before.tasks ? above(closed) : 0;
  const positions = new Positions(spec.inputs, allPartitions(options));
  const runners: PartitionRunner[] = [];
  try {
    for (const [task, producer] of fences.entries()) {
      const plan = { ...planOf(options, before, task), movedTo };
      const recovered = await recover(plan, ports, new Set());
      runners.push(...recovered.runners);
      if (recovered.expired.length > 0) throw expiredUnread(spec.name);
      for (const { topic, partition, offset } of recovered.positions.all())
        positions.set(topic, partition, offset);
      for (const { stores } of recovered.runners) stores.flush();
      if (closed.some((batch) => batch.task === task)) continue;
      const closing = closingOf(options, plan, recovered);
      await write(ports, producer, spec.journal, [closing]);
      closed.push(closing);
    }
    const base = above(closed);
    for (const { partition, stores } of runners) {
      if (stores.mark === base) continue;
      keepPositions(stores.keyed, positions, partition);
      stores.committed(base);
      stores.flush();
    }
    await snapshotAll(ports, runners);
    const after = { layout: before.layout + 1, tasks };
    const first = {
      ...after,
      service: spec.name,
      sequence: base,
      time: Math.max(...closed.map((batch) => batch.time)),
      definitions_offset: Math.max(...closed.map((batch) => batch.definitions_offset)),
      decider_version: spec.deciderVersion,
      outputs: [],
      dead_letters: [],
    };
    await writeLayout(
      options,
      Array.from({ length: tasks }, (_, task) => ({
        ...first,
        batch_id: ports.newBatchId(),
        task,
        ranges: rangesOf(positions, (partition) => partition % tasks === task),
      })),
    );
    return after;
  } finally {
    for (const { stores } of runners) stores.close();
  }
}

/** Two above: one would be the number that follows the last of some task. */
function above(closed: readonly BatchRecord[]): number {
  return Math.max(...closed.map((batch) => batch.sequence)) + 2;
}

function closingOf(
  { spec, ports }: ChangeTasksOptions,
  { task, layout, tasks }: TaskPlan,
  { sequence, time, feed, positions }: Recovered,
): BatchRecord {
  return {
    batch_id: ports.newBatchId(),
    service: spec.name,
    task,
    layout: layout + 1,
    tasks: -tasks,
    sequence: sequence + 1,
    time,
    definitions_offset: feed.view.offset,
    decider_version: spec.deciderVersion,
    ranges: rangesOf(positions, () => true),
    outputs: [],
    dead_letters: [],
  };
}

function rangesOf(positions: Positions, isOurs: (partition: number) => boolean): BatchRecord['ranges'] {
  return [...positions.all()]
    .filter(({ partition }) => isOurs(partition))
    .map(({ topic, partition, offset }) => ({
      topic: topics[topic].name,
      partition,
      from: offset,
      to: offset,
    }));
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

async function writeLayout(options: ChangeTasksOptions, batches: readonly BatchRecord[]): Promise<void> {
  const { ports, spec } = options;
  const [first] = batches;
  assert(first !== undefined, 'a layout has at least one task');
  const producer = await ports.log.transactionalProducer({
    transactionalId: transactionalIdOf(planOf(options, first, 0)),
    timeoutMs: TRANSACTION_TIMEOUT_MS,
  });
  try {
    await producer.init();
    await write(ports, producer, spec.journal, batches);
  } finally {
    await producer.close();
  }
}

async function write(
  { log, codecs }: TaskPorts,
  producer: TransactionalProducer,
  journal: TopicId,
  batches: readonly BatchRecord[],
): Promise<void> {
  const outputs = log.newOutputBuffer();
  for (const batch of batches) outputs.append(journal, batch.task, null, codecs.BatchRecord.encode(batch));
  await producer.send(outputs);
  await producer.commit();
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
