/**
 * Several partitions of the trigger with the log between them: what one writes to trigger.transfers another reads, at
 * a time that the test chooses. A partition has two inputs, each in order; how they interleave is chance.
 */
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { MergedEvent } from '../../../schemas/records.ts';
import { ProcessorHarness, given, of, type Given, type Output } from '../processor-harness.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { mergedAtOf, T0, watermark } from './trigger-scenario.ts';
import { triggerService } from '../../trigger/service.ts';

const PARTITIONS = 4;
const BATCHES_MAX = 100_000;

interface Partition {
  readonly harness: ProcessorHarness;
  readonly merged: Given[];
  readonly transfers: Given[];
  /** All that was ever on it, by offset. */
  readonly log: Given[];
}

export class World {
  readonly outputs: Output[] = [];
  readonly partitions: readonly Partition[];
  #time = T0;

  constructor(
    define: (harness: ProcessorHarness) => void = () => undefined,
    specOf: (partition: number) => ServiceSpec = () => triggerService,
  ) {
    this.partitions = Array.from({ length: PARTITIONS }, (_, partition) => {
      const harness = new ProcessorHarness(specOf(partition), { partition, partitions: PARTITIONS });
      define(harness);
      return { harness, merged: [], transfers: [], log: [] };
    });
  }

  /** Puts records at the end of events.merged, with watermarks that say that nothing received before is still to come. */
  write(...records: readonly Given[]): void {
    for (const record of records) {
      this.until(mergedAtOf(record));
      if (isOfAll(record)) for (const partition of this.partitions) this.#append(partition, record);
      else this.#append(this.#at(record.key), record);
    }
  }

  /** Nothing more was received until then. */
  until(at: number): void {
    if (at <= this.#readTo) return;
    this.#readTo = at;
    for (const partition of this.partitions) {
      for (let source = 0; source < PARTITIONS; source += 1) this.#append(partition, watermark(source, at));
    }
  }
  #readTo = 0;

  /** Feeds everything, one record a batch. `choose` picks among n ways to go on; without it, the log comes in turn. */
  run(choose: (ways: number) => number = () => 0): Output[] {
    const before = this.outputs.length;
    if (this.steps(BATCHES_MAX, choose)) throw new Error('the world does not come to rest');
    return this.outputs.slice(before);
  }

  /** All that lies on events.merged of the partition that has this person, one record a batch; the others lag. */
  runOf(person: string): void {
    const partition = this.#at(`default:${person}`);
    while (partition.merged.length > 0) this.#batch(partition, partition.merged.splice(0, 1));
  }

  /** As many batches as that, or until there is nothing to do. True when there still is. */
  steps(batchesMax: number, choose: (ways: number) => number): boolean {
    for (let batches = 0; batches < batchesMax; batches += 1) {
      const ways = this.partitions.flatMap((partition) => [
        ...(partition.merged.length > 0 ? [{ partition, from: partition.merged }] : []),
        ...(partition.transfers.length > 0 ? [{ partition, from: partition.transfers }] : []),
        ...(partition.harness.wantsBatch(0) ? [{ partition, from: [] }] : []),
      ]);
      const way = ways[choose(ways.length) % Math.max(1, ways.length)];
      if (way === undefined) return false;
      this.#batch(way.partition, way.from.splice(0, 1));
    }
    return true;
  }

  reopen(): void {
    for (const { harness } of this.partitions) harness.reopen();
  }

  get unsettled(): number {
    return this.partitions.reduce((sum, { harness }) => sum + harness.processor.status().unsettled, 0);
  }

  #batch({ harness }: Partition, records: readonly Given[]): void {
    this.#time += 1;
    const outputs = harness.batch(this.#time, ...records);
    this.outputs.push(...outputs);
    for (const { key, value, partition } of of('triggerTransfers', outputs)) {
      this.partitions[partition]?.transfers.push(given('triggerTransfers', key, value));
    }
  }

  #append({ merged, log }: Partition, record: Given): void {
    merged.push(record);
    log.push(record);
  }

  #at(key: string): Partition {
    const found = this.partitions[partitionOf(key, PARTITIONS)];
    if (found === undefined) throw new Error('no such partition');
    return found;
  }
}

/** What is said of an object by itself goes to every partition. */
function isOfAll({ topic, value }: Given): boolean {
  return topic === 'eventsMerged' && (value as MergedEvent | undefined)?.kind === 'object'; // the topic's record
}

/** Who is in the segment after these changes. */
export function membersOf(segmentId: string, outputs: readonly Output[]): string[] {
  const members = new Set<string>();
  for (const { value } of of('segmentsChanged', outputs)) {
    if (value.segment_id !== segmentId) continue;
    if (value.change === 'entered') members.add(value.person_id);
    else members.delete(value.person_id);
  }
  return [...members].sort();
}
