/**
 * The idempotent producer for ingest: resolves a send when all in-sync replicas have the record.
 *
 * Records wait for others (linger.ts), and while their partition's batch before is under way; then all partitions that
 * have something go out in one request per broker. A lost connection, a moved leader: the same bytes again with the same
 * sequence, so the broker recognises what it already has. When a batch that may have arrived is given up (30 s), the
 * producer takes a new id: the sequence after a gap of unknown size would be refused for ever.
 */
import type { TopicId } from '../../../../schemas/topics.ts';
import { partitionWithin } from '../../../../schemas/partitioner.ts';
import { CodedError } from '../../errors.ts';
import type { BytePool } from '../byte-pool.ts';
import type { Cluster } from '../connection/cluster.ts';
import {
  asLogError,
  DUPLICATE_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH,
  kafkaError,
  NONE,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  SERVER_FAULT,
  UNKNOWN_PRODUCER_ID,
} from '../connection/kafka-error.ts';
import { RECORD_BYTES_MAX } from './output-buffer.ts';
import { asPosted } from './as-posted.ts';
import { closedError, noPartition, tooLarge } from './post-faults.ts';
import type { Posted, Producer, Waiter } from '../ports.ts';
import { decodeProduced, produceRequest, type ProduceResult } from '../protocol/produce-request.ts';
import { newProducerId } from './new-producer-id.ts';
import { Linger, type LingerLimits } from './linger.ts';
import { type PendingBatch, type ProducerId, ProducerLane } from './partition-queue.ts';
import { request } from '../connection/request.ts';

export interface ProducerOptions {
  readonly cluster: Cluster;
  readonly pool: BytePool;
  readonly topicName: (topic: TopicId) => string;
  readonly linger: LingerLimits;
  readonly pendingRecordsMax: number;
  readonly pendingBytesMax: number;
  /** From send to acknowledgement. */
  readonly sendMsMax: number;
}

const PRODUCE_TIMEOUT_MS = 10_000;
/** With so much to send nothing waits for more: a request for it costs each record next to nothing. */
const FLUSH_BYTES = 256 << 10;
const PAUSE_MS_MIN = 20;
const PAUSE_MS_MAX = 1_000;
const EXPIRY_CHECK_MS = 500;
/** The broker has lost what it knew of this producer (a retention of a week, an unclean election). */
const FORGOTTEN_CODES = new Set([OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID]);

type Answer = Pick<ProduceResult, 'errorCode' | 'baseOffset'>;
/** The broker said nothing of this partition. */
const unanswered: Answer = { errorCode: SERVER_FAULT, baseOffset: -1 };

interface Sending {
  readonly lane: ProducerLane;
  readonly batch: PendingBatch;
  readonly sealed: Buffer;
}

export class IdempotentProducer implements Producer {
  readonly #options: ProducerOptions;
  readonly #lanes = new Map<TopicId, ProducerLane[]>();
  readonly #ready = new Map<TopicId, Promise<void>>();
  #producer: ProducerId;
  #renewing: Promise<void> | undefined;
  #pending = 0;
  #pendingBytes = 0;
  /** What the last flush left, since its partition has a batch under way, and what came since: keys and values. */
  #leftBytes = 0;
  #cameBytes = 0;
  readonly #linger: Linger;
  #lingering: NodeJS.Timeout | undefined;
  readonly #expiring: NodeJS.Timeout;
  #closed = false;
  #drained: (() => void) | undefined;

  static async open(options: ProducerOptions): Promise<IdempotentProducer> {
    return new IdempotentProducer(options, await newProducerId(options.cluster));
  }

