/**
 * A task: a fixed set of partitions with one transactional id.
 *
 *   starting ─▶ fencing ─▶ recovering ─▶ live ─▶ stopping ─▶ stopped
 *                  ▲            │          │
 *                  └─ pausing ◀─┴──────────┘        (any error that may pass: everything is discarded)
 *                        └─────────▶ failed         (an error that will not pass, or too many in a row)
 *                                    fenced         (a newer owner has the id)
 *
 * fencing     InitProducerId: fences older owners and waits for their transaction to end. Nothing is read before.
 * recovering  the journal's last committed record, stores at their marks, missing batches again.
 * live        the batch loop.
 * failed      stands still with an alarm: better late than wrong. `stop` still works.
 */
import { UnknownSchemaError } from '../../../schemas/codec.ts';
import { errorEntry } from '../../../schemas/errors.ts';
import { CodedError, assert } from '../errors.ts';
import type { TransactionalProducer } from '../log/ports.ts';
import { BatchLoop, type Failures } from './loop/batch-loop.ts';
import { DeadLetterBurst, FailedRecords, RecordFault, usualDeadLetters } from './batch/failed-records.ts';
import { recover, type Recovered } from './recovery/recovery.ts';
import { giveUpStores } from './recovery/damaged-stores.ts';
import { Stopwatch, describeLaps, sumOf, type Laps } from './stopwatch.ts';
import { endsInTime, unlessStopped } from './stopping.ts';
import type { TaskPlan, TaskPorts } from './task-plan.ts';

export type TaskState =
  'starting' | 'fencing' | 'recovering' | 'live' | 'pausing' | 'stopping' | 'stopped' | 'failed' | 'fenced';

const moves: Readonly<Record<TaskState, readonly TaskState[]>> = {
  starting: ['fencing', 'stopping'],
  fencing: ['recovering', 'pausing', 'failed', 'fenced', 'stopping'],
  recovering: ['live', 'pausing', 'failed', 'fenced', 'stopping'],
  live: ['pausing', 'failed', 'fenced', 'stopping'],
  pausing: ['fencing', 'failed', 'stopping'],
  failed: ['stopping'],
  fenced: ['stopping'],
  stopping: ['stopped'],
  stopped: [],
};

/** An open transaction blocks every reader behind it. */
const TRANSACTION_TIMEOUT_MS = 10_000;
const PAUSE_MIN_MS = 250;
const PAUSE_MAX_MS = 10_000;
const TRIES_MAX = 12;
/** Live for this long, and the tries are counted anew. */
const HEALTHY_MS = 60_000;
/** Schemas that nobody knows, remembered so that their values are dead letters instead of endless recoveries. */
const UNKNOWABLE_MAX = 1_000;

export interface TaskEvents {
  readonly onFenced: (task: number) => void;
  /** Too many errors in a row, each of which might have passed. */
  readonly onGivenUp: (task: number) => void;
}

export class Task {
  readonly plan: TaskPlan;
  readonly #ports: TaskPorts;
  readonly #events: TaskEvents;
  readonly #abort = new AbortController();
  readonly #unknowable = new Set<number>();
  readonly #failures: Failures;
  #state: TaskState = 'starting';
  #failure: unknown;
  #recovered: Recovered | undefined;
  #loop: BatchLoop | undefined;
  #running: Promise<void> | undefined;
  #tries = 0;
  #laps: Laps | undefined;

  constructor(plan: TaskPlan, ports: TaskPorts, events: TaskEvents) {
    this.plan = plan;
    this.#ports = ports;
    this.#events = events;
    const burst = new DeadLetterBurst(plan.deadLetters ?? usualDeadLetters);
    this.#failures = { failed: new FailedRecords(), burst };
  }

  get state(): TaskState {
    return this.#state;
  }
  /** What went wrong last; undefined once live. */
  get failure(): unknown {
    return this.#failure;
  }
  get recovered(): Recovered | undefined {
    return this.#recovered;
  }
  /** Where the time went from fencing until it was live, when it last went live. */
  get laps(): Laps | undefined {
    return this.#laps;
  }
  get loop(): BatchLoop | undefined {
    return this.#loop;
  }

