/**
 * The log port over a MemoryBroker, as one process sees it. It misbehaves when told to: slow requests, a commit whose
 * outcome the process never learns, slices that come twice or cut anywhere; and it can die, after which nothing that
 * the process asked for ever answers.
 */
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { TopicId } from '../../../schemas/topics.ts';
import { CodedError, assert } from '../../runtime/errors.ts';
import type {
  FailingRead,
  Log,
  LogAdmin,
  LogReader,
  OutputBuffer,
  Position,
  Producer,
  TransactionalProducer,
} from '../../runtime/log/ports.ts';
import type { MemoryBroker, PendingRecord } from './memory-broker.ts';
import { MemoryReader } from './memory-reader.ts';

export type Request = 'init' | 'send' | 'sendOffsets' | 'commit' | 'abort' | 'produce' | 'admin' | 'fetch';

/** What happens to a request. `error_after`: it took effect, but the answer is lost. `die_…`: the process is killed. */
export type Fault = 'none' | 'error_before' | 'error_after' | 'die_before' | 'die_after';

export interface MemoryLogOptions {
  /** Asked before each request; fetches excepted. */
  readonly fault?: (request: Request, transactionalId: string) => Fault;
  /** How long a request takes, virtual ms. */
  readonly delayMs?: (request: Request) => number;
  /** Records in the next slice, at least 1. */
  readonly sliceRecords?: () => number;
  /** Whether the next slice comes a second time. */
  readonly twice?: () => boolean;
  /** Whether the answer for this topic is still under way: what was appended is not seen yet, nor where the end is. */
  readonly late?: (topic: TopicId) => boolean;
  /** What its readers say of partitions that give errors only. */
  readonly failing?: () => readonly FailingRead[];
  readonly onDeath?: () => void;
}

export class MemoryLog implements Log {
  readonly broker: MemoryBroker;
  readonly #options: MemoryLogOptions;
  #dead = false;
  readonly admin: LogAdmin;

  constructor(broker: MemoryBroker, options: MemoryLogOptions = {}) {
    this.broker = broker;
    this.#options = options;
    this.admin = new MemoryAdmin(this);
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** kill -9: nothing that was asked for answers any more, and nothing new reaches the broker. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#options.onDeath?.();
  }

