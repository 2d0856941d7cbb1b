/**
 * Whether a task was right to stand still instead of going live: only where nothing that it had reaches back. Judged from
 * the log and from the batches at which its partitions were opened, by rules of its own.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import type { BatchRecord } from '../../../schemas/records.ts';
import { topics, topicIds, type TopicId } from '../../../schemas/topics.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { partitionsOfTask } from '../../runtime/task/task-plan.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';

export interface RefusedTask {
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly spec: ServiceSpec;
  readonly task: number;
  readonly tasks: number;
  /** The batch at which each partition was opened; 0 for an empty folder. */
  readonly markOf: (partition: number) => number;
}

/** Codes that say so. */
export const refusals: ReadonlySet<string> = new Set(['state_lost', 'input_expired', 'journal_gap']);

/** The partitions of the task that cannot go on from where they are: what a refusal needs. */
export function notReached(refused: RefusedTask): readonly number[] {
  const { broker, codecs, spec, task, tasks, markOf } = refused;
  const kept = keptBatches(broker, codecs, spec.journal, task);
  const own = partitionsOfTask(task, tasks, broker.partitions);
  const last = kept.at(-1);
  if (last === undefined) {
    // Without a batch they go on from where they are, if that is one place.
    const newest = Math.max(...own.map(markOf));
    const isNew = newest === 0 && broker.partition(spec.journal, task).start === 0;
    return own.filter((partition) => !isNew && (newest === 0 || markOf(partition) < newest));
  }
  return own.filter((partition) => {
    let next = markOf(partition) + 1;
    for (const batch of kept) {
      if (batch.sequence < next) continue;
      if (batch.sequence > next || partition % batch.tasks !== batch.task) return true;
      if (!isThere(broker, batch, partition)) return true;
      next += 1;
    }
    return false;
  });
}

/** Committed and not yet expired. */
export function keptBatches(
  broker: MemoryBroker,
  codecs: Codecs,
  journal: TopicId,
  task: number,
): readonly BatchRecord[] {
  return broker
    .committed(journal)
    .filter(({ partition }) => partition === task)
    .map(({ record }) => codecs.BatchRecord.decode(record.value ?? Buffer.alloc(0)));
}

function isThere(broker: MemoryBroker, { ranges }: BatchRecord, partition: number): boolean {
  return ranges.every((range) => {
    if (range.partition !== partition || range.from >= range.to) return true;
    const topic = topicIds.find((id) => topics[id].name === range.topic);
    return topic !== undefined && broker.partition(topic, partition).start <= range.from;
  });
}
