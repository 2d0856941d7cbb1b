/**
 * The sink: every topic to its table, each record once. One task's loop:
 *
 *   gather ──due, and the batch before is in──▶ commit {what is done, intent of this batch} ──▶ settle ──▶ done
 *
 * While a batch settles, the next one is gathered; a full one waits, the reader's buffer fills, and nothing more is
 * fetched: that is all the memory there is while ClickHouse is away. Any error of the log ends the run; the next one
 * starts from the commits (start.ts).
 */
import { randomUUID } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { CodedError } from '../runtime/errors.ts';
import { FailingReads } from '../runtime/log/reading/failing-reads.ts';
import type { Log, LogReader, OutputBuffer, TransactionalProducer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemTime, type TimePort } from '../runtime/time.ts';
import { Batch } from './batch.ts';
import { writeUndecodable } from './dead-letters.ts';
import { positionsOf, type Intent, type Range } from './ranges.ts';
import { settle, type SettleGauges } from './settle.ts';
import { addLearning, findStart } from './start.ts';
import type { Target } from './target.ts';

export interface SinkOptions {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly learn: (schemaId: number) => Promise<void>;
  readonly target: Target;
  readonly logger: Logger;
  /** The simulator's, or the system's. */
  readonly time?: TimePort;
  /** This task takes the partitions whose number modulo tasks is task. */
  readonly task: number;
  readonly tasks: number;
  /** Consumer group whose offsets say how far it is. */
  readonly group?: string;
  /** Stop reading, end the batch, commit. */
  readonly stopSignal: AbortSignal;
  /** Give up at once. */
  readonly abortSignal: AbortSignal;
}

/** How long rows wait for others. Acknowledged to visible is this, a commit, an insert, and the batch before. */
const LINGER_MS = 200;
/** When nothing is under way and nothing was for a while, a first row waits less. */
const LINGER_IDLE_MS = 40;
const COMMIT_IDLE_MS = 1_000;
const WAIT_MS_MAX = 500;
const TAKE_BYTES_MAX = 4 * 1024 * 1024;
const READER = { bufferBytesMax: 48 * 1024 * 1024, fetchBytesMax: 4 * 1024 * 1024, waitMsMax: 500 } as const;
/** A transaction of the sink holds offsets only and is over in milliseconds. */
const TRANSACTION_MS_MAX = 30_000;
/** The group whose offsets carry the intents. It keeps its first name: what an older sink began is ended by what lies there. */
export const SINK_GROUP = 'clickhouse';