  private constructor(options: ProducerOptions, producer: ProducerId) {
    this.#options = options;
    this.#producer = producer;
    this.#linger = new Linger(options.linger);
    this.#expiring = setInterval(() => {
      const why = `not acknowledged in ${String(this.#options.sendMsMax)} ms`;
      this.#expireAt(performance.now(), why);
    }, EXPIRY_CHECK_MS).unref();
  }

  get pending(): number {
    return this.#pending;
  }

  async send(topic: TopicId, key: Uint8Array, value: Uint8Array, partition?: number): Promise<number> {
    if (!this.#lanes.has(topic)) await this.#prepareFor(topic, key.length + value.length);
    return await new Promise<number>((resolve, reject) => {
      this.post(topic, asPosted(key, value, partition), { resolve, reject }, 0);
    });
  }

  async prepare(topics: readonly TopicId[]): Promise<void> {
    for (const topic of topics) if (!this.#lanes.has(topic)) await this.#makeLanes(topic);
  }

  post(topic: TopicId, record: Posted, waiter: Waiter, mark: number): void {
    const { bytes, start, keyEnd, end, partition } = record;
    const fault = this.#faultOf(end - start);
    const lanes = this.#lanes.get(topic) ?? [];
    const lane =
      lanes[partition ?? (lanes.length === 0 ? 0 : partitionWithin(bytes, start, keyEnd, lanes.length))];
    if (fault !== undefined) waiter.reject(fault, mark);
    else if (lane === undefined) waiter.reject(noPartition(this.#options.topicName(topic), partition), mark);
    else {
      this.#pending++;
      this.#pendingBytes += end - start;
      this.#cameBytes += end - start;
      this.#linger.came(1);
      lane.append(record, this.#options.sendMsMax, waiter, mark);
      if (this.#cameBytes >= FLUSH_BYTES) this.#flush();
      else if (this.#lingering === undefined) this.#flushAfter(this.#linger.ms);
    }
  }

  giveUp(): void {
    this.#expireAt(Number.POSITIVE_INFINITY, 'taken back by its sender');
  }

  /** Waits for what is pending (up to the limit of a send), then refuses. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    if (this.#pending > 0)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    clearInterval(this.#expiring);
    clearTimeout(this.#lingering);
    this.#options.cluster.destroy();
  }

  #faultOf(bytes: number): CodedError | undefined {
    if (this.#closed) return closedError();
    if (bytes > RECORD_BYTES_MAX) return tooLarge(bytes);
    const { pendingRecordsMax, pendingBytesMax } = this.#options;
    if (this.#pending < pendingRecordsMax && this.#pendingBytes + bytes <= pendingBytesMax) return undefined;
    const message = `could not send: ${String(this.#pending)} records (${String(this.#pendingBytes)} bytes) wait for the broker`;
    return new CodedError('log_overloaded', message);
  }

  /** For a record that waits meanwhile, and counts. */
  async #prepareFor(topic: TopicId, bytes: number): Promise<void> {
    const fault = this.#faultOf(bytes);
    if (fault !== undefined) throw fault;
    this.#pending++;
    this.#pendingBytes += bytes;
    try {
      await this.prepare([topic]);
    } finally {
      this.#settled(1, bytes);
    }
  }

  #settled(records: number, bytes: number): void {
    this.#pending -= records;
    this.#pendingBytes -= bytes;
    if (this.#pending === 0) this.#drained?.();
  }

  async #makeLanes(topic: TopicId): Promise<void> {
    let ready = this.#ready.get(topic);
    if (ready === undefined) {
      const { cluster, pool, topicName } = this.#options;
      const name = topicName(topic);
      ready = cluster
        .addTopics([name])
        .then(() => {
          const count = cluster.partitionCount(name);
          this.#lanes.set(
            topic,
            Array.from({ length: count }, (_, partition) => new ProducerLane(name, partition, pool)),
          );
        })
        .finally(() => this.#ready.delete(topic));
      this.#ready.set(topic, ready);
    }
    await ready;
  }

  /** Sends the first batch of every partition that has none under way, one request a broker. */
  #flush(): void {
    if (this.#renewing !== undefined) return; // flushes again when the new id is there
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    const nowMs = performance.now();
    this.#linger.flushed(nowMs);
    [this.#leftBytes, this.#cameBytes] = [0, 0];
    const byLeader = new Map<number, Sending[]>();
    let laterMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#allLanes()) {
      if (lane.isEmpty) continue;
      if (lane.isUnderWay) {
        this.#leftBytes += lane.waitingBytes;
        continue;
      }
      const batch = lane.begin(nowMs, this.#producer);
      if (batch?.sealed === undefined) {
        laterMs = Math.min(laterMs, lane.firstNotBeforeMs);
        continue;
      }
      const leader = this.#options.cluster.leaderOf(lane.topicName, lane.partition);
      const sending = { lane, batch, sealed: batch.sealed };
      const same = byLeader.get(leader);
      if (same === undefined) byLeader.set(leader, [sending]);
      else same.push(sending);
    }
    for (const [leader, sendings] of byLeader) void this.#sendTo(leader, sendings);
    if (laterMs < Number.POSITIVE_INFINITY) this.#flushAfter(Math.max(1, Math.ceil(laterMs - nowMs)));
  }

  #flushAfter(ms: number): void {
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      this.#flush();
    }, ms);
  }

  /** Never rejects: what fails is put back or told to the senders. */
  async #sendTo(leader: number, sendings: readonly Sending[]): Promise<void> {
    try {
      const broker = await this.#options.cluster.broker(leader);
      const items = sendings.map(({ lane, sealed }) => ({
        topicName: lane.topicName,
        partition: lane.partition,
        batch: sealed,
      }));
      const results = decodeProduced(await request(broker, produceRequest(items, null, PRODUCE_TIMEOUT_MS)));
      const byPlace = new Map(
        results.map((result) => [`${result.topicName}/${String(result.partition)}`, result]),
      );
      for (const sending of sendings) {
        const { topicName, partition } = sending.lane;
        this.#settle(sending, byPlace.get(`${topicName}/${String(partition)}`) ?? unanswered);
      }
    } catch (cause) {
      const error = asLogError('send', cause);
      for (const sending of sendings) this.#failed(sending, error);
    }
    if (sendings.some(({ batch }) => batch.failures > 0))
      await this.#options.cluster.refresh().catch(() => undefined);
    // Else what came meanwhile would never wait for others.
    if (this.#lingering === undefined || this.#leftBytes + this.#cameBytes >= FLUSH_BYTES) this.#flush();
  }

  #settle(sending: Sending, { errorCode, baseOffset }: Answer): void {
    const { lane, batch } = sending;
    if (errorCode === NONE || errorCode === DUPLICATE_SEQUENCE_NUMBER) {
      lane.finish(batch, true);
      this.#release(batch, (waiter, mark, index) => {
        waiter.resolve(baseOffset < 0 ? -1 : baseOffset + index, mark);
      });
      return;
    }
    const error = kafkaError(`send to ${lane.topicName}/${String(lane.partition)}`, errorCode);
    if (error.retryable) {
      this.#failed(sending, error);
    } else if (FORGOTTEN_CODES.has(errorCode) && batch.failures === 0 && !batch.expired) {
      // Refused at the first attempt, so it is not in the log: another id can send it without doubling it. Unless its
      // senders have given it up: they may have sent it again by now.
      this.#renewAfter(batch);
      lane.sealAnew(batch);
    } else {
      lane.finish(batch, true);
      const { message } = error;
      this.#giveUp(
        batch,
        FORGOTTEN_CODES.has(errorCode) ? new CodedError('log_unavailable', message) : error,
      );
    }
  }

  #failed(sending: Sending, error: unknown): void {
    const { lane, batch } = sending;
    const nowMs = performance.now();
    const retryable = error instanceof CodedError && error.retryable;
    if (!retryable || batch.expired || nowMs >= batch.deadlineMs) {
      lane.finish(batch, false);
      this.#giveUp(batch, error);
      return;
    }
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(batch.failures, 10));
    lane.putBack(batch, nowMs + pauseMs);
  }

  /** The senders are told; what follows needs a new producer id, since the broker expects this batch's sequence next. */
  #giveUp(batch: PendingBatch, error: unknown): void {
    this.#renewAfter(batch);
    this.#release(batch, (waiter, mark) => {
      waiter.reject(error, mark);
    });
  }

  /** Its senders are told; nobody the second time. */
  #release(batch: PendingBatch, tell: (waiter: Waiter, mark: number, index: number) => void): void {
    const [waiters, marks] = [batch.waiters, batch.marks];
    [batch.waiters, batch.marks] = [[], []];
    this.#settled(waiters.length, batch.contentBytes);
    batch.contentBytes = 0;
    for (const [index, waiter] of waiters.entries()) tell(waiter, marks[index] ?? 0, index);
  }

  #expireAt(nowMs: number, why: string): void {
    for (const lane of this.#allLanes())
      for (const batch of lane.expire(nowMs)) {
        const message = `could not send to ${lane.topicName}/${String(lane.partition)}: ${why}`;
        const hint = 'It may have arrived all the same: send it again with the same message id.';
        this.#giveUp(batch, new CodedError('log_unavailable', message, { hint }));
      }
  }

  /** What has another id by now expects nothing of this batch. */
  #renewAfter({ sealedFor }: PendingBatch): void {
    if (sealedFor === this.#producer) this.#renew();
  }

  /** Asks for a new producer id until there is one. Batches that are sealed keep theirs. */
  #renew(): void {
    this.#renewing ??= newProducerId(this.#options.cluster)
      .then((producer) => {
        this.#producer = producer;
      })
      .catch(() => undefined) // senders time out meanwhile; the next give-up asks again
      .finally(() => {
        this.#renewing = undefined;
        this.#flush();
      });
  }

  *#allLanes(): Generator<ProducerLane> {
    for (const lanes of this.#lanes.values()) yield* lanes;
  }
}
