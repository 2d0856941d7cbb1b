/** The batch that is being decided: what it took, what it wrote, and since when it waits for its commit. */
import type { BatchRecord } from '../../../../schemas/records.ts';
import { topics, type TopicId } from '../../../../schemas/topics.ts';
import type { InputRecord, OutputBuffer, Position, RecordSlice } from '../../log/ports.ts';
import type { TaskClock } from './clock.ts';
import type { ShellEmitter } from './emitter.ts';
import type { FailedRecords } from './failed-records.ts';
import type { PartitionRunner } from '../partition-runner.ts';
import type { BatchContext } from '../ports.ts';
import type { Positions } from './positions.ts';
import type { TaskPlan } from '../task-plan.ts';
import type { Turns } from './turns.ts';

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
  readonly failed: FailedRecords;
  readonly turns: Turns;
}

/** Inputs or outputs of one transaction; whichever is reached first commits it. */
export const batchBytesMax = 8 << 20;
const OUTPUT_BYTES_MAX = 16 << 20;
/** Changes of one partition's store: what is flushed is written as one, and meanwhile nobody else has a turn. */
export const batchChangesMax = 10_000;
/** Records put aside in one batch: each of them has it run again, and the journal names them all. */
const failuresMax = 100;

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
  /** Of the batch's start, and the open one's slices in the order taken: what it takes to run it again. */
  readonly #began: readonly Position[];
  readonly #ranges: Range[] = [];
  // The visitor is one function for all records; these say whose they are.
  #runner: PartitionRunner | undefined;
  #skipBelow = 0;
  #last: InputRecord | undefined;
  /** The first record that there was no room for, or no time in this turn. */
  #cutAt = Infinity;
  #isTurnOver = false;

  constructor(parts: BatchParts, context: BatchContext, openedAt: number) {
    this.#parts = parts;
    this.context = context;
    this.openedAt = openedAt;
    this.#urgent = new Set(parts.plan.spec.urgent);
    const runnerOf: (PartitionRunner | undefined)[] = [];
    for (const runner of parts.runners) runnerOf[runner.partition] = runner;
    this.#runnerOf = runnerOf;
    this.#began = [...parts.positions.all()];
  }

  get full(): boolean {
    return this.bytes >= batchBytesMax || !this.#hasRoom;
  }
  get #hasRoom(): boolean {
    const { outputs, failed } = this.#parts;
    return (
      outputs.bytes < OUTPUT_BYTES_MAX &&
      (this.#runner?.stores.openChanges ?? 0) < batchChangesMax &&
      (failed.size === 0 || this.letters < failuresMax)
    );
  }
  /** Records put aside, undecodable ones included. */
  get letters(): number {
    return this.#parts.runners.reduce((sum, runner) => sum + runner.openLetters, 0);
  }

  /** Of those, the ones that no workspace answers for. */
  get unownedLetters(): number {
    return this.#parts.runners.reduce((sum, runner) => sum + runner.unownedLetters, 0);
  }

  get urgent(): boolean {
    return this.urgentInput || this.#parts.emitter.urgent;
  }

  /**
   * False when not all of it was taken. Either there was no room: then it is full, and the rest and all that follows are the
   * next batch's. Or the turn was over: then it goes on with the rest.
   */
  take(slice: RecordSlice): boolean {
    if (!this.#hasRoom) return false;
    const { positions, emitter } = this.#parts;
    const { topic, partition, next } = slice;
    const position = positions.next(topic, partition);
    if (next <= position) {
      slice.release(); // delivered twice
      return true;
    }
    this.#runner = this.#runnerOf[partition];
    this.#skipBelow = position;
    this.#last = undefined;
    emitter.from(partition);
    const before = this.records;
    const to = this.#visitAll(slice);
    positions.set(topic, partition, to);
    if (to === next) this.#slices.push(slice);
    if (this.records > before) {
      if (to === next) this.bytes += slice.byteLength;
      this.#addRange(topic, partition, position, to);
      if (this.#urgent.has(topic)) this.urgentInput = true;
      this.#observeTime(topic, partition);
    } // else only markers: nothing to be replayed
    return to === next;
  }

  /**
   * A record failed: all of the batch is taken back, so that it can be run again without it. The slices are given back
   * unread, in their order. Undefined when a partition's stores have to be opened again for that.
   */
  takeBack(): RecordSlice[] | undefined {
    const { runners, positions, emitter, outputs } = this.#parts;
    const canAll = runners.every(({ stores }) => stores.takeBack !== undefined);
    if (!canAll) return undefined;
    for (const runner of runners) runner.takeBack();
    outputs.clear();
    emitter.takeBack();
    positions.takeBackTo(this.#began);
    return this.#slices.splice(0);
  }

  /** Returns where it stopped. */
  #visitAll(slice: RecordSlice): number {
    this.#cutAt = Infinity;
    this.#isTurnOver = false;
    slice.forEach(this.#visit);
    return Math.min(this.#cutAt, slice.next);
  }

  readonly #visit = (record: InputRecord): void => {
    if (record.offset < this.#skipBelow || this.#cutAt !== Infinity) return;
    if (this.#isTurnOver || !this.#hasRoom) {
      this.#cutAt = record.offset;
      return;
    }
    this.records += 1;
    this.#last = record;
    this.#runner?.onRecord(record, this.context, this.#parts.emitter);
    this.#isTurnOver = this.#parts.turns.isOver; // not before it: each turn gets on
    if (this.#parts.clock.standing) {
      this.#parts.clock.advanceTo(this.#runner?.processor.receivedAt(record) ?? 0);
    }
  };

  /** Every partition's end of batch, in turns. Nothing may be taken after it has begun. */
  async end(): Promise<void> {
    const { runners, emitter, turns } = this.#parts;
    for (const runner of runners) {
      emitter.from(runner.partition);
      await turns.through(runner.ending(this.context, emitter));
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
      dead_letters: this.#parts.runners.flatMap((runner) => runner.openFailures),
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
