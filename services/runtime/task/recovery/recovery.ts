/**
 * From a fenced task to one that can go live: the last committed batch is read, stores are opened at their marks, and
 * the batches after the marks run again with their outputs suppressed and compared. Only the owner of the task's
 * transactional id may do this, after InitProducerId has waited for the transaction of an earlier owner to end.
 */
import type { BatchRecord, OutputHash } from '../../../../schemas/records.ts';
import { CodedError } from '../../errors.ts';
import type { InputRecord } from '../../log/ports.ts';
import { giveUpStores } from './damaged-stores.ts';
import { DefinitionsFeed } from '../batch/definitions-feed.ts';
import { ShellEmitter } from '../batch/emitter.ts';
import { FailedRecords } from '../batch/failed-records.ts';
import { Journal } from '../batch/journal.ts';
import { isClosing } from '../layout/layout.ts';
import type { Stretch } from '../batch/log-scan.ts';
import { keepPositions, readKeptPositions } from '../batch/kept-positions.ts';
import { PartitionRunner } from '../partition-runner.ts';
import { Positions, topicIdOf } from '../batch/positions.ts';
import { ReplayInputs } from './replay-inputs.ts';
import { Stopwatch, type Laps } from '../stopwatch.ts';
import { Turns } from '../batch/turns.ts';
import { assertNotStopped } from '../stopping.ts';
import type { TaskPlan, TaskPorts } from '../task-plan.ts';

export interface Recovered {
  readonly runners: readonly PartitionRunner[];
  readonly positions: Positions;
  /** Of the last committed batch; 0 for none. */
  readonly sequence: number;
  /** Clock of the last committed batch. */
  readonly time: number;
  readonly feed: DefinitionsFeed;
  /** Inputs that were gone from the log before they were read; the positions are behind them. */
  readonly expired: readonly Stretch[];
  readonly replayedBatches: number;
  /** Where the time went. */
  readonly laps: Laps;
}

/** Batches that are read from the log in one go. */
const CHUNK_BATCHES_MAX = 64;
const CHUNK_RECORDS_MAX = 20_000;

