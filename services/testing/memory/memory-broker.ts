/**
 * A broker in memory, with what the product rests on: partitions with offsets, transactions whose records and offsets
 * appear all at once or never, markers that take offsets, a last stable offset, fencing by transactional id, timeouts.
 * It outlives the processes (MemoryLog) that use it.
 */
import { topicIds, topics, type TopicId } from '../../../schemas/topics.ts';
import { CodedError, assert } from '../../runtime/errors.ts';
import type { TimePort } from '../../runtime/time.ts';

export interface StoredRecord {
  readonly offset: number;
  /** Counts what was appended to the broker, over all partitions. */
  readonly order: number;
  readonly appendedAt: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly transaction: MemoryTransaction | undefined;
  /** A commit or abort marker: takes an offset, is given to nobody. */
  readonly marker: boolean;
}

export interface MemoryTransaction {
  readonly transactionalId: string;
  readonly beganAt: number;
  state: 'open' | 'committed' | 'aborted';
  readonly partitions: Set<MemoryPartition>;
  readonly offsets: Map<string, GroupOffset>;
}

export interface PlacedRecord {
  readonly partition: number;
  readonly record: StoredRecord;
}

export interface GroupOffset {
  readonly offset: number;
  readonly metadata: string | null;
}

export interface PendingRecord {
  readonly topic: TopicId;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

interface Owner {
  epoch: number;
  timeoutMs: number;
  transaction: MemoryTransaction | undefined;
}

export class MemoryPartition {
  readonly records: StoredRecord[] = [];
  /** Records below it have expired. */
  start = 0;
  #stable = 0;

  get end(): number {
    return this.records.length;
  }

  /** As an unclean election does: what was written, and read, is gone. */
  truncate(end: number): void {
    this.records.length = end;
    this.#stable = Math.min(this.#stable, end);
  }

  /** Where a read_committed reader has to stop: the first record of an open transaction. */
  get stableEnd(): number {
    // It never goes back, so the search goes on where it stopped.
    while (this.#stable < this.end && this.records[this.#stable]?.transaction?.state !== 'open') {
      this.#stable += 1;
    }
    return this.#stable;
  }
}

export class MemoryBroker {
  readonly time: TimePort;
  readonly partitions: number;
  readonly #clock: () => number;
  readonly #topics = new Map<TopicId, MemoryPartition[]>();
  readonly #owners = new Map<string, Owner>();
  readonly #groupOffsets = new Map<string, GroupOffset>();
  #appended = 0;
  #waiting: (() => void)[] = [];

  /** @param clock of the broker's own machine: of its append times. */
  constructor(time: TimePort, partitions = 8, clock = () => time.now()) {
    this.time = time;
    this.#clock = clock;
    this.partitions = partitions;
    for (const id of topicIds) {
      const count = topics[id].partitions === 'one' ? 1 : partitions;
      this.#topics.set(
        id,
        Array.from({ length: count }, () => new MemoryPartition()),
      );
    }
  }

  topic(topic: TopicId): readonly MemoryPartition[] {
    const found = this.#topics.get(topic);
    assert(found !== undefined, `no topic ${topic}`);
    return found;
  }

  partition(topic: TopicId, partition: number): MemoryPartition {
    const found = this.topic(topic)[partition];
    assert(found !== undefined, `no partition ${topic} ${String(partition)}`);
    return found;
  }

  /** The committed records of a topic, partition by partition. */
  committed(topic: TopicId): PlacedRecord[] {
    return this.everCommitted(topic).filter(
      ({ partition, record }) => record.offset >= this.partition(topic, partition).start,
    );
  }

  /** Those that have expired included. */
  everCommitted(topic: TopicId): PlacedRecord[] {
    return this.topic(topic).flatMap((partition, number) =>
      partition.records
        .filter((record) => !record.marker)
        .filter((record) => record.transaction === undefined || record.transaction.state === 'committed')
        .map((record) => ({ partition: number, record })),
    );
  }

  /** Retention passes: everything below the offset is gone. */
  expire(topic: TopicId, partition: number, below: number): void {
    this.partition(topic, partition).start = below;
  }

  expireGroupOffsets(): void {
    this.#groupOffsets.clear();
  }

  groupOffset(group: string, topic: TopicId, partition: number): GroupOffset | null {
    return this.#groupOffsets.get(`${group}/${topic}/${String(partition)}`) ?? null;
  }

  append(records: readonly PendingRecord[], transaction?: MemoryTransaction): void {
    for (const { topic, partition, key, value } of records) {
      const at = this.partition(topic, partition);
      const { offset, appendedAt } = { offset: at.end, appendedAt: this.#clock() };
      this.#appended += 1;
      at.records.push({ offset, order: this.#appended, appendedAt, key, value, transaction, marker: false });
      transaction?.partitions.add(at);
    }
    this.#wake();
  }

  /** Fences older owners of the id and ends their transaction. Returns the new epoch. */
  initProducer(transactionalId: string, timeoutMs: number): number {
    const owner = this.#owners.get(transactionalId) ?? { epoch: -1, timeoutMs, transaction: undefined };
    this.#owners.set(transactionalId, owner);
    if (owner.transaction !== undefined) this.#end(owner.transaction, 'aborted');
    owner.transaction = undefined;
    owner.timeoutMs = timeoutMs;
    owner.epoch += 1;
    return owner.epoch;
  }

  /** The open transaction of an owner that is still the newest, begun if need be. */
  transactionOf(transactionalId: string, epoch: number): MemoryTransaction {
    this.endTimedOut();
    const owner = this.#owners.get(transactionalId);
    if (owner?.epoch !== epoch) {
      throw new CodedError('producer_dead', `could not write as ${transactionalId}: INVALID_PRODUCER_EPOCH`);
    }
    owner.transaction ??= {
      transactionalId,
      beganAt: this.time.monotonicMs(),
      state: 'open',
      partitions: new Set(),
      offsets: new Map(),
    };
    return owner.transaction;
  }

  end(transactionalId: string, epoch: number, state: 'committed' | 'aborted'): void {
    const transaction = this.transactionOf(transactionalId, epoch);
    this.#end(transaction, state);
    const owner = this.#owners.get(transactionalId);
    if (owner !== undefined) owner.transaction = undefined;
  }

  /** As the broker's own timer does: the transaction is aborted and its producer fenced. */
  endTimedOut(): void {
    const now = this.time.monotonicMs();
    for (const owner of this.#owners.values()) {
      if (owner.transaction === undefined || now - owner.transaction.beganAt <= owner.timeoutMs) continue;
      this.#end(owner.transaction, 'aborted');
      owner.transaction = undefined;
      owner.epoch += 1;
    }
  }

  /** Resolves at the next change of any partition. */
  changed(): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push(done);
    });
  }

  #end(transaction: MemoryTransaction, state: 'committed' | 'aborted'): void {
    transaction.state = state;
    for (const partition of transaction.partitions) {
      const { offset, appendedAt } = { offset: partition.end, appendedAt: this.#clock() };
      this.#appended += 1;
      partition.records.push({
        offset,
        order: this.#appended,
        appendedAt,
        key: null,
        value: null,
        transaction,
        marker: true,
      });
    }
    if (state === 'committed') {
      for (const [place, offset] of transaction.offsets) this.#groupOffsets.set(place, offset);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