export class Sink {
  readonly gauges: SettleGauges & { rows: number; batches: number; commits: number } = {
    inserts: 0,
    insertErrors: 0,
    rowsMended: 0,
    failingSince: undefined,
    rows: 0,
    batches: 0,
    commits: 0,
  };
  readonly #options: SinkOptions;
  /** One past the last offset that is in ClickHouse. */
  readonly #written = new Map<TopicId, number[]>();
  readonly #group: string;
  readonly #time: TimePort;
  #running = false;
  #reads: FailingReads | undefined;
  #lastRowsAt = 0;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#group = options.group ?? SINK_GROUP;
    this.#time = options.time ?? systemTime;
  }

  /** Reading and writing: false until the start is found, and after the end. */
  get isRunning(): boolean {
    return this.#running;
  }
  /** Partitions that it gets nothing but errors from, for long. */
  get reads(): Pick<FailingReads, 'now' | 'detail'> | undefined {
    return this.#reads;
  }
  get written(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries(this.#written);
  }

  /** Runs until the stop signal. Rejects with producer_dead when another owner has taken over. */
  async run(): Promise<void> {
    const { log, task, tasks, target } = this.#options;
    await target.check();
    const producer = await log.transactionalProducer({
      transactionalId: `clickhouse-${String(tasks)}-${String(task)}`,
      timeoutMs: TRANSACTION_MS_MAX,
    });
    const reader = log.reader(READER);
    this.#reads = new FailingReads(reader, this.#options.logger);
    const outputs = log.newOutputBuffer();
    try {
      await producer.init();
      const start = await findStart({
        ...this.#options,
        ...this.#settleOptions,
        group: this.#group,
        isMine: this.#isMine,
      });
      for (const { batch, ranges } of start.settled) {
        await this.#commit(producer, outputs, { batch, ranges }, undefined);
      }
      for (const { topic, partition, offset } of start.positions) this.#mark(topic, partition, offset);
      await reader.start(start.positions);
      this.#running = true;
      await this.#loop(reader, producer, outputs);
    } finally {
      this.#running = false;
      outputs.clear();
      await reader.close();
      await producer.close();
    }
  }

  get #settleOptions() {
    const { target, logger, abortSignal } = this.#options;
    return { target, logger, signal: abortSignal, gauges: this.gauges, time: this.#time };
  }

  readonly #isMine = (partition: number): boolean => partition % this.#options.tasks === this.#options.task;

  async #loop(reader: LogReader, producer: TransactionalProducer, outputs: OutputBuffer): Promise<void> {
    const { stopSignal, codecs } = this.#options;
    let gathering = new Batch(codecs);
    let settling = new Batch(codecs);
    /** Rows in ClickHouse whose offsets are not committed. */
    let done: Done = { batch: settling, ranges: [] };
    let lastCommitAt = this.#time.monotonicMs();
    while (!stopSignal.aborted) {
      await this.#gather(gathering, reader, undefined);
      this.#reads?.tell();
      if (!gathering.hasEffects && this.#time.monotonicMs() - lastCommitAt < COMMIT_IDLE_MS) continue;
      if (gathering.isEmpty && done.ranges.length === 0) continue;
      while (gathering.hasEffects) {
        const intent: Intent = { batchId: randomUUID(), ranges: gathering.ranges };
        await this.#commit(producer, outputs, done, intent);
        [gathering, settling] = [settling, gathering];
        gathering.clear();
        const settled = settle(settling, intent.batchId, false, this.#settleOptions);
        await this.#gather(gathering, reader, settled);
        await settled;
        this.#count(settling, intent.ranges);
        done = { batch: settling, ranges: intent.ranges };
      }
      // Nothing waits: the offsets need no company. Ranges without rows are done as they are.
      const ranges = [...done.ranges, ...gathering.ranges];
      await this.#commit(producer, outputs, { batch: done.batch, ranges }, undefined);
      lastCommitAt = this.#time.monotonicMs();
      this.#markAll(gathering.ranges);
      gathering.clear();
      done = { batch: settling, ranges: [] };
    }
  }

  /**
   * Takes what the reader has until the batch is due: full, or its first row has waited long enough. With a batch
   * settling it goes on until that is in.
   */
  async #gather(batch: Batch, reader: LogReader, settled: Promise<void> | undefined): Promise<void> {
    const { stopSignal, abortSignal, learn } = this.#options;
    const before = { over: settled === undefined };
    const over = (): void => {
      before.over = true;
    };
    settled?.then(over, over);
    const idle = this.#time.monotonicMs() - this.#lastRowsAt > COMMIT_IDLE_MS;
    const lingerMs = idle && settled === undefined ? LINGER_IDLE_MS : LINGER_MS;
    let dueAt = this.#time.monotonicMs() + COMMIT_IDLE_MS;
    let hasRows = false;
    for (;;) {
      if (!batch.isFull && !stopSignal.aborted) {
        for (const slice of reader.take(TAKE_BYTES_MAX)) {
          await addLearning(batch, slice, slice.next, learn);
          slice.release();
        }
      }
      const now = this.#time.monotonicMs();
      if (!hasRows && batch.rows + batch.undecodable.length > 0) {
        hasRows = true;
        this.#lastRowsAt = now;
        dueAt = now + lingerMs;
      }
      abortSignal.throwIfAborted();
      const due = batch.isFull || now >= dueAt || stopSignal.aborted;
      if (before.over && due) return;
      if (batch.isFull || stopSignal.aborted) {
        await settled?.catch(() => undefined); // its owner hears of the error
        continue;
      }
      const wait = reader.wait(due ? WAIT_MS_MAX : Math.min(WAIT_MS_MAX, Math.max(1, dueAt - now)));
      await (due && settled !== undefined ? Promise.race([wait, settled.catch(() => undefined)]) : wait);
    }
  }

  async #commit(
    producer: TransactionalProducer,
    outputs: OutputBuffer,
    done: Done,
    next: Intent | undefined,
  ): Promise<void> {
    const positions = positionsOf(done.ranges, next);
    if (positions.length === 0) return;
    if (done.ranges.length > 0 && done.batch.undecodable.length > 0) {
      writeUndecodable(done.batch.undecodable, this.#options.codecs, this.#time.now(), outputs);
      await producer.send(outputs);
      outputs.clear();
      done.batch.undecodable.length = 0;
    }
    await producer.sendOffsets(this.#group, positions);
    await producer.commit();
    this.gauges.commits += 1;
  }

  #count(batch: Batch, ranges: readonly Range[]): void {
    this.gauges.rows += batch.rows;
    this.gauges.batches += 1;
    this.#markAll(ranges);
  }

  #markAll(ranges: readonly Range[]): void {
    for (const { topic, partition, to } of ranges) this.#mark(topic, partition, to);
  }

  #mark(topic: TopicId, partition: number, offset: number): void {
    let offsets = this.#written.get(topic);
    if (offsets === undefined) this.#written.set(topic, (offsets = []));
    while (offsets.length < partition) offsets.push(-1); // another task's
    offsets[partition] = offset;
  }
}

interface Done {
  readonly batch: Batch;
  readonly ranges: readonly Range[];
}

export function isFenced(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'producer_dead';
}