  reader(): LogReader {
    return new MemoryReader(this, this.#options);
  }

  transactionalProducer(options: {
    readonly transactionalId: string;
    readonly timeoutMs: number;
  }): Promise<TransactionalProducer> {
    return Promise.resolve(new MemoryTransactionalProducer(this, options));
  }

  producer(): Promise<Producer> {
    const send: Producer['send'] = (topic, key, value, partition) =>
      this.request('produce', '', () => {
        const to = partition ?? partitionOf(key, this.broker.topic(topic).length);
        this.broker.append([{ topic, partition: to, key: Buffer.from(key), value: Buffer.from(value) }]);
        return this.broker.partition(topic, to).end - 1;
      });
    return Promise.resolve({
      send,
      prepare: () => Promise.resolve(),
      post: (topic, { bytes, start, keyEnd, end, partition }, waiter, mark) => {
        void send(topic, bytes.subarray(start, keyEnd), bytes.subarray(keyEnd, end), partition).then(
          (offset) => {
            waiter.resolve(offset, mark);
          },
          (error: unknown) => {
            waiter.reject(error, mark);
          },
        );
      },
      giveUp: () => undefined,
      pending: 0,
      close: () => Promise.resolve(),
    });
  }

  newOutputBuffer(): OutputBuffer {
    return new MemoryOutputs();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Runs an effect on the broker after the request's delay, under its fault. */
  async request<T>(request: Request, transactionalId: string, effect: () => T): Promise<T> {
    await this.pause(this.#options.delayMs?.(request) ?? 0);
    const fault = this.#options.fault?.(request, transactionalId) ?? 'none';
    if (fault === 'die_before') this.kill();
    await this.pause(0);
    if (fault === 'error_before') throw lost(request);
    const result = effect();
    if (fault === 'die_after') this.kill();
    await this.pause(0);
    if (fault === 'error_after') throw lost(request);
    return result;
  }

  /** Waits; for ever once the process is dead. */
  async pause(ms: number): Promise<void> {
    if (ms > 0) await this.broker.time.sleep(ms);
    if (this.#dead) await never;
  }
}

/** The process that waits for it is gone. */
export const never = new Promise<never>(() => undefined);

function lost(request: Request): CodedError {
  return new CodedError('log_unavailable', `could not ${request}: the connection was lost`);
}

class MemoryOutputs implements OutputBuffer {
  pending: PendingRecord[] = [];
  bytes = 0;

  append(topic: TopicId, partition: number, key: Uint8Array | null, value: Uint8Array | null): void {
    this.pending.push({
      topic,
      partition,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    });
    this.bytes += (key?.length ?? 0) + (value?.length ?? 0);
  }

  get records(): number {
    return this.pending.length;
  }

  clear(): void {
    this.pending = [];
    this.bytes = 0;
  }
}

class MemoryTransactionalProducer implements TransactionalProducer {
  readonly #log: MemoryLog;
  readonly #id: string;
  readonly #timeoutMs: number;
  #epoch = -1;

  constructor(log: MemoryLog, options: { readonly transactionalId: string; readonly timeoutMs: number }) {
    this.#log = log;
    this.#id = options.transactionalId;
    this.#timeoutMs = options.timeoutMs;
  }

  async init(): Promise<void> {
    this.#epoch = await this.#request('init', () => this.#log.broker.initProducer(this.#id, this.#timeoutMs));
  }

  async send(outputs: OutputBuffer): Promise<void> {
    assert(outputs instanceof MemoryOutputs, 'outputs are made by newOutputBuffer of the same log');
    const { pending } = outputs;
    await this.#request('send', () => {
      this.#log.broker.append(pending, this.#log.broker.transactionOf(this.#id, this.#epoch));
    });
  }

  async sendOffsets(
    group: string,
    offsets: readonly (Position & { readonly metadata?: string })[],
  ): Promise<void> {
    await this.#request('sendOffsets', () => {
      const transaction = this.#log.broker.transactionOf(this.#id, this.#epoch);
      for (const { topic, partition, offset, metadata = null } of offsets) {
        transaction.offsets.set(`${group}/${topic}/${String(partition)}`, { offset, metadata });
      }
    });
  }

  async commit(): Promise<void> {
    await this.#request('commit', () => {
      this.#log.broker.end(this.#id, this.#epoch, 'committed');
    });
  }

  async abort(): Promise<void> {
    await this.#request('abort', () => {
      this.#log.broker.end(this.#id, this.#epoch, 'aborted');
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #request<T>(request: Request, effect: () => T): Promise<T> {
    return this.#log.request(request, this.#id, effect);
  }
}

class MemoryAdmin implements LogAdmin {
  readonly #log: MemoryLog;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  createTopics(): Promise<{ readonly created: readonly string[] }> {
    return Promise.resolve({ created: [] });
  }

  partitionsOf(topic: TopicId): Promise<number> {
    return this.#ask(() => this.#log.broker.topic(topic).length);
  }

  endOffsets(topic: TopicId): Promise<readonly number[]> {
    return this.#ask(() => this.#log.broker.topic(topic).map((partition) => partition.stableEnd));
  }

  writtenOffsets(topic: TopicId): Promise<readonly number[]> {
    return this.#ask(() => this.#log.broker.topic(topic).map((partition) => partition.end));
  }

  startOffsets(topic: TopicId): Promise<readonly number[]> {
    return this.#ask(() => this.#log.broker.topic(topic).map((partition) => partition.start));
  }

  committedOffsets(
    group: string,
    topic: TopicId,
  ): Promise<readonly { readonly offset: number | null; readonly metadata: string | null }[]> {
    return this.#ask(() =>
      this.#log.broker
        .topic(topic)
        .map(
          (_, partition) =>
            this.#log.broker.groupOffset(group, topic, partition) ?? { offset: null, metadata: null },
        ),
    );
  }

  #ask<T>(answer: () => T): Promise<T> {
    return this.#log.request('admin', '', () => {
      this.#log.broker.endTimedOut();
      return answer();
    });
  }
}
