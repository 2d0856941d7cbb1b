/**
 * The queue between HTTP and the log, and what becomes of it while the log does not answer.
 *
 *   direct ──the oldest has waited too long, a send fails, or the queue is ¾ full──▶ spooling
 *   spooling ──the log has all that the disk had, and nothing is being written──▶ direct
 *
 * direct: records go to the producer as they come, and are kept when the log has them.
 * spooling: what was on its way is taken back and goes to the disk, in the order in which it came, and everything behind
 * it; the disk's word is what calls are answered with. The spool is read from its start and sent all the while.
 *
 * So a lane's records reach the log in their order: what was under way when it was taken back may still arrive, but only
 * before anything that is sent later (Producer.giveUp), and then its copy from the disk is a repeat by its message id.
 */
import { controlMsMax } from '../../../schemas/control-markers.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import type { Intake } from '../../ingest/ports.ts';
import type { TakenRecords } from '../../runtime/taken-records.ts';
import { CodedError } from '../../runtime/errors.ts';
import { Line } from '../../runtime/line.ts';
import type { Producer } from '../../runtime/log/ports.ts';
import { systemTime, type TimePort } from '../../runtime/time.ts';
import type { QuietLog } from '../quiet-log.ts';
import { drain } from './drain.ts';
import { Shares } from './shares.ts';
import type { Spool } from './spool.ts';
import { Ticket, type TicketOwner } from './ticket.ts';

export interface QueueLimits {
  readonly recordsMax: number;
  readonly workspaceRecordsMax: number;
  readonly bytesMax: number;
  readonly workspaceBytesMax: number;
}
export const queueLimits: QueueLimits = {
  recordsMax: 100_000,
  workspaceRecordsMax: 50_000,
  bytesMax: 48 << 20,
  workspaceBytesMax: 24 << 20,
};

export interface IntakeOptions {
  readonly producer: Pick<Producer, 'prepare' | 'post' | 'giveUp'>;
  readonly spool: Spool;
  /** What waits longer for the log goes to the disk. */
  readonly spoolAfterMs: number;
  readonly log: Pick<QuietLog, 'say'>;
  readonly limits?: QueueLimits;
  readonly time?: TimePort;
  /** A control call waits so long until records go straight to the log. */
  readonly controlWaitMs?: number;
}

export interface IntakeState {
  readonly state: 'direct' | 'spooling';
  readonly queued_records: number;
  readonly queued_bytes: number;
  readonly queued_bytes_max: number;
  readonly oldest_queued_ms: number;
  /** Since the start, by the log or by the disk. */
  readonly acknowledged_bytes: number;
  readonly spooled_bytes: number;
  readonly spooled_bytes_max: number;
  /** Since the start: what the disk had and could not be read. */
  readonly spool_lost_bytes: number;
}

const CHECK_MS = 100;
/** Of the queue's bounds: there the disk takes over, with room for what comes meanwhile. */
const SPOOL_AT_SHARE = 0.75;
/** Who waits so long waits in vain. */
const STUCK_MS = 10_000;
const SAY_MS = 60_000;
/** Not for one workspace only. */
const REFUSALS: ReadonlySet<string> = new Set(['spool_full', 'spool_failed']);

export class LogIntake implements Intake {
  readonly #options: Required<IntakeOptions>;
  readonly #owner: TicketOwner;
  /** All that is not answered yet. */
  readonly #bytes: Shares;
  readonly #records: Shares;
  readonly #tickets = new Line<Ticket>();
  #state: 'direct' | 'spooling' = 'direct';
  #draining: Promise<void> = Promise.resolve();
  readonly #controls = new Set<() => void>();
  readonly #closed = new AbortController();
  #acknowledgedBytes = 0;
  #acknowledgedMs: number;
  #refusedMs = -Infinity;

  /** Goes on with what the spool holds of before. */
  static async open(options: IntakeOptions): Promise<LogIntake> {
    await options.producer.prepare(['eventsCollected', 'eventsDropped']);
    return new LogIntake({
      limits: queueLimits,
      time: systemTime,
      controlWaitMs: controlMsMax,
      ...options,
    });
  }

