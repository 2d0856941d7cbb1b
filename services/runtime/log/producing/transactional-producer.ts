/**
 * One transactional id. The states, and what moves between them:
 *
 *   new ──init──▶ ready ──send, sendOffsets──▶ open ──commit, abort──▶ ready
 *   any ──an error of any of these──▶ dead          any ──close──▶ dead
 *
 * The broker says the same (INVALID_PRODUCER_EPOCH) to whoever was overtaken and to whoever's transaction it ended because
 * it was open too long. The clock tells them apart: `transaction_expired` is nobody else's doing, `producer_dead` is.
 *
 * Nothing is repaired in place: after an error the outcome of the transaction may be unknown, so the owner discards the
 * producer, makes another and runs init, which ends the open transaction one way or the other and fences the old one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicId } from '../../../../schemas/topics.ts';
import { assert, CodedError } from '../../errors.ts';
import { askCoordinator } from '../connection/ask-coordinator.ts';
import type { Cluster } from '../connection/cluster.ts';
import { Coordinator } from '../connection/coordinator.ts';
import { asLogError } from '../connection/kafka-error.ts';
import { BatchedOutputs, type PartitionOutput } from './output-buffer.ts';
import type { OutputBuffer, Position, TransactionalProducer } from '../ports.ts';
import { produceInOrder } from './produce-in-order.ts';
import type { ProduceItem } from '../protocol/produce-request.ts';
import type { WireRequest } from '../protocol/wire-request.ts';
import {
  addOffsetsRequest,
  addPartitionsRequest,
  commitOffsetsRequest,
  decodeErrorCode,
  decodePartitionErrorCode,
  decodeProducerId,
  endRequest,
  initProducerIdRequest,
  type ProducerIdentity,
} from '../protocol/transaction-requests.ts';
import type { WireReader } from '../protocol/wire-reader.ts';

export interface TransactionOptions {
  readonly cluster: Cluster;
  readonly topicName: (topic: TopicId) => string;
  readonly groupName: (group: string) => string;
  /** With the prefix. */
  readonly transactionalId: string;
  /** The broker aborts a transaction that is open for longer. */
  readonly timeoutMs: number;
}

const INIT_MS_MAX = 60_000;
const ABORT_ON_CLOSE_MS_MAX = 2_000;
const SEQUENCE_MASK = 0x7fffffff;

