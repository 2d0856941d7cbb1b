/** Writes many records to one topic, thousands in a transaction. */
import type { TopicId } from '../../schemas/topics.ts';
import type { Log, OutputBuffer, TransactionalProducer } from '../../services/runtime/log/ports.ts';

const SEND_RECORDS = 20_000;
const TRANSACTION_MS_MAX = 60_000;

export class BulkWriter {
  readonly #topic: TopicId;
  readonly #producer: TransactionalProducer;
  readonly #outputs: OutputBuffer;

  private constructor(topic: TopicId, producer: TransactionalProducer, outputs: OutputBuffer) {
    this.#topic = topic;
    this.#producer = producer;
    this.#outputs = outputs;
  }

  /** Makes the topics of the log, too. One writer at a time under a log's prefix. */
  static async open(log: Log, topic: TopicId, partitions: number): Promise<BulkWriter> {
    await log.admin.createTopics(partitions);
    const producer = await log.transactionalProducer({
      transactionalId: 'bulk-writer',
      timeoutMs: TRANSACTION_MS_MAX,
    });
    await producer.init();
    return new BulkWriter(topic, producer, log.newOutputBuffer());
  }

  /** To be awaited when it gives a promise: it then sends what has come together. */
  append(partition: number, key: Buffer | null, value: Buffer): Promise<void> | undefined {
    this.#outputs.append(this.#topic, partition, key, value);
    return this.#outputs.records >= SEND_RECORDS ? this.#send() : undefined;
  }
  async finish(): Promise<void> {
    if (this.#outputs.records > 0) await this.#send();
    await this.#producer.close();
  }

  async #send(): Promise<void> {
    await this.#producer.send(this.#outputs);
    await this.#producer.commit();
    this.#outputs.clear();
  }
}
