/**
 * A topic as a process keeps up with it, for as long as it runs: a reader that fails is replaced where it stood,
 * and a schema of a newer version of this product is learned on the way.
 */
import { UnknownSchemaError } from '../../../schemas/codec.ts';
import type { TopicId } from '../../../schemas/topics.ts';
import type { Logger } from '../logger.ts';
import type { InputRecord, Log, LogReader } from './ports.ts';

const bufferBytesMax = 8 * 1_024 * 1_024;
const fetchBytesMax = 1_024 * 1_024;
const waitMsMax = 500;
const retryPauseMs = 500;

export interface FollowedTopicPorts {
  readonly log: Pick<Log, 'reader'>;
  readonly logger: Logger;
  /** Teaches the codec a schema that it does not know. */
  readonly learnSchema: (schemaId: number) => Promise<void>;
}

export interface FollowedTopicOptions extends FollowedTopicPorts {
  readonly topic: TopicId;
  /** What its records are, for the log. */
  readonly what: string;
  /** Called once for each record, in the order of its partition. The record is one object, reused. */
  readonly apply: (record: InputRecord) => void;
  /** All that was there has been applied. */
  readonly onTaken?: () => void;
}

export class FollowedTopic {
  readonly #options: FollowedTopicOptions;
  /** By partition: one past the last that is applied. */
  #offsets: number[] = [];
  #reader: LogReader | undefined;
  #closed = false;

  constructor(options: FollowedTopicOptions) {
    this.#options = options;
  }

  /** @param offsets where to begin, by partition. */
  async open(offsets: readonly number[]): Promise<void> {
    this.#offsets = [...offsets];
    await this.#startReader();
    void this.#follow();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reader?.close();
  }

  offset(partition: number): number {
    return this.#offsets[partition] ?? 0;
  }

  async #startReader(): Promise<void> {
    const { log, topic } = this.#options;
    this.#reader = log.reader({ bufferBytesMax, fetchBytesMax, waitMsMax });
    await this.#reader.start(this.#offsets.map((offset, partition) => ({ topic, partition, offset })));
  }

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
      if (error instanceof UnknownSchemaError) await learnSchema(error.schemaId);
      await this.#startReader();
    } catch (cause) {
      logger.warn({ error: cause }, `reading ${what} could not start again yet`);
    }
  }

  #take(): void {
    for (const slice of this.#reader?.take(bufferBytesMax) ?? []) {
      const { partition } = slice;
      slice.forEach((record) => {
        if (record.offset < this.offset(partition)) return; // read before: a reader that starts again may bring a batch twice
        this.#options.apply(record);
        this.#offsets[partition] = record.offset + 1;
      });
      this.#offsets[partition] = Math.max(this.offset(partition), slice.next);
      slice.release();
    }
    this.#options.onTaken?.();
  }
}