export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly #options: TransactionOptions;
  readonly #coordinator: Coordinator;
  readonly #groupCoordinators = new Map<string, Coordinator>();
  #state: 'new' | 'ready' | 'open' | 'dead' = 'new';
  #identity: ProducerIdentity;
  /** Next sequence by topic and partition: goes on over transactions. */
  readonly #sequences = new Map<TopicId, number[]>();
  readonly #inTransaction = new Map<TopicId, Set<number>>();
  readonly #groupsInTransaction = new Set<string>();
  /** ms, monotonic: before the broker was asked to open the transaction that is open; Infinity: none is. */
  #openedAt = Infinity;

  constructor(options: TransactionOptions) {
    this.#options = options;
    const { cluster, transactionalId } = options;
    this.#coordinator = new Coordinator(cluster, 'transaction', transactionalId);
    this.#identity = { transactionalId, producerId: -1, producerEpoch: -1 };
  }

  async init(): Promise<void> {
    assert(this.#state === 'new' || this.#state === 'ready', `init in state ${this.#state}`);
    const { transactionalId, timeoutMs } = this.#options;
    const what = `initialise the producer ${transactionalId}`;
    await this.#orDie(what, async () => {
      const answer = await askCoordinator(this.#coordinator, {
        what,
        request: initProducerIdRequest(transactionalId, timeoutMs),
        decode: decodeProducerId,
        totalMsMax: INIT_MS_MAX,
      });
      this.#identity = {
        transactionalId,
        producerId: answer.producerId,
        producerEpoch: answer.producerEpoch,
      };
      this.#sequences.clear();
      this.#state = 'ready';
    });
  }

  /** The outputs' bytes must not change before it resolves; clear them after. */
  async send(outputs: OutputBuffer): Promise<void> {
    assert(outputs instanceof BatchedOutputs, 'outputs come from newOutputBuffer of the same log');
    this.#assertUsable('send');
    if (outputs.records === 0) return;
    try {
      await this.#orDie('send', async () => {
        await this.#addPartitions(outputs.outputs);
        const { cluster, transactionalId } = this.#options;
        await produceInOrder(cluster, transactionalId, this.#sealed(outputs.outputs));
      });
    } catch (error) {
      outputs.forget();
      throw error;
    }
  }

  async sendOffsets(
    group: string,
    offsets: readonly (Position & { readonly metadata?: string })[],
  ): Promise<void> {
    this.#assertUsable('sendOffsets');
    const { topicName, groupName } = this.#options;
    const name = groupName(group);
    await this.#orDie(`send offsets of ${name}`, async () => {
      if (!this.#groupsInTransaction.has(name)) {
        this.#opens();
        await this.#ask(`add ${name} to the transaction`, addOffsetsRequest(this.#identity, name));
        this.#groupsInTransaction.add(name);
        this.#state = 'open';
      }
      const rows = offsets.map(({ topic, partition, offset, metadata }) => ({
        topicName: topicName(topic),
        partition,
        offset,
        metadata: metadata ?? null,
      }));
      await askCoordinator(this.#groupCoordinator(name), {
        what: `send offsets of ${name}`,
        request: commitOffsetsRequest(this.#identity, name, rows),
        decode: errorCodeOf(decodePartitionErrorCode),
      });
    });
  }

  async commit(): Promise<void> {
    await this.#end('commit');
  }
  async abort(): Promise<void> {
    await this.#end('abort');
  }

  /** Aborts an open transaction if that is quick, so that it does not hold up readers until its timeout. */
  async close(): Promise<void> {
    if (this.#state === 'open')
      await Promise.race([
        this.abort().catch(() => undefined),
        sleep(ABORT_ON_CLOSE_MS_MAX, undefined, { ref: false }),
      ]);
    this.#state = 'dead';
    this.#options.cluster.destroy();
  }

  async #end(outcome: 'commit' | 'abort'): Promise<void> {
    this.#assertUsable(outcome);
    if (this.#state === 'ready') return; // nothing was sent: the broker knows of no transaction
    await this.#orDie(outcome, async () => {
      const { transactionalId } = this.#options;
      await this.#ask(
        `${outcome} the transaction of ${transactionalId}`,
        endRequest(this.#identity, outcome),
      );
      this.#inTransaction.clear();
      this.#groupsInTransaction.clear();
      this.#openedAt = Infinity;
      this.#state = 'ready';
    });
  }

  async #addPartitions(outputs: readonly PartitionOutput[]): Promise<void> {
    const added = new Map<TopicId, number[]>();
    for (const { topic, partition } of outputs) {
      if (this.#inTransaction.get(topic)?.has(partition) === true) continue;
      const same = added.get(topic);
      if (same === undefined) added.set(topic, [partition]);
      else same.push(partition);
    }
    if (added.size === 0) return;
    const { cluster, topicName } = this.#options;
    const topics = [...added].map(([topic, partitions]) => ({ topicName: topicName(topic), partitions }));
    await cluster.addTopics(topics.map((topic) => topic.topicName));
    this.#opens();
    await askCoordinator(this.#coordinator, {
      what: 'add partitions to the transaction',
      request: addPartitionsRequest(this.#identity, topics),
      decode: errorCodeOf(decodePartitionErrorCode),
    });
    this.#state = 'open';
    for (const [topic, partitions] of added) {
      const known = this.#inTransaction.get(topic) ?? new Set();
      partitions.forEach((partition) => known.add(partition));
      this.#inTransaction.set(topic, known);
    }
  }

  #opens(): void {
    if (this.#state !== 'open') this.#openedAt = Math.min(this.#openedAt, performance.now());
  }

  /** The first batch of every partition, then every second one: neighbours share a request. */
  #sealed(outputs: readonly PartitionOutput[]): ProduceItem[] {
    const items: ProduceItem[] = [];
    const time = Date.now();
    const rounds = Math.max(0, ...outputs.map(({ batches }) => batches.length));
    for (let round = 0; round < rounds; round++) {
      for (const { topic, partition, batches } of outputs) {
        const batch = batches[round];
        if (batch === undefined) continue;
        const firstSequence = this.#takeSequences(topic, partition, batch.records);
        const sealed = batch.seal({ ...this.#identity, firstSequence, transactional: true, time });
        items.push({ topicName: this.#options.topicName(topic), partition, batch: sealed });
      }
    }
    return items;
  }

  #takeSequences(topic: TopicId, partition: number, records: number): number {
    let sequences = this.#sequences.get(topic);
    if (sequences === undefined) this.#sequences.set(topic, (sequences = []));
    const first = sequences[partition] ?? 0;
    sequences[partition] = (first + records) & SEQUENCE_MASK;
    return first;
  }

  #groupCoordinator(name: string): Coordinator {
    let coordinator = this.#groupCoordinators.get(name);
    if (coordinator === undefined) {
      coordinator = new Coordinator(this.#options.cluster, 'group', name);
      this.#groupCoordinators.set(name, coordinator);
    }
    return coordinator;
  }

  async #ask(what: string, asked: WireRequest): Promise<void> {
    await askCoordinator(this.#coordinator, { what, request: asked, decode: errorCodeOf(decodeErrorCode) });
  }

  #assertUsable(step: string): void {
    if (this.#state === 'dead')
      throw new CodedError('producer_dead', `could not ${step}: this producer has failed before`, {
        hint: 'Discard it; make another and run init.',
      });
    assert(this.#state !== 'new', `${step} comes after init`);
  }

  #expired(error: unknown): unknown {
    const { timeoutMs, transactionalId } = this.#options;
    const openMs = Math.round(performance.now() - this.#openedAt);
    if (!(error instanceof CodedError) || error.code !== 'producer_dead' || openMs < timeoutMs) return error;
    const message = `the transaction of ${transactionalId} was open for ${String(openMs)} ms, and the broker ends one after ${String(timeoutMs)}: ${error.message}`;
    return new CodedError('transaction_expired', message, { cause: error });
  }

  async #orDie(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#state = 'dead';
      // Closes the sockets: nothing of this producer may still be on its way when the next one begins.
      this.#options.cluster.destroy();
      throw this.#expired(asLogError(what, error));
    }
  }
}

function errorCodeOf(decode: (answer: WireReader) => number) {
  return (answer: WireReader) => ({ errorCode: decode(answer) });
}
