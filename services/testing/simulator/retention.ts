/**
 * What retention takes: as in an installation whose logs are kept for longer than the time between two snapshots, it is
 * what lies before the snapshots that would be used now, and never what somebody has yet to read. Older disks, and
 * snapshots that turn out to be damaged later, then do not reach back.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import type { BatchRecord } from '../../../schemas/records.ts';
import { topicIds, topics, type TopicId } from '../../../schemas/topics.ts';
import { SINK_GROUP } from '../../sink/sink.ts';
import type { Layout } from '../../runtime/task/layout/layout.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { partitionsOfTask } from '../../runtime/task/task-plan.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import type { Shelf } from './disks.ts';
import { keptBatches } from './refusal.ts';
import { sinkTopics } from '../../sink/tables.ts';

export interface Retention {
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly shelf: Shelf;
}

/** A service as retention knows it. */
export interface Reader {
  readonly spec: ServiceSpec;
  readonly layout: Layout;
}

/**
 * Of a service's journal and inputs. Returns how many partitions of theirs it took something from.
 * @param others services, some of which have inputs in common with it.
 */
export function expire(retention: Retention, { spec, layout }: Reader, others: readonly Reader[]): number {
  const { broker, codecs, shelf } = retention;
  let taken = 0;
  const expireBelow = (topic: TopicId, partition: number, offset: number): void => {
    if (offset <= broker.partition(topic, partition).start) return;
    broker.expire(topic, partition, offset);
    taken += 1;
  };
  for (let task = 0; task < layout.tasks; task += 1) {
    const own = partitionsOfTask(task, layout.tasks, broker.partitions);
    const marks = own.map(
      (partition) => shelf.of(spec.name, partition).find(({ damaged }) => !damaged)?.mark ?? 0,
    );
    const batches = keptBatches(broker, codecs, spec.journal, task);
    for (const [index, partition] of own.entries()) {
      const mark = marks[index] ?? 0;
      if (mark === 0) continue;
      for (const [topic, offset] of positionsAt(mark, batches, partition)) {
        const needed = others.map((other) => neededBy(retention, other, topic, partition));
        expireBelow(topic, partition, Math.min(offset, sunk(broker, topic, partition), ...needed));
      }
    }
    const oldest = Math.min(...marks);
    const [last] = batches.slice(-1);
    if (last === undefined || oldest === 0) continue;
    // A task that is idle writes an empty batch a day, so the last one is always there.
    const kept = broker
      .committed(spec.journal)
      .filter(({ partition }) => partition === task)
      .find(({ record }) => {
        const { sequence } = codecs.BatchRecord.decode(record.value ?? Buffer.alloc(0));
        return sequence > oldest || sequence === last.sequence;
      });
    if (kept !== undefined) expireBelow(spec.journal, task, kept.record.offset);
  }
  return taken;
}

/** From where on a service would read a topic, if it started from its snapshot. */
function neededBy(
  { broker, codecs, shelf }: Retention,
  { spec, layout }: Reader,
  topic: TopicId,
  partition: number,
): number {
  if (!spec.inputs.includes(topic)) return Infinity;
  const mark = shelf.of(spec.name, partition).find(({ damaged }) => !damaged)?.mark ?? 0;
  if (mark === 0) return 0;
  const batches = keptBatches(broker, codecs, spec.journal, partition % layout.tasks);
  return positionsAt(mark, batches, partition).get(topic) ?? 0;
}

/** Where a partition's inputs stood after this batch: where the next one began, else where the last has ended. */
function positionsAt(
  mark: number,
  batches: readonly BatchRecord[],
  partition: number,
): ReadonlyMap<TopicId, number> {
  const next = batches.find(({ sequence }) => sequence > mark);
  const positions = new Map<TopicId, number>();
  for (const range of (next ?? batches.at(-1))?.ranges ?? []) {
    const topic = topicIds.find((id) => topics[id].name === range.topic);
    if (topic === undefined || range.partition !== partition) continue;
    if (next === undefined) positions.set(topic, range.to);
    else positions.set(topic, Math.min(range.from, positions.get(topic) ?? Infinity));
  }
  return positions;
}

/** How far the sink is for certain. */
function sunk(broker: MemoryBroker, topic: TopicId, partition: number): number {
  if (!sinkTopics.includes(topic)) return Infinity;
  return broker.groupOffset(SINK_GROUP, topic, partition)?.offset ?? 0;
}
