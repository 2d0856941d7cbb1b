/**
 * One partition of a service on real stores, fed batch by batch without a broker. Nothing that it puts out is kept, so
 * that what a test measures of memory is the service's own. For tests of hostile inputs only.
 */
import { join } from 'node:path';
import { localCodecs } from '../../../schemas/codec.ts';
import type { TopicId } from '../../../schemas/topics.ts';
import { Definitions } from '../../runtime/definitions.ts';
import type { InputRecord } from '../../runtime/log/ports.ts';
import { openPartitionStores } from '../../runtime/store/open-stores.ts';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { Processor, ServiceSpec } from '../../runtime/task/ports.ts';

export const codecs = localCodecs();
const BATCHES_A_FLUSH = 20;

export interface Fed {
  readonly topic: TopicId;
  readonly key: string;
  readonly value: Buffer;
}

export class FedService {
  processor: Processor;
  stores: PartitionStores;
  /** Where the next record of events.collected will lie. */
  offset = 0;
  readonly #open: () => readonly [PartitionStores, Processor];
  readonly #definitions = new Definitions();
  readonly #offsets = new Map<TopicId, number>();
  #sequence = 0;

  constructor(folder: string, spec: ServiceSpec) {
    this.#open = () => {
      const stores = openPartitionStores(join(folder, spec.name), spec.stores);
      return [stores, spec.open(0, 1, stores, codecs)];
    };
    [this.stores, this.processor] = this.#open();
  }

  /** As a task that stops and starts again does. */
  restart(): void {
    this.stores.close();
    [this.stores, this.processor] = this.#open();
  }

  /** One batch, which is then committed; everything that came out goes to `out` as it comes. */
  batch(time: number, records: readonly Fed[], out: (output: Fed) => void): void {
    this.#sequence += 1;
    const context = { sequence: this.#sequence, time, definitions: this.#definitions };
    const emit = (topic: TopicId, key: Uint8Array | string, value: Uint8Array): void => {
      out({ topic, key: Buffer.from(key).toString(), value: Buffer.from(value) });
    };
    const emitter = {
      emit,
      emitTo: (topic: TopicId, _partition: number, key: Uint8Array | string, value: Uint8Array): void => {
        emit(topic, key, value);
      },
    };
    for (const record of records) this.processor.onRecord(this.#input(record, time), context, emitter);
    this.processor.onBatchEnd(context, emitter);
    this.stores.committed(this.#sequence);
    if (this.#sequence % BATCHES_A_FLUSH === 0) this.stores.flush();
  }

  close(): void {
    this.stores.close();
  }

  #input({ topic, key, value }: Fed, time: number): InputRecord {
    const offset = this.#offsets.get(topic) ?? 0;
    this.#offsets.set(topic, offset + 1);
    if (topic === 'eventsCollected') this.offset = offset + 1;
    const keyBytes = Buffer.from(key);
    const bytes = Buffer.concat([keyBytes, value]);
    return {
      topic,
      partition: 0,
      offset,
      appendedAt: time,
      bytes,
      keyStart: 0,
      keyEnd: keyBytes.length,
      valueStart: keyBytes.length,
      valueEnd: bytes.length,
    };
  }
}
