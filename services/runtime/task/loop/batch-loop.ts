/**
 * The live part of a task: one loop that takes what has been read, feeds it to the partitions' processors, and commits
 * outputs, journal record and offsets in one transaction. Stores learn of a batch only after its commit.
 *
 * An error leaves in the middle of anything: the caller discards the producer, the reader, the stores and this loop.
 */
import { FailingReads } from '../../log/reading/failing-reads.ts';
import type {
  LogReader,
  OutputBuffer,
  Position,
  RecordSlice,
  TransactionalProducer,
} from '../../log/ports.ts';
import { TaskClock } from '../batch/clock.ts';
import { commitDueAt, paceMs } from './commit-interval.ts';
import { ShellEmitter } from '../batch/emitter.ts';
import { EventRate } from './event-rate.ts';
import { expiredRow } from '../batch/expired-row.ts';
import { FlushSchedule } from './flush-schedule.ts';
import { keepPositions } from '../batch/kept-positions.ts';
import { OpenBatch, batchBytesMax } from '../batch/open-batch.ts';
import type { Recovered } from '../recovery/recovery.ts';
import { SnapshotSchedule } from '../recovery/snapshot-schedule.ts';
import type { TaskPlan, TaskPorts } from '../task-plan.ts';
import { WatermarkPublisher } from './watermark-publisher.ts';

const BUFFER_BYTES_MAX = 24 << 20;
const FETCH_BYTES_MAX = 1 << 20;
const FETCH_WAIT_MS = 100;
const IDLE_MS = 100;
/** Between empty batches that timers ask for, unless they carry much. */
const EMPTY_BATCH_INTERVAL_MS = 20;
const BUSY_RECORDS_MIN = 1_000;
const OFFSETS_INTERVAL_MS = 1_000;
/** An idle task writes an empty batch this often, so that its journal always has a record. */
const JOURNAL_INTERVAL_MS = 86_400_000;

export interface LoopProgress {
  readonly sequence: number;
  readonly time: number;
  readonly definitionsOffset: number;
  readonly batches: number;
  readonly events: number;
  readonly transactions: number;
}

export class BatchLoop {
  readonly #plan: TaskPlan;
  readonly #ports: TaskPorts;
  readonly #recovered: Recovered;
  readonly #producer: TransactionalProducer;
  readonly #reader: LogReader;
  readonly failingReads: FailingReads;
  readonly #clock: TaskClock;
  readonly #outputs: OutputBuffer;
  readonly #emitter: ShellEmitter;
  readonly #watermarks: WatermarkPublisher;
  readonly snapshots: SnapshotSchedule;
  #batch: OpenBatch | undefined;
  #sequence: number;
  /** When the last transaction began. */
  #lastCommitAt = -Infinity;
  #lastBatchRecords = 0;
  #lastJournalAt: number;
  #lastOffsetsAt = -Infinity;
  readonly #flushes: FlushSchedule;
  readonly #rate: EventRate;
  /** On a standing clock: its last move, and the first input's end offsets read after it. */
  #clockMovedTo = -1;
  #ends: readonly number[] | undefined;
  /** Everything due at this clock and these definitions has been committed. */
  #done = { time: 0, definitionsOffset: 0 };
  #handled: readonly Position[];
  #batches = 0;
  #events = 0;
  #transactions = 0;

