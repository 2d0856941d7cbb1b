/** The batch that is being decided: what it took, what it wrote, and since when it waits for its commit. */
import type { BatchRecord } from '../../../../schemas/records.ts';
import { topics, type TopicId } from '../../../../schemas/topics.ts';
import type { InputRecord, OutputBuffer, RecordSlice } from '../../log/ports.ts';
import type { TaskClock } from './clock.ts';
import type { ShellEmitter } from './emitter.ts';
import type { PartitionRunner } from '../partition-runner.ts';
import type { BatchContext } from '../ports.ts';
import type { Positions } from './positions.ts';
import type { TaskPlan } from '../task-plan.ts';

interface Range {
  readonly topic: TopicId;
  readonly partition: number;
  readonly from: number;
  to: number;
}

export interface BatchParts {
  readonly plan: TaskPlan;
  readonly runners: readonly PartitionRunner[];
  readonly positions: Positions;
  readonly clock: TaskClock;
  readonly emitter: ShellEmitter;
  readonly outputs: OutputBuffer;
}

/** Inputs or outputs of one transaction; whichever is reached first commits it. */
export const batchBytesMax = 8 << 20;
const OUTPUT_BYTES_MAX = 16 << 20;

export class OpenBatch {
  readonly context: BatchContext;
  /** Monotonic, ms. */
  readonly openedAt: number;
  records = 0;
  bytes = 0;
  /** It took a record of a topic that somebody waits for. */
  urgentInput = false;
  /** Receive time of the last record taken, by partition, of the input that watermarks speak of. */
  readonly lastReceivedAt = new Map<number, number>();
  readonly #parts: BatchParts;
  readonly #runnerOf: readonly (PartitionRunner | undefined)[];
  readonly #urgent: ReadonlySet<TopicId>;
  readonly #slices: RecordSlice[] = [];
  readonly #ranges: Range[] = [];
  // The visitor is one function for all records; these say whose they are.
  #runner: PartitionRunner | undefined;
  #skipBelow = 0;
  #last: InputRecord | undefined;

  constructor(parts: BatchParts, context: BatchContext, openedAt: number) {
    this.#parts = parts;
    this.context = context;
    this.openedAt = openedAt;
    this.#urgent = new Set(parts.plan.spec.urgent);
    const runnerOf: (PartitionRunner | undefined)[] = [];
    for (const runner of parts.runners) runnerOf[runner.partition] = runner;
    this.#runnerOf = runnerOf;
  }

  get full(): boolean {
    return this.bytes >= batchBytesMax || this.#parts.outputs.bytes >= OUTPUT_BYTES_MAX;
  }

  get urgent(): boolean {
    return this.urgentInput || this.#parts.emitter.urgent;
  }

  take(slice: RecordSlice): void {
    const { positions, emitter } = this.#parts;
    const { topic, partition, next } = slice;
    const position = positions.next(topic, partition);
    if (next <= position) {
      slice.release(); // delivered twice
      return;
    }
    this.#runner = this.#runnerOf[partition];
    this.#skipBelow = position;
    this.#last = undefined;
    emitter.from(partition);
    const before = this.records;
    slice.forEach(this.#visit);
    positions.set(topic, partition, next);
    this.#slices.push(slice);
    if (this.records === before) return; // only markers: nothing to be replayed
    this.bytes += slice.byteLength;
    this.#addRange(topic, partition, position, next);
    if (this.#urgent.has(topic)) this.urgentInput = true;
    this.#observeTime(topic, partition);
  }

  readonly #visit = (record: InputRecord): void => {
    if (record.offset < this.#skipBelow) return;
    this.records += 1;
    this.#last = record;
    this.#runner?.onRecord(record, this.context, this.#parts.emitter);
    if (this.#parts.clock.standing) {
      this.#parts.clock.advanceTo(this.#runner?.processor.receivedAt(record) ?? 0);
    }
  };

  /** Every partition's end of batch. Nothing may be taken after it. */
  end(): void {
    const { runners, emitter } = this.#parts;
    for (const runner of runners) {
      emitter.from(runner.partition);
      runner.processor.onBatchEnd(this.context, emitter);
    }
  }

  /** Also says where the inputs stand that this batch did not touch: the last record alone tells where to go on. */
  record(batchId: string): BatchRecord {
    const { plan, positions, emitter } = this.#parts;
    const ranges = this.#ranges.map((range) => ({ ...range, topic: topics[range.topic].name }));
    const touched = new Map<string, number>();
    for (const range of ranges) touched.set(`${range.topic}/${String(range.partition)}`, range.to);
    for (const { topic, partition, offset } of positions.all()) {
      const { name } = topics[topic];
      if (touched.get(`${name}/${String(partition)}`) === offset) continue;
      ranges.push({ topic: name, partition, from: offset, to: offset });
    }
    return {
      batch_id: batchId,
      service: plan.spec.name,
      task: plan.task,
      layout: plan.layout,
      tasks: plan.tasks,
      sequence: this.context.sequence,
      time: this.context.time,
      definitions_offset: this.context.definitions.offset,
      decider_version: plan.spec.deciderVersion,
      ranges,
      outputs: emitter.takeHashes(),
    };
  }

  /** Frames may be reused; outputs that point into them have been committed. */
  release(): void {
    for (const slice of this.#slices) slice.release();
    this.#slices.length = 0;
  }

  #addRange(topic: TopicId, partition: number, from: number, to: number): void {
    const last = this.#ranges.at(-1);
    if (last?.topic === topic && last.partition === partition && last.to === from) last.to = to;
    else this.#ranges.push({ topic, partition, from, to });
  }

  /** The record object is reused, and still holds the last record of the slice. */
  #observeTime(topic: TopicId, partition: number): void {
    if (topic !== this.#parts.plan.spec.inputs[0] || this.#last === undefined) return;
    const receivedAt = this.#runner?.processor.receivedAt(this.#last);
    if (receivedAt !== undefined) this.lastReceivedAt.set(partition, receivedAt);
  }
}
