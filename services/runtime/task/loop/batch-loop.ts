/**
 * The live part of a task: one loop that takes what has been read, feeds it to the partitions' processors, and commits
 * outputs, journal record and offsets in one transaction. Stores learn of a batch only after its commit.
 *
 * An error leaves in the middle of anything: the caller discards the producer, the reader, the stores and this loop.
 */
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
import { LoopAccount, type LoopProgress } from './loop-account.ts';
import { gaugesOf } from './loop-gauges.ts';
import { OpenBatch, batchBytesMax } from '../batch/open-batch.ts';
import { RecordFault, type DeadLetterBurst, type FailedRecords } from '../batch/failed-records.ts';
import type { Recovered } from '../recovery/recovery.ts';
import { SnapshotSchedule } from '../recovery/snapshot-schedule.ts';
import { StandingEnds } from './standing-ends.ts';
import type { TaskPlan, TaskPorts } from '../task-plan.ts';
import { Alarms } from './alarms.ts';
import { Turns } from '../batch/turns.ts';
import { UntakenSlices } from './untaken-slices.ts';
import { WatermarkPublisher } from './watermark-publisher.ts';

const BUFFER_BYTES_MAX = 24 << 20;
const FETCH_BYTES_MAX = 1 << 20;
/** While nothing comes, which is what an idle installation costs. Watermarks say how far was read when it was asked. */
const FETCH_WAIT_MS = { usual: 500, forWatermarks: 100 };
const IDLE_MS = 100;
/** Between empty batches that timers ask for, unless they carry much. */
const EMPTY_BATCH_INTERVAL_MS = 20;
const BUSY_RECORDS_MIN = 1_000;
const OFFSETS_INTERVAL_MS = 5_000;
/** An idle task writes an empty batch this often, so that its journal always has a record. */
const JOURNAL_INTERVAL_MS = 86_400_000;

/** What a task knows of records that failed, whichever batch loop it met them in. */
export interface Failures {
  readonly failed: FailedRecords;
  readonly burst: DeadLetterBurst;
}

export class BatchLoop {
  readonly #plan: TaskPlan;
  readonly #ports: TaskPorts;
  readonly #recovered: Recovered;
  readonly #producer: TransactionalProducer;
  readonly #reader: LogReader;
  readonly alarms: Alarms;
  readonly #clock: TaskClock;
  readonly #outputs: OutputBuffer;
  readonly #emitter: ShellEmitter;
  readonly #watermarks: WatermarkPublisher;
  readonly snapshots: SnapshotSchedule;
  #batch: OpenBatch | undefined;
  readonly #failures: Failures;
  readonly #untaken = new UntakenSlices();
  readonly #turns: Turns;
  readonly #account: LoopAccount;
  /** When the last transaction began. */
  #lastCommitAt = -Infinity;
  #lastOffsetsAt = -Infinity;
  readonly #flushes: FlushSchedule;
  readonly #rate: EventRate;
  readonly #standing: StandingEnds;