export async function recover(
  plan: TaskPlan,
  ports: TaskPorts,
  unknowable: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<Recovered> {
  const watch = new Stopwatch(ports.time);
  const journal = new Journal(ports, ports.codecs.BatchRecord, plan.spec.journal, plan.task);
  const last = await journal.last();
  assertOurs(plan, last);
  watch.lap('journal');
  const runners: PartitionRunner[] = [];
  try {
    for (const partition of plan.own) {
      assertNotStopped(signal);
      runners.push(await openRunner(plan, ports, partition, unknowable));
    }
    watch.lap('stores');
    const feed = new DefinitionsFeed(ports.codecs.Definition);
    await feed.load(ports);
    watch.lap('definitions');
    if (last === undefined) await assertTogether(plan, journal, runners);
    const recovery = new Recovery(plan, ports, runners, feed);
    const replayedBatches = last === undefined ? 0 : await recovery.replay(journal, last, signal);
    watch.lap('replay');
    const { positions, expired } = await positionsAfter(plan, ports, last, runners);
    watch.lap('positions');
    return {
      runners,
      positions,
      sequence: last?.sequence ?? Math.max(0, ...runners.map((runner) => runner.stores.mark)),
      time: last?.time ?? 0,
      feed,
      expired,
      replayedBatches,
      laps: watch.laps,
    };
  } catch (error) {
    await giveUpStores(runners, ports);
    throw error;
  }
}

async function openRunner(
  plan: TaskPlan,
  { stores: folders, codecs }: TaskPorts,
  partition: number,
  unknowable: ReadonlySet<number>,
): Promise<PartitionRunner> {
  const stores = await folders.open(partition);
  try {
    const { spec, partitions } = plan;
    return new PartitionRunner(spec, { partition, partitions, stores, codecs, unknowable });
  } catch (error) {
    stores.close();
    throw error;
  }
}

class Recovery {
  readonly #plan: TaskPlan;
  readonly #ports: TaskPorts;
  readonly #runners: readonly PartitionRunner[];
  readonly #feed: DefinitionsFeed;
  /** Batches that each partition has applied, by partition. */
  readonly #applied = new Map<number, number>();
  readonly #emitter: ShellEmitter;
  readonly #turns: Turns;
  #signal: AbortSignal | undefined;

  constructor(plan: TaskPlan, ports: TaskPorts, runners: readonly PartitionRunner[], feed: DefinitionsFeed) {
    this.#plan = plan;
    this.#ports = ports;
    this.#runners = runners;
    this.#feed = feed;
    this.#emitter = new ShellEmitter(plan.partitions, undefined);
    this.#turns = new Turns(ports.time);
    this.#turns.begin();
    for (const { partition, stores } of runners) this.#applied.set(partition, stores.mark);
  }

  /** Brings every partition to the last batch; returns how many batches ran again. */
  async replay(journal: Journal, last: BatchRecord, signal?: AbortSignal): Promise<number> {
    this.#signal = signal;
    const marks = [...this.#applied.values()];
    const ahead = Math.max(0, ...marks.filter((mark) => mark !== this.#plan.movedTo));
    if (ahead > last.sequence) throw stateAhead(this.#plan, ahead, last.sequence);
    const behind = Math.min(...marks);
    let count = 0;
    if (behind < last.sequence) {
      let chunk: BatchRecord[] = [];
      let records = 0;
      for await (const batch of this.#reachable(journal.after(behind))) {
        chunk.push(batch);
        records += batch.ranges.reduce((sum, range) => sum + range.to - range.from, 0);
        count += 1;
        if (chunk.length < CHUNK_BATCHES_MAX && records < CHUNK_RECORDS_MAX) continue;
        await this.#replayChunk(chunk);
        chunk = [];
        records = 0;
      }
      await this.#replayChunk(chunk);
    }
    this.#feed.takeBelow(last.definitions_offset);
    return count;
  }

  /** A missing folder is replayed from the first batch of all; when that is gone, a person has to decide. */
  async *#reachable(batches: AsyncGenerator<BatchRecord>): AsyncGenerator<BatchRecord> {
    try {
      yield* batches;
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'journal_gap') throw error;
      throw stateLost(this.#plan, error);
    }
  }

  async #replayChunk(chunk: readonly BatchRecord[]): Promise<void> {
    const needed = chunk.flatMap((batch) =>
      batch.ranges
        .filter((range) => range.from < range.to && this.#isBehind(range.partition, batch.sequence))
        .map((range) => ({ ...range, topic: topicIdOf(range.topic) })),
    );
    const inputs = await ReplayInputs.open(this.#ports, needed);
    try {
      for (const batch of chunk) await this.#replayBatch(batch, inputs);
    } finally {
      await inputs.close();
    }
    for (const { stores } of this.#runners) stores.flush();
  }

  async #replayBatch(batch: BatchRecord, inputs: ReplayInputs): Promise<void> {
    const behind = this.#runners.filter(({ partition }) => this.#isBehind(partition, batch.sequence));
    if (behind.length === 0) return;
    assertNotStopped(this.#signal);
    assertTheirs(this.#plan, batch, behind);
    if (!isClosing(batch)) await this.#decideAgain(batch, behind, inputs);
    const positions = positionsOf(this.#plan, batch);
    for (const runner of behind) {
      keepPositions(runner.stores.keyed, positions, runner.partition);
      runner.stores.committed(batch.sequence);
      runner.committed();
      this.#applied.set(runner.partition, batch.sequence);
    }
  }

  async #decideAgain(
    batch: BatchRecord,
    behind: readonly PartitionRunner[],
    inputs: ReplayInputs,
  ): Promise<void> {
    assertSameDecider(this.#plan, batch);
    this.#feed.takeBelow(batch.definitions_offset);
    const failed = FailedRecords.ofBatch(batch);
    for (const runner of behind) runner.failed = failed;
    const context = { sequence: batch.sequence, time: batch.time, definitions: this.#feed.view };
    for (const range of batch.ranges) {
      const runner = behind.find(({ partition }) => partition === range.partition);
      if (runner === undefined || range.from >= range.to) continue;
      this.#emitter.from(range.partition);
      const stretch = { ...range, topic: topicIdOf(range.topic) };
      const visit = (record: InputRecord): void => {
        runner.onRecord(record, context, this.#emitter);
      };
      await inputs.read(stretch, visit, this.#turns);
    }
    for (const runner of behind) {
      this.#emitter.from(runner.partition);
      await this.#turns.through(runner.ending(context, this.#emitter));
    }
    this.#assertSameOutputs(batch, behind);
  }

  #assertSameOutputs(batch: BatchRecord, behind: readonly PartitionRunner[]): void {
    const now = new Map(this.#emitter.takeHashes().map((hash) => [hash.partition, hash]));
    const then = new Map(batch.outputs.map((hash) => [hash.partition, hash]));
    for (const { partition } of behind) {
      if (!same(now.get(partition), then.get(partition))) {
        throw new CodedError(
          'replay_differs',
          `could not recover ${this.#plan.spec.name} partition ${String(partition)}: batch ${String(batch.sequence)} ` +
            `wrote ${describe(then.get(partition))} when it was committed and ${describe(now.get(partition))} now`,
        );
      }
    }
  }

  #isBehind(partition: number, sequence: number): boolean {
    return (this.#applied.get(partition) ?? Infinity) < sequence;
  }
}

function same(a: OutputHash | undefined, b: OutputHash | undefined): boolean {
  return (a?.records ?? 0) === (b?.records ?? 0) && (a?.hash ?? 0) === (b?.hash ?? 0);
}

function describe(hash: OutputHash | undefined): string {
  return hash === undefined ? 'nothing' : `${String(hash.records)} records (hash ${String(hash.hash)})`;
}

function positionsOf(plan: TaskPlan, batch: BatchRecord): Positions {
  const positions = new Positions(plan.spec.inputs, plan.own);
  for (const range of batch.ranges) {
    const topic = topicIdOf(range.topic);
    if (plan.spec.inputs.includes(topic)) positions.set(topic, range.partition, range.to);
  }
  return positions;
}

/** Every journal record names the position of every input, so the last one is enough. */
async function positionsAfter(
  plan: TaskPlan,
  { log, logger }: TaskPorts,
  last: BatchRecord | undefined,
  runners: readonly PartitionRunner[],
): Promise<{ readonly positions: Positions; readonly expired: readonly Stretch[] }> {
  const expired: Stretch[] = [];
  const positions = last === undefined ? new Positions(plan.spec.inputs, plan.own) : positionsOf(plan, last);
  if (last === undefined) {
    for (const { partition, stores } of runners) readKeptPositions(stores.keyed, positions, partition);
  }
  for (const topic of plan.spec.inputs) {
    const starts = await log.admin.startOffsets(topic);
    for (const partition of plan.own) {
      const start = starts[partition] ?? 0;
      const next = positions.find(topic, partition);
      if (next !== undefined && next >= start) continue;
      if (next !== undefined) {
        logger.error({ topic, partition, next, start }, 'records expired on the log before they were read');
        expired.push({ topic, partition, from: next, to: start });
      }
      positions.set(topic, partition, start);
    }
  }
  return { positions, expired };
}

function assertOurs(plan: TaskPlan, last: BatchRecord | undefined): void {
  if (last === undefined) return;
  const isOurs = last.service === plan.spec.name && last.task === plan.task;
  if (isOurs && last.layout === plan.layout) return;
  if (isOurs && plan.movedTo !== undefined && isClosing(last) && last.layout === plan.layout + 1) return;
  const found = `${last.service} task ${String(last.task)} layout ${String(last.layout)}`;
  throw new CodedError(
    'layout_differs',
    `could not start ${plan.spec.name} task ${String(plan.task)} of layout ${String(plan.layout)}: its journal ends with a batch of ${found}`,
  );
}

/**
 * With no batch left in the journal each partition goes on where its own store says, under one sequence. One that has no
 * state, or that of an older batch than the others, cannot catch up, and would write again what it once wrote.
 */
async function assertTogether(
  plan: TaskPlan,
  journal: Journal,
  runners: readonly PartitionRunner[],
): Promise<void> {
  const marks = new Set(runners.map(({ stores }) => stores.mark));
  if (marks.size > 1 || (marks.has(0) && (await journal.hasExpired()))) throw stateLost(plan);
}

/**
 * Before the number of tasks was changed, this journal partition was that of a task with other partitions. Its batches
 * say nothing of those that came later: they would replay as empty ones, and the state would be wrong without a sign.
 */
function assertTheirs(plan: TaskPlan, batch: BatchRecord, behind: readonly PartitionRunner[]): void {
  const stranger = behind.find(({ partition }) => partition % batch.tasks !== batch.task);
  if (stranger !== undefined) throw stateLost(plan);
}

function assertSameDecider(plan: TaskPlan, batch: BatchRecord): void {
  if (batch.decider_version === plan.spec.deciderVersion) return;
  throw new CodedError(
    'decider_changed',
    `could not replay batch ${String(batch.sequence)} of ${plan.spec.name}: it was decided by version ` +
      `${String(batch.decider_version)}, this is version ${String(plan.spec.deciderVersion)}`,
  );
}

function stateAhead(plan: TaskPlan, mark: number, sequence: number): CodedError {
  return new CodedError(
    'state_ahead',
    `could not start ${plan.spec.name} task ${String(plan.task)}: its state is at batch ${String(mark)}, its journal ends with ${String(sequence)}`,
  );
}

function stateLost(plan: TaskPlan, cause?: CodedError): CodedError {
  return new CodedError(
    'state_lost',
    `could not start ${plan.spec.name} task ${String(plan.task)}: a partition has no state, or an older one, and the journal does not reach back to it`,
    { cause },
  );
}
