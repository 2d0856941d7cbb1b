/**
 * The outputs of one transaction, serialised as they are appended: a list of record batches for each partition, each
 * below the broker's limit. (kafkajs makes one batch of everything: 6,000 events to one partition and the broker
 * answers MESSAGE_TOO_LARGE.)
 */
import type { TopicId } from '../../../../schemas/topics.ts';
import { CodedError } from '../../errors.ts';
import type { BytePool } from '../byte-pool.ts';
import type { OutputBuffer } from '../ports.ts';
import { BATCH_HEADER_BYTES, RecordBatch } from '../protocol/record-batch.ts';

/** A batch is closed at this size; the broker takes 1,048,588 bytes (max.message.bytes). */
export const BATCH_BYTES_MAX = 900 << 10;
/** A single record may have a batch to itself up to the broker's limit. */
export const RECORD_BYTES_MAX = 1_048_588 - BATCH_HEADER_BYTES - 32;
const OUTPUT_BYTES_MAX = 128 << 20;

export interface PartitionOutput {
  readonly topic: TopicId;
  readonly partition: number;
  readonly batches: RecordBatch[];
}

export class BatchedOutputs implements OutputBuffer {
  readonly #pool: BytePool;
  readonly #bytesMax: number;
  readonly #byTopic = new Map<TopicId, (PartitionOutput | undefined)[]>();
  readonly #used: PartitionOutput[] = [];
  #records = 0;
  #bytes = 0;

  constructor(pool: BytePool, bytesMax: number = OUTPUT_BYTES_MAX) {
    this.#pool = pool;
    this.#bytesMax = bytesMax;
  }

  /**
   * Throws `record_too_large` for a record above the broker's limit, `outputs_too_large` when the whole passes
   * 128 MiB: a batch must be cut long before.
   */
  append(topic: TopicId, partition: number, key: Uint8Array | null, value: Uint8Array | null): void {
    const output = this.#output(topic, partition);
    const contentBytes = (key?.length ?? 0) + (value?.length ?? 0);
    let batch = output.batches.at(-1);
    if (batch === undefined || RecordBatch.bytesWith(batch.byteLength, contentBytes) > BATCH_BYTES_MAX) {
      assertSize(topic, key, value);
      if (this.#bytes > this.#bytesMax) throw tooMuch(this.#bytesMax);
      batch = new RecordBatch(this.#pool);
      output.batches.push(batch);
    }
    const before = batch.byteLength;
    batch.append(key, value);
    this.#bytes += batch.byteLength - before;
    this.#records++;
  }

  get records(): number {
    return this.#records;
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** Partitions with at least one record, in the order of their first. */
  get outputs(): readonly PartitionOutput[] {
    return this.#used;
  }

  clear(): void {
    for (const { batches } of this.#used)
      batches.forEach((batch) => {
        batch.release();
      });
    this.forget();
  }

  /** Like clear, but leaves the memory to the garbage collector: a socket that failed may still be reading from it. */
  forget(): void {
    for (const output of this.#used) output.batches.length = 0;
    this.#used.length = 0;
    this.#records = 0;
    this.#bytes = 0;
  }

  #output(topic: TopicId, partition: number): PartitionOutput {
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) this.#byTopic.set(topic, (partitions = []));
    let output = partitions[partition];
    if (output === undefined) partitions[partition] = output = { topic, partition, batches: [] };
    if (output.batches.length === 0) this.#used.push(output);
    return output;
  }
}

function assertSize(topic: TopicId, key: Uint8Array | null, value: Uint8Array | null): void {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0);
  if (bytes <= RECORD_BYTES_MAX) return;
  const message = `could not append a record of ${String(bytes)} bytes to ${topic}: the limit is ${String(RECORD_BYTES_MAX)}`;
  throw new CodedError('record_too_large', message);
}

function tooMuch(bytesMax: number): CodedError {
  return new CodedError(
    'outputs_too_large',
    `could not append: a transaction holds ${String(bytesMax)} bytes at most`,
  );
}