  constructor(plan: TaskPlan, ports: TaskPorts, recovered: Recovered, producer: TransactionalProducer) {
    this.#plan = plan;
    this.#ports = ports;
    this.#recovered = recovered;
    this.#producer = producer;
    this.#sequence = recovered.sequence;
    this.#handled = [...recovered.positions.all()];
    const { runners, positions } = recovered;
    this.#reader = ports.log.reader({
      bufferBytesMax: BUFFER_BYTES_MAX,
      fetchBytesMax: FETCH_BYTES_MAX,
      waitMsMax: FETCH_WAIT_MS,
    });
    this.failingReads = new FailingReads(this.#reader, ports.logger);
    this.#clock = new TaskClock(ports.time, plan.standingClock);
    this.#clock.advanceTo(recovered.time);
    this.#outputs = ports.log.newOutputBuffer();
    this.#emitter = new ShellEmitter(plan.partitions, this.#outputs, new Set(plan.spec.urgent));
    const { codecs } = ports;
    this.#watermarks = new WatermarkPublisher({ plan, codecs, runners, positions, reader: this.#reader });
    const { time, logger, stores } = ports;
    this.snapshots = new SnapshotSchedule({ folders: stores, runners, time, logger });
    const now = ports.time.monotonicMs();
    this.#flushes = new FlushSchedule(runners, now);
    this.#rate = new EventRate(now);
    // A day after the last batch, whenever that was; the first live hour is soon enough to make it up.
    this.#lastJournalAt = now;
  }

  get progress(): LoopProgress {
    return {
      sequence: this.#sequence,
      time: this.#done.time,
      definitionsOffset: this.#done.definitionsOffset,
      batches: this.#batches,
      events: this.#events,
      transactions: this.#transactions,
    };
  }

  /** Where the inputs stand, handled and committed. */
  get handled(): readonly Position[] {
    return this.#handled;
  }

  /** The lowest time up to which everything has been handled: published, or as the processors say; else undefined. */
  get watermark(): number | undefined {
    if (this.#plan.spec.watermarks !== undefined) return this.#watermarks.time;
    const times = this.#recovered.runners.map(({ processor }) => processor.status().watermark);
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Sums over the partitions' processors. `unsettled` counts an open batch too. */
  get gauges(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {
      unsettled: this.#batch === undefined ? 0 : 1,
      dead_letters: 0,
      failing_reads: this.failingReads.now.length,
    };
    for (const { processor, deadLetters } of this.#recovered.runners) {
      sums.dead_letters = (sums.dead_letters ?? 0) + deadLetters;
      for (const [name, value] of Object.entries(processor.status())) {
        if (name !== 'watermark') sums[name] = (sums[name] ?? 0) + value;
      }
    }
    return { ...sums, batches: this.#batches, events: this.#events, transactions: this.#transactions };
  }

  /** Runs until the signal aborts; then the open batch is committed and the stores are flushed. */
  async run(signal: AbortSignal): Promise<void> {
    const { positions, feed } = this.#recovered;
    try {
      const definitions = { topic: 'definitions' as const, partition: 0, offset: feed.next };
      await this.#reader.start([...positions.all(), definitions]);
      await this.snapshots.start();
      await this.#tellExpired();
      while (!signal.aborted) await this.#step();
      if (this.#batch !== undefined) await this.#commitBatch(this.#batch);
      this.#flushes.finish();
    } finally {
      this.snapshots.cancel();
      await this.#reader.close();
    }
  }

  /**
   * Nothing is left out without a record that says so: what the log no longer has goes to events.dropped, in the
   * transaction of the batch from which on the journal's positions are behind it. Until that has committed every
   * recovery finds the same gap again. The rows are the shell's, like the journal's own: no processor wrote them.
   */
  async #tellExpired(): Promise<void> {
    const { expired } = this.#recovered;
    if (expired.length === 0) return;
    const batch = this.#open();
    const { codecs } = this.#ports;
    for (const stretch of expired) {
      const row = expiredRow(this.#plan.spec.name, stretch, batch.context.time);
      this.#outputs.append('eventsDropped', stretch.partition, null, codecs.DroppedEvent.encode(row));
    }
    await this.#commitBatch(batch);
  }

  async #step(): Promise<void> {
    const room = batchBytesMax - (this.#batch?.bytes ?? 0);
    if (room > 0) this.#take(this.#reader.take(room));
    const batch = this.#batch;
    if (batch === undefined) {
      await this.#idle();
      return;
    }
    const waitMs = this.#commitDueAt(batch) - this.#ports.time.monotonicMs();
    if (waitMs <= 0) await this.#commitBatch(batch);
    else await this.#reader.wait(waitMs);
  }

  #take(slices: readonly RecordSlice[]): void {
    let inputs = 0;
    for (const slice of slices) {
      if (slice.topic !== 'definitions') {
        inputs += 1;
        continue;
      }
      this.#recovered.feed.push(slice);
      slice.release();
    }
    if (inputs === 0) return;
    const batch = this.#batch ?? this.#open();
    for (const slice of slices) if (slice.topic !== 'definitions') batch.take(slice);
    if (batch.records > 0) this.#batch = batch;
    else if (this.#batch === undefined) batch.release(); // commit markers alone: positions have moved, and nothing else
  }

  #open(): OpenBatch {
    const { feed, runners, positions } = this.#recovered;
    feed.takeAll();
    const parts = {
      plan: this.#plan,
      runners,
      positions,
      clock: this.#clock,
      emitter: this.#emitter,
      outputs: this.#outputs,
    };
    const context = {
      sequence: this.#sequence + 1,
      time: this.#clock.read(feed.view),
      definitions: feed.view,
    };
    return new OpenBatch(parts, context, this.#ports.time.monotonicMs());
  }

  #commitDueAt(batch: OpenBatch): number {
    return commitDueAt({
      openedAt: batch.openedAt,
      lastCommitAt: this.#lastCommitAt,
      urgent: batch.urgent,
      full: batch.full,
      eventsPerSecond: this.#rate.perSecond,
    });
  }

  async #commitBatch(batch: OpenBatch): Promise<void> {
    batch.end();
    const { runners, positions } = this.#recovered;
    const { codecs, newBatchId, time } = this.#ports;
    const record = batch.record(newBatchId());
    // Readers see the partitions of a transaction all at once, so it does not matter that this is appended last.
    this.#outputs.append(this.#plan.spec.journal, this.#plan.task, null, codecs.BatchRecord.encode(record));
    this.#watermarks.observe(batch.lastReceivedAt);
    this.#watermarks.append(time.monotonicMs(), this.#watermarkClock(batch), this.#ends, this.#outputs);
    const outputRecords = this.#outputs.records;
    await this.#transact();
    this.#sequence = batch.context.sequence;
    for (const { partition, stores } of runners) {
      keepPositions(stores.keyed, positions, partition);
      stores.committed(this.#sequence);
    }
    batch.release();
    this.#batch = undefined;
    this.#account(batch, outputRecords);
    this.#betweenBatches();
  }

  #account(batch: OpenBatch, outputRecords: number): void {
    const now = this.#ports.time.monotonicMs();
    this.#batches += 1;
    this.#events += batch.records;
    this.#lastJournalAt = now;
    this.#lastBatchRecords = outputRecords;
    this.#flushes.committed(batch.bytes);
    this.#done = { time: batch.context.time, definitionsOffset: batch.context.definitions.offset };
    this.#handled = [...this.#recovered.positions.all()];
    if (this.#rate.add(batch.records, now)) this.#reader.pace(paceMs(this.#rate.perSecond));
  }

  async #idle(): Promise<void> {
    const { feed, runners } = this.#recovered;
    const { time } = this.#ports;
    feed.takeAll();
    const clock = this.#clock.read(feed.view);
    await this.#readEnds(clock);
    const now = time.monotonicMs();
    const wanted = runners.some(({ processor }) => processor.wantsBatch(clock, feed.view));
    if (wanted || now - this.#lastJournalAt > JOURNAL_INTERVAL_MS) {
      const pauseMs = this.#lastCommitAt + EMPTY_BATCH_INTERVAL_MS - now;
      if (pauseMs > 0 && this.#lastBatchRecords < BUSY_RECORDS_MIN) {
        await this.#reader.wait(pauseMs);
        return;
      }
      await this.#commitBatch(this.#open());
      return;
    }
    if (this.#watermarks.append(now, clock, this.#ends, this.#outputs)) await this.#transact();
    this.#done = { time: clock, definitionsOffset: feed.view.offset };
    this.#handled = [...this.#recovered.positions.all()];
    this.#betweenBatches();
    await this.#reader.wait(IDLE_MS);
  }

  /**
   * A standing clock jumps. An event that was acknowledged before the jump may not have been fetched when its partition
   * was last seen at its end; a watermark that trusted that end would let timers run ahead of the event. So the end
   * offsets are asked for after the jump, and the new time counts for a partition only once it has been read that far.
   */
  async #readEnds(clock: number): Promise<void> {
    const [topic] = this.#plan.spec.inputs;
    if (!this.#clock.standing || this.#plan.spec.watermarks === undefined || topic === undefined) return;
    if (clock === this.#clockMovedTo) return;
    this.#ends = await this.#ports.log.admin.endOffsets(topic);
    this.#clockMovedTo = clock;
  }

  #watermarkClock(batch: OpenBatch): number {
    return this.#clock.standing
      ? Math.max(0, this.#clockMovedTo)
      : this.#clock.read(batch.context.definitions);
  }

  async #transact(): Promise<void> {
    const now = this.#ports.time.monotonicMs();
    this.#lastCommitAt = now;
    await this.#producer.send(this.#outputs);
    if (now - this.#lastOffsetsAt > OFFSETS_INTERVAL_MS) {
      // For tools that show lag. Where to go on is in the journal.
      this.#lastOffsetsAt = now;
      const offsets = [...this.#recovered.positions.all()];
      await this.#producer.sendOffsets(groupOf(this.#plan.spec.name), offsets);
    }
    await this.#producer.commit();
    this.#outputs.clear();
    this.#watermarks.committed();
    this.#transactions += 1;
  }

  /** Between two batches. */
  #betweenBatches(): void {
    this.snapshots.tick();
    this.failingReads.tell();
    this.#flushes.tick(this.#ports.time.monotonicMs());
  }
}

export function groupOf(service: string): string {
  return `hindsight-${service}`;
}
