/**
 * What an idempotent producer has for one partition: batches in order, at most one of them under way. With one under
 * way, order and "neither lost nor doubled" need nothing but its sequence: a batch sent again is recognised by it.
 */
import type { BytePool } from '../byte-pool.ts';
import type { Posted, Waiter } from '../ports.ts';
import { BATCH_BYTES_MAX } from './output-buffer.ts';
import { RecordBatch } from '../protocol/record-batch.ts';

/** Given by the broker, together with the sequences that begin anew with it. */
export interface ProducerId {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export class PendingBatch {
  readonly records: RecordBatch;
  /** One per record, in their order, and which of the waiter's records each is. */
  waiters: Waiter[] = [];
  marks: number[] = [];
  /** Of keys and values. */
  contentBytes = 0;
  /** performance.now(): when its first record must have been acknowledged. */
  readonly deadlineMs: number;
  /** Once sent: the same bytes again, with the sequence they had. */
  sealed: Buffer | undefined;
  sealedFor: ProducerId | undefined;
  /** Given up while it was under way: its senders know, only its answer is waited for. */
  expired = false;
  /** Failed attempts since. */
  failures = 0;
  notBeforeMs = 0;

  constructor(pool: BytePool, deadlineMs: number) {
    this.records = new RecordBatch(pool);
    this.deadlineMs = deadlineMs;
  }
}

export class ProducerLane {
  readonly topicName: string;
  readonly partition: number;
  readonly #pool: BytePool;
  readonly #batches: PendingBatch[] = [];
  #underWay = false;
  #producer: ProducerId | undefined;
  #sequence = 0;

  constructor(topicName: string, partition: number, pool: BytePool) {
    this.topicName = topicName;
    this.partition = partition;
    this.#pool = pool;
  }

  /** @param withinMs of its batch's first record, it is to be acknowledged. */
  append(posted: Posted, withinMs: number, waiter: Waiter, mark: number): void {
    const bytes = posted.end - posted.start;
    let batch = this.#batches.at(-1);
    const full =
      batch === undefined ||
      batch.sealed !== undefined ||
      RecordBatch.bytesWith(batch.records.byteLength, bytes) > BATCH_BYTES_MAX;
    if (batch === undefined || full) {
      batch = new PendingBatch(this.#pool, performance.now() + withinMs);
      this.#batches.push(batch);
    }
    batch.records.appendPosted(posted);
    batch.waiters.push(waiter);
    batch.marks.push(mark);
    batch.contentBytes += bytes;
  }

  /** The batch to send now, sealed; undefined when there is none or one is under way. */
  begin(nowMs: number, producer: ProducerId): PendingBatch | undefined {
    const batch = this.#batches[0];
    if (batch === undefined || this.#underWay || batch.notBeforeMs > nowMs) return undefined;
    batch.sealed ??= this.#seal(batch, producer);
    this.#underWay = true;
    return batch;
  }

  /** The attempt has failed; the batch stays first. */
  putBack(batch: PendingBatch, notBeforeMs: number): void {
    batch.failures++;
    batch.notBeforeMs = notBeforeMs;
    this.#underWay = false;
  }

  /** Not tried yet, or not tried in vain: its next attempt may use another producer id. */
  sealAnew(batch: PendingBatch): void {
    batch.sealed = undefined;
    batch.sealedFor = undefined;
    this.#underWay = false;
  }

  /** The batch that is under way is done with. Its memory is used again only if the broker has answered for it. */
  finish(batch: PendingBatch, answered: boolean): void {
    this.#batches.shift();
    this.#underWay = false;
    if (answered) batch.records.release();
  }

  /** What has not been acknowledged in time, once. A batch that is under way stays until its answer, or the lack of one. */
  expire(nowMs: number): PendingBatch[] {
    const late = this.#batches.filter((batch) => batch.deadlineMs <= nowMs);
    const keep = this.#underWay ? 1 : 0;
    this.#batches.splice(keep, late.length - keep);
    const fresh = late.filter((batch) => !batch.expired);
    for (const batch of fresh) batch.expired = true;
    return fresh;
  }
  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }
  /** Of keys and values that are not under way. */
  get waitingBytes(): number {
    let bytes = 0;
    for (let at = this.#underWay ? 1 : 0; at < this.#batches.length; at++) {
      bytes += this.#batches[at]?.contentBytes ?? 0;
    }
    return bytes;
  }
  get isUnderWay(): boolean {
    return this.#underWay;
  }
  get firstNotBeforeMs(): number {
    return this.#batches[0]?.notBeforeMs ?? Number.POSITIVE_INFINITY;
  }

  #seal(batch: PendingBatch, producer: ProducerId): Buffer {
    if (this.#producer !== producer) {
      this.#producer = producer;
      this.#sequence = 0;
    }
    batch.sealedFor = producer;
    const firstSequence = this.#sequence;
    this.#sequence = (firstSequence + batch.records.records) & 0x7fffffff;
    return batch.records.seal({ ...producer, firstSequence, transactional: false, time: Date.now() });
  }
}
