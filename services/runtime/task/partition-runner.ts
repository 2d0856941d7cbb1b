/** One partition of a task: its stores, its processor, and what happens to a record that cannot be read. */
import { UnknownSchemaError, type Codecs, type RecordName } from '../../../schemas/codec.ts';
import { topics } from '../../../schemas/topics.ts';
import { CodedError } from '../errors.ts';
import type { InputRecord } from '../log/ports.ts';
import type { PartitionStores } from '../store/ports.ts';
import type { BatchContext, Emitter, Processor, ServiceSpec } from './ports.ts';

export interface PartitionParts {
  readonly partition: number;
  readonly partitions: number;
  readonly stores: PartitionStores;
  readonly codecs: Codecs;
  /** Schema ids that the registry does not know either; values that name them are undecodable. */
  readonly unknowable: ReadonlySet<number>;
}

export class PartitionRunner {
  readonly partition: number;
  readonly stores: PartitionStores;
  readonly processor: Processor;
  readonly #service: string;
  readonly #codecs: Codecs;
  readonly #unknowable: ReadonlySet<number>;
  deadLetters = 0;

  constructor(spec: ServiceSpec, { partition, partitions, stores, codecs, unknowable }: PartitionParts) {
    this.partition = partition;
    this.stores = stores;
    this.#service = spec.name;
    this.#codecs = codecs;
    this.#unknowable = unknowable;
    this.processor = spec.open(partition, partitions, stores, codecs);
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    try {
      this.processor.onRecord(record, batch, out);
    } catch (error) {
      // A processor decodes before it does anything else. If the value cannot be decoded here either, it is the
      // record's fault and the same in every replay; if it can, the processor has a bug, which must not pass for one.
      if (this.#canDecode(record)) throw error;
      this.#toDeadLetters(record, error, batch, out);
    }
  }

  #canDecode(record: InputRecord): boolean {
    const codec = this.#codecs[topics[record.topic].record as RecordName]; // every topic's record has a codec
    try {
      codec.decode(record.bytes, record.valueStart, record.valueEnd);
      return true;
    } catch (error) {
      if (error instanceof UnknownSchemaError && !this.#unknowable.has(error.schemaId)) throw error;
      return false;
    }
  }

  #toDeadLetters(record: InputRecord, error: unknown, batch: BatchContext, out: Emitter): void {
    this.deadLetters += 1;
    const key = record.bytes.subarray(record.keyStart, record.keyEnd);
    const keyText = key.toString();
    const { topic, partition, offset } = record;
    const letter = this.#codecs.DeadLetter.encode({
      topic: topics[topic].name,
      partition,
      offset,
      key,
      value: record.bytes.subarray(record.valueStart, record.valueEnd),
      service: this.#service,
      code: error instanceof CodedError ? error.code : 'undecodable',
      message: error instanceof Error ? error.message : String(error),
      at: batch.time,
    });
    out.emit('deadLetters', key, letter);
    const row = this.#codecs.DroppedEvent.encode({
      workspace: keyText.slice(0, Math.max(0, keyText.indexOf(':'))),
      reason: 'undecodable',
      stage: this.#service,
      at: batch.time,
      message_id: null,
      anonymous_id: null,
      person_id: null,
      detail: JSON.stringify({ topic: topics[topic].name, partition, offset }),
    });
    out.emit('eventsDropped', key, row);
  }
}