  private constructor(options: Required<IntakeOptions>) {
    this.#options = options;
    const { bytesMax, workspaceBytesMax, recordsMax, workspaceRecordsMax } = options.limits;
    this.#bytes = new Shares({ max: bytesMax, workspaceMax: workspaceBytesMax });
    this.#records = new Shares({ max: recordsMax, workspaceMax: workspaceRecordsMax });
    this.#acknowledgedMs = options.time.monotonicMs();
    this.#owner = {
      ended: (ticket, fault) => {
        this.#end(ticket, fault);
      },
      failed: (error) => {
        this.#spool({ error });
      },
    };
    void this.#watch();
    if (!options.spool.isEmpty) this.#spool({ left: 'by an earlier start' });
  }

  take(records: TakenRecords): Promise<void> {
    const { workspace, bytes, count } = records;
    if (!this.#fits(workspace, count, bytes, 1)) return Promise.reject(overloaded());
    if (this.#state === 'direct' && !this.#fits(workspace, count, bytes, SPOOL_AT_SHARE)) {
      this.#spool({ queued_bytes: this.#bytes.held });
    }
    this.#bytes.take(workspace, bytes);
    this.#records.take(workspace, count);
    return new Promise((resolve, reject) => {
      const sinceMs = this.#options.time.monotonicMs();
      const ticket = new Ticket({ records, sinceMs, resolve, reject }, this.#owner);
      this.#tickets.add(ticket);
      if (this.#state === 'spooling') this.#keep(ticket);
      else this.#send(ticket);
    });
  }

  async untilOnLog(): Promise<void> {
    if (this.#state === 'direct') return;
    const { time, controlWaitMs } = this.#options;
    const direct = new AbortController();
    const go = (): void => {
      direct.abort();
    };
    this.#controls.add(go);
    await time.sleep(controlWaitMs, direct.signal);
    this.#controls.delete(go);
    if (!direct.signal.aborted) throw behind();
  }

  get state(): IntakeState {
    const { limits, spool } = this.#options;
    return {
      state: this.#state,
      queued_records: this.#records.held,
      queued_bytes: this.#bytes.held,
      queued_bytes_max: limits.bytesMax,
      oldest_queued_ms: Math.round(this.#oldestMs()),
      acknowledged_bytes: this.#acknowledgedBytes,
      spooled_bytes: spool.heldBytes,
      spooled_bytes_max: spool.bytesMax,
      spool_lost_bytes: spool.lostBytes,
    };
  }

  /** By what is acknowledged: not while somebody waits in vain, nor when what came last could not be kept. */
  get health(): { readonly ok: boolean; readonly detail?: string } {
    const ok = this.#oldestMs() <= STUCK_MS && this.#refusedMs <= this.#acknowledgedMs;
    if (ok && this.#state === 'direct') return { ok };
    const { spooled_bytes: held, spooled_bytes_max: max } = this.state;
    const detail = `spools: the log does not answer, ${String(held)} of ${String(max)} bytes wait on the disk`;
    return { ok, detail: ok ? detail : `${detail}; what came last could not be kept` };
  }

  /** What is on the disk stays there for the next start. */
  async close(): Promise<void> {
    this.#closed.abort();
    if (this.#state === 'spooling') this.#options.producer.giveUp();
    await this.#draining;
    await this.#options.spool.close();
  }

  async #watch(): Promise<void> {
    const { time, spoolAfterMs } = this.#options;
    const { signal } = this.#closed;
    let saidMs = time.monotonicMs();
    for (;;) {
      await time.sleep(CHECK_MS, signal);
      if (signal.aborted) return;
      if (this.#oldestMs() > spoolAfterMs) this.#spool({ after_ms: spoolAfterMs });
      if (this.#state === 'direct' || time.monotonicMs() - saidMs < SAY_MS) continue;
      saidMs = time.monotonicMs();
      this.#say('warn', 'spooling', 'events wait on the disk for the log');
    }
  }

  #fits(workspace: Workspace, records: number, bytes: number, share: number): boolean {
    if (this.#records.lacks(workspace, records, share) !== undefined) return false;
    return this.#bytes.lacks(workspace, bytes, share) === undefined;
  }

  #oldestMs(): number {
    const { first } = this.#tickets;
    return first === undefined ? 0 : this.#options.time.monotonicMs() - first.call.sinceMs;
  }

  #send(ticket: Ticket): void {
    const { records } = ticket.call;
    for (let index = 0; index < records.count; index += 1) {
      // One that failed at once has sent all of them to the disk.
      if (this.#state === 'spooling') return;
      const record = records.at(index);
      this.#options.producer.post(record.topic, record, ticket, index);
    }
  }

  #keep(ticket: Ticket): void {
    const records = ticket.takeBack();
    this.#options.spool.append(records).then(
      () => {
        this.#end(ticket, ticket.fault);
      },
      (error: unknown) => {
        this.#end(ticket, error);
      },
    );
  }

  #end(ticket: Ticket, fault: unknown): void {
    const { records, resolve, reject } = ticket.call;
    const { workspace, bytes, count } = records;
    this.#tickets.remove(ticket);
    this.#bytes.giveBack(workspace, bytes);
    this.#records.giveBack(workspace, count);
    const nowMs = this.#options.time.monotonicMs();
    if (fault === undefined) {
      this.#acknowledgedBytes += bytes;
      this.#acknowledgedMs = nowMs;
      resolve();
      return;
    }
    if (fault instanceof CodedError && REFUSALS.has(fault.code)) this.#refusedMs = nowMs;
    reject(fault);
  }

  /** direct → spooling. */
  #spool(why: Readonly<Record<string, unknown>>): void {
    if (this.#state === 'spooling' || this.#closed.signal.aborted) return;
    this.#state = 'spooling';
    this.#say('warn', 'spool_begins', 'the log does not answer: events go to the disk', why);
    // In this order: what the producer says of them from here on is not heard.
    for (const ticket of this.#tickets) this.#keep(ticket);
    this.#options.producer.giveUp();
    this.#draining = this.#drain();
  }

  /** spooling → direct, in the turn in which it is seen that nothing is held. */
  async #drain(): Promise<void> {
    const { spool, producer, time } = this.#options;
    const { signal } = this.#closed;
    const failed = (error: unknown): void => {
      if (!signal.aborted)
        this.#say('warn', 'spool_waits', 'the log does not take what waits on the disk', { error });
    };
    while (!signal.aborted) {
      await drain({ spool, producer, time, signal, failed });
      if (!spool.isEmpty) continue;
      spool.clear();
      this.#state = 'direct';
      this.#say('info', 'spool_drained', 'the log has all that waited on the disk');
      for (const go of this.#controls) go();
      this.#controls.clear();
      return;
    }
  }

  #say(
    level: 'info' | 'warn',
    code: string,
    message: string,
    why: Readonly<Record<string, unknown>> = {},
  ): void {
    const { spooled_bytes, acknowledged_bytes } = this.state;
    this.#options.log.say(level, code, message, { ...why, spooled_bytes, acknowledged_bytes });
  }
}

function overloaded(): CodedError {
  return new CodedError('queue_full', 'could not take events: too many wait to be kept');
}

function behind(): CodedError {
  const message = 'could not take a call in order: events before it wait on the disk for the log';
  return new CodedError('log_behind', message);
}