  #isStopping(): boolean {
    return this.#abort.signal.aborted;
  }

  start(): void {
    assert(this.#running === undefined, 'a task starts once');
    this.#running = this.#run();
  }

  /** Finishes the open batch, commits, flushes, closes. Never rejects. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    if (this.#state === 'stopped') return;
    this.#move('stopping');
    this.#move('stopped');
  }

  async #run(): Promise<void> {
    while (!this.#isStopping()) {
      const liveAt = await this.#ownership();
      if (this.#isStopping() || this.#state === 'failed' || this.#state === 'fenced') return;
      const { time } = this.#ports;
      if (liveAt !== undefined && time.monotonicMs() - liveAt > HEALTHY_MS) this.#tries = 0;
      this.#move('pausing');
      if (this.#failure instanceof RecordFault) continue; // it is known now, and no time makes it better
      const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.#tries);
      this.#tries += 1;
      if (this.#tries > TRIES_MAX) {
        this.#move('failed');
        this.#events.onGivenUp(this.plan.task);
        return;
      }
      await time.sleep(pauseMs, this.#abort.signal);
    }
  }

  /** Once from fencing to the end of live; returns when it went live. Never rejects: the state says how it ended. */
  async #ownership(): Promise<number | undefined> {
    let liveAt: number | undefined;
    let producer: TransactionalProducer | undefined;
    const watch = new Stopwatch(this.#ports.time);
    try {
      this.#move('fencing');
      const opening = this.#ports.log.transactionalProducer({
        transactionalId: transactionalIdOf(this.plan),
        timeoutMs: TRANSACTION_TIMEOUT_MS,
      });
      producer = await this.#unlessStopped(opening, (late) => void late.close());
      await this.#unlessStopped(producer.init(), () => undefined);
      watch.lap('fence');
      this.#move('recovering');
      const recovering = recover(this.plan, this.#ports, this.#unknowable, this.#abort.signal);
      this.#recovered = await this.#unlessStopped(recovering, (late) => void this.#giveUp(late));
      const parts = { plan: this.plan, ports: this.#ports, failures: this.#failures };
      this.#loop = new BatchLoop(parts, this.#recovered, producer);
      this.#move('live');
      this.#failure = undefined;
      liveAt = this.#ports.time.monotonicMs();
      this.#tellLive({ ...watch.laps, ...this.#recovered.laps }, this.#recovered);
      await this.#loop.run(this.#abort.signal);
    } catch (error) {
      await this.#failed(error);
    } finally {
      // First the producer: its open transaction blocks every reader, and a copy of the stores may take longer.
      await producer?.close().catch(() => undefined); // it is discarded either way
      await this.#discard();
    }
    return liveAt;
  }

  #unlessStopped<Result>(work: Promise<Result>, discard: (late: Result) => void): Promise<Result> {
    return unlessStopped(work, this.#abort.signal, this.#ports.time, discard);
  }

  #tellLive(laps: Laps, { sequence, replayedBatches }: Recovered): void {
    this.#laps = laps;
    const fields = { ...this.#names(), sequence, replayedBatches, liveMs: sumOf(laps), laps };
    this.#ports.logger.info(fields, `task is live after ${describeLaps(laps)}`);
  }

  async #failed(error: unknown): Promise<void> {
    this.#failure = error;
    const code = error instanceof CodedError ? error.code : undefined;
    if (this.#isStopping()) {
      this.#ports.logger.warn(
        { ...this.#names(), error },
        'task stopped on an error; it recovers at its next start',
      );
    } else if (code === 'producer_dead' && this.#state !== 'fencing') {
      this.#ports.logger.warn(
        { ...this.#names(), error },
        'task has a newer owner, or its transaction ended',
      );
      this.#move('fenced');
      this.#events.onFenced(this.plan.task);
    } else if (code !== undefined && errorEntry(code).follows === 'stands') {
      this.#ports.logger.error({ ...this.#names(), error }, 'task stands still: it needs a person');
      this.#move('failed');
    } else if (error instanceof RecordFault) {
      this.#setAside(error);
    } else if (error instanceof UnknownSchemaError) {
      await this.#learn(error.schemaId);
    } else {
      this.#ports.logger.warn({ ...this.#names(), error }, 'task starts again after an error');
    }
  }

  /** Stores that cannot be taken back in place are opened at their mark again; then the record goes to dead.letters. */
  #setAside(fault: RecordFault): void {
    const fields = { ...this.#names(), error: fault };
    if (this.#state !== 'live' && !fault.unsure) {
      // The batch that is replayed was committed with this record handled, or named in the journal.
      this.#ports.logger.error(
        fields,
        'task stands still: a record fails that did not when it was committed',
      );
      this.#move('failed');
      return;
    }
    this.#failures.failed.add(fault);
    this.#ports.logger.error(fields, 'a record failed: the task starts again without it');
  }

  async #learn(schemaId: number): Promise<void> {
    try {
      if (await this.#ports.learn(schemaId)) {
        this.#ports.logger.info({ ...this.#names(), schemaId }, 'learned a schema');
        return;
      }
      assert(
        this.#unknowable.size < UNKNOWABLE_MAX,
        'values name a bounded number of schemas that nobody knows',
      );
      this.#unknowable.add(schemaId);
      this.#ports.logger.error(
        { ...this.#names(), schemaId },
        'values of an unknown schema go to dead letters',
      );
    } catch (error) {
      this.#ports.logger.warn(
        { ...this.#names(), schemaId, error },
        'could not ask the registry for a schema',
      );
    }
  }

  /** Stores that are being copied are not closed; when the process is to end, it ends with the copy. */
  async #discard(): Promise<void> {
    const copy = this.#loop?.snapshots.finish() ?? Promise.resolve();
    const ended = await endsInTime(copy, this.#abort.signal, this.#ports.time);
    if (ended && this.#recovered !== undefined) await this.#giveUp(this.#recovered);
    this.#recovered = undefined;
    this.#loop = undefined;
  }

  async #giveUp({ runners }: Recovered): Promise<void> {
    await giveUpStores(runners, this.#ports);
  }

  #names(): { readonly task: number; readonly state: TaskState } {
    return { task: this.plan.task, state: this.#state };
  }

  #move(to: TaskState): void {
    assert(moves[this.#state].includes(to), `a task moves from ${this.#state} to ${to}`);
    this.#state = to;
  }
}

export function transactionalIdOf(plan: {
  readonly spec: { readonly name: string };
  readonly layout: number;
  readonly task: number;
}): string {
  return `hindsight-${plan.spec.name}-${String(plan.layout)}-${String(plan.task)}`;
}
