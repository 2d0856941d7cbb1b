/**
 * A topic of one partition as a gateway sees it: folded from its start and kept up with, for as long as the gateway runs.
 * What a gateway writes goes one after another, and each write ends when its own record has come back: what was answered
 * is what every reader will see. Other gateways write too; the order of the topic says who was first.
 */
import { UnknownSchemaError } from '../../schemas/codec.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { CodedError } from '../runtime/errors.ts';
import type { InputRecord, Log, LogReader, Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';

const bufferBytesMax = 8 * 1_024 * 1_024;
const fetchBytesMax = 1_024 * 1_024;
const waitMsMax = 500;
const foldWaitMsMax = 10_000;
const retryPauseMs = 500;
export const writesWaitingMax = 1_000;

/** What a topic needs of the gateway. */
export interface FoldedTopicPorts {
  readonly log: Pick<Log, 'admin' | 'reader'>;
  readonly producer: Pick<Producer, 'send'>;
  readonly logger: Logger;
  /** Teaches the codec a schema that it does not know. */
  readonly learnSchema: (schemaId: number) => Promise<void>;
}

export interface FoldedTopicOptions extends FoldedTopicPorts {
  readonly topic: TopicId;
  /** What its records are, for messages and codes of errors. */
  readonly what: 'definitions' | 'keys';
  /** Called once for each record, in the topic's order. The record is one object, reused. */
  readonly apply: (record: InputRecord) => void;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
}

export class FoldedTopic {
  readonly #options: FoldedTopicOptions;
  readonly #waiters = new Set<Waiter>();
  #offset = 0;
  #reader: LogReader | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(options: FoldedTopicOptions) {
    this.#options = options;
  }

  /** One past the last offset that is folded. */
  get offset(): number {
    return this.#offset;
  }

  /** Resolves when everything that the topic held at the call is folded. */
  async open(): Promise<void> {
    const [end = 0] = await this.#options.log.admin.endOffsets(this.#options.topic);
    await this.#startReader();
    void this.#follow();
    await this.until(() => this.#offset >= end);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reader?.close();
  }

  async send(key: string, value: Uint8Array): Promise<void> {
    await this.#options.producer.send(this.#options.topic, Buffer.from(key), value);
  }

  /** Runs when all work that was given before it has ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { what } = this.#options;
    if (this.#waiting >= writesWaitingMax) {
      const message = `could not write ${what}: too many writes are waiting`;
      return Promise.reject(new CodedError(`${what}_overloaded`, message));
    }
    this.#waiting++;
    const turn = this.#tail.then(work).finally(() => {
      this.#waiting--;
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** @throws CodedError `…_behind`, retryable, when it does not come to be so in time. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    const { what } = this.#options;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        isDone,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const message = `could not read ${what} in time`;
        reject(new CodedError(`${what}_behind`, message));
      }, foldWaitMsMax);
      this.#waiters.add(waiter);
    });
  }

  async #startReader(): Promise<void> {
    const { log, topic } = this.#options;
    this.#reader = log.reader({ bufferBytesMax, fetchBytesMax, waitMsMax });
    await this.#reader.start([{ topic, partition: 0, offset: this.#offset }]);
  }

  /** Reads for ever; a reader that fails is replaced where it stood. */
  async #follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#reader?.wait(waitMsMax);
        this.#take();
      } catch (error) {
        await this.#startAgain(error);
      }
    }
  }

  async #startAgain(error: unknown): Promise<void> {
    if (this.#closed) return;
    const { logger, what, learnSchema } = this.#options;
    logger.warn({ error }, `reading ${what} failed and starts again`);
    await this.#reader?.close().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    try {
      // A newer version of this product may have written it.
      if (error instanceof UnknownSchemaError) await learnSchema(error.schemaId);
      await this.#startReader();
    } catch (cause) {
      logger.warn({ error: cause }, `reading ${what} could not start again yet`);
    }
  }

  #take(): void {
    for (const slice of this.#reader?.take(bufferBytesMax) ?? []) {
      slice.forEach((record) => {
        if (record.offset < this.#offset) return; // read before: a reader that starts again may bring a batch twice
        this.#options.apply(record);
        this.#offset = record.offset + 1;
      });
      this.#offset = Math.max(this.#offset, slice.next);
      slice.release();
    }
    for (const waiter of this.#waiters) {
      if (!waiter.isDone()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