  constructor(
    { plan, ports, failures }: { plan: TaskPlan; ports: TaskPorts; failures: Failures },
    recovered: Recovered,
    producer: TransactionalProducer,
  ) {
    this.#plan = plan;
    this.#failures = failures;
    this.#ports = ports;
    this.#recovered = recovered;
    this.#producer = producer;
    const { runners, positions } = recovered;
    for (const runner of runners) runner.failed = failures.failed;
    this.#reader = ports.log.reader({
      bufferBytesMax: BUFFER_BYTES_MAX,
      fetchBytesMax: FETCH_BYTES_MAX,
      waitMsMax: FETCH_WAIT_MS[plan.spec.watermarks === undefined ? 'usual' : 'forWatermarks'],
    });
    this.alarms = new Alarms(this.#reader, runners, ports.logger);
    this.#clock = new TaskClock(ports.time, plan.standingClock);
    this.#clock.advanceTo(recovered.time);
    this.#standing = new StandingEnds(plan, ports.log.admin);
    this.#outputs = ports.log.newOutputBuffer();
    this.#emitter = new ShellEmitter(plan.partitions, this.#outputs, new Set(plan.spec.urgent));
    const { codecs } = ports;
    // What no batch has taken yet has been read by nobody.
    const endAsOf: LogReader['endAsOf'] = (at) =>
      this.#untaken.has(at) ? undefined : this.#reader.endAsOf(at);
    this.#watermarks = new WatermarkPublisher({ plan, codecs, runners, positions, reader: { endAsOf } });
    const { time, logger, stores } = ports;
    this.snapshots = new SnapshotSchedule({ folders: stores, runners, time, logger });
    this.#turns = new Turns(time);
    const now = time.monotonicMs();
    this.#flushes = new FlushSchedule(runners, now);
    this.#rate = new EventRate(now);
    this.#account = new LoopAccount(positions, recovered.sequence, now);
  }

  get progress(): LoopProgress {
    return this.#account.progress;
  }

  /** Where the inputs stand, handled and committed. */
  get handled(): readonly Position[] {
    return this.#account.handled;
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
    const sums = gaugesOf(this.#recovered.runners, { isBatchOpen: this.#batch !== undefined });
    return { ...sums, failing_reads: this.alarms.failingReads.now.length, ...this.#account.counts };
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
    try {
      await this.#takeOrCommit();
    } catch (error) {
      if (!(error instanceof RecordFault) || !this.#runAgain()) throw error;
      this.#failures.failed.add(error);
      this.#ports.logger.error({ error }, 'a record failed: its batch runs again without it');
    }
  }

  /** Takes the open batch back, for the next steps to run it again. */
  #runAgain(): boolean {
    const slices = this.#batch?.takeBack();
    if (slices === undefined) return false;
    this.#untaken.putBack(slices);
    this.#batch = undefined;
    return true;
  }

  async #takeOrCommit(): Promise<void> {
    const room = batchBytesMax - (this.#batch?.bytes ?? 0);
    if (!this.#untaken.isEmpty) await this.#takeUntaken();
    else if (room > 0) await this.#take(this.#reader.take(room));
    const batch = this.#batch;
    if (batch === undefined) {
      await this.#idle();
      return;
    }
    const waitMs = this.#commitDueAt(batch) - this.#ports.time.monotonicMs();
    if (waitMs <= 0) await this.#commitBatch(batch);
    else await this.#reader.wait(waitMs);
  }

  async #take(slices: readonly RecordSlice[]): Promise<void> {
    for (const slice of slices) {
      if (slice.topic !== 'definitions') continue;
      this.#recovered.feed.push(slice);
      slice.release();
    }
    this.#untaken.add(slices.filter(({ topic }) => topic !== 'definitions'));
    if (!this.#untaken.isEmpty) await this.#takeUntaken();
  }

  async #takeUntaken(): Promise<void> {
    const batch = (this.#batch ??= this.#open());
    await this.#untaken.giveTo(batch, this.#turns);
    if (batch.records > 0) return;
    batch.release(); // commit markers alone: positions have moved, and nothing else
    this.#batch = undefined;
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
      failed: this.#failures.failed,
      turns: this.#turns,
    };
    this.#turns.begin();
    const context = {
      sequence: this.#account.sequence + 1,
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
    await batch.end();
    const { failed, burst } = this.#failures;
    // Where a workspace answers for them its records wait, and nobody else's.
    const letters = batch.unownedLetters;
    const now = this.#ports.time.monotonicMs();
    if (letters > 0) burst.assertRoom(letters, batch.records, now);
    const { runners, positions } = this.#recovered;
    const { codecs, newBatchId, time } = this.#ports;
    const record = batch.record(newBatchId());
    // Readers see the partitions of a transaction all at once, so it does not matter that this is appended last.
    this.#outputs.append(this.#plan.spec.journal, this.#plan.task, null, codecs.BatchRecord.encode(record));
    this.#watermarks.observe(batch.lastReceivedAt);
    this.#watermarks.append(
      time.monotonicMs(),
      this.#watermarkClock(batch),
      this.#standing.ends,
      this.#outputs,
    );
    const outputRecords = this.#outputs.records;
    await this.#transact();
    this.#account.sequence = batch.context.sequence;
    for (const runner of runners) {
      keepPositions(runner.stores.keyed, positions, runner.partition);
      runner.stores.committed(batch.context.sequence);
      runner.committed();
    }
    failed.committed(record.dead_letters);
    burst.committed(letters, batch.records, now);
    batch.release();
    this.#batch = undefined;
    this.#flushes.committed(batch.bytes);
    const committedAt = time.monotonicMs();
    this.#account.committed(batch, outputRecords, committedAt);
    if (this.#rate.add(batch.records, committedAt)) this.#reader.pace(paceMs(this.#rate.perSecond));
    this.#betweenBatches();
  }

  async #idle(): Promise<void> {
    const { feed, runners } = this.#recovered;
    const { time } = this.#ports;
    feed.takeAll();
    const clock = this.#clock.read(feed.view);
    await this.#standing.readAt(clock);
    const now = time.monotonicMs();
    const wanted = runners.some((runner) => runner.wantsBatch(clock, feed.view));
    if (wanted || now - this.#account.lastJournalAt > JOURNAL_INTERVAL_MS) {
      const pauseMs = this.#lastCommitAt + EMPTY_BATCH_INTERVAL_MS - now;
      if (pauseMs > 0 && this.#account.lastBatchRecords < BUSY_RECORDS_MIN) {
        await this.#reader.wait(pauseMs);
        return;
      }
      this.#batch = this.#open();
      await this.#commitBatch(this.#batch);
      return;
    }
    if (this.#watermarks.append(now, clock, this.#standing.ends, this.#outputs)) await this.#transact();
    this.#account.idle(clock, feed.view.offset);
    this.#betweenBatches();
    await this.#reader.wait(IDLE_MS);
  }

  #watermarkClock(batch: OpenBatch): number {
    return this.#clock.standing ? this.#standing.movedTo : this.#clock.read(batch.context.definitions);
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
    this.#account.transactions += 1;
  }

  /** Between two batches. */
  #betweenBatches(): void {
    this.snapshots.tick();
    this.alarms.tell(this.#ports.time.monotonicMs());
    this.#flushes.tick(this.#ports.time.monotonicMs());
  }
}

export function groupOf(service: string): string {
  return `hindsight-${service}`;
}
