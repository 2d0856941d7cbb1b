/** Outputs of processors on their way into a transaction, hashed by input partition; or only hashed, in a replay. */
import { partitionOf } from '../../../../schemas/partitioner.ts';
import type { OutputHash as OutputHashRecord } from '../../../../schemas/records.ts';
import { topicIds, topics, type TopicId } from '../../../../schemas/topics.ts';
import { assert, CodedError } from '../../errors.ts';
import { RECORD_BYTES_MAX } from '../../log/producing/output-buffer.ts';
import type { OutputBuffer } from '../../log/ports.ts';
import { OutputHash } from './output-hash.ts';
import type { Emitter } from '../ports.ts';

/** By name, so that a topic that is added moves no other. The low bits are left to the partition. */
const topicHashes = new Map(topicIds.map((id) => [id, hashOfName(topics[id].name)]));

function hashOfName(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash << 12;
}

export class ShellEmitter implements Emitter {
  readonly #partitions: number;
  readonly #outputs: OutputBuffer | undefined;
  readonly #urgentTopics: ReadonlySet<TopicId>;
  readonly #hashes = new Map<number, OutputHash>();
  #hash = new OutputHash();
  #lastKey: string | undefined;
  #lastKeyBytes = Buffer.alloc(0);
  #lastKeyPartition = 0;
  /** A record went to one of the urgent topics since the last `takeHashes`. */
  urgent = false;
  /** Of all that was emitted, taken back or not. */
  readonly written = { records: 0, bytes: 0 };

  /** @param outputs undefined suppresses them. */
  constructor(
    partitions: number,
    outputs: OutputBuffer | undefined,
    urgentTopics: ReadonlySet<TopicId> = new Set(),
  ) {
    this.#partitions = partitions;
    this.#outputs = outputs;
    this.#urgentTopics = urgentTopics;
  }

  /** What follows comes from the processor of this partition. */
  from(inputPartition: number): void {
    let hash = this.#hashes.get(inputPartition);
    if (hash === undefined) this.#hashes.set(inputPartition, (hash = new OutputHash()));
    this.#hash = hash;
  }

  emit(topic: TopicId, key: Uint8Array | string, value: Uint8Array): void {
    if (typeof key !== 'string') {
      this.#append(topic, partitionOf(key, this.#partitions), key, value);
      return;
    }
    // Records of one person or lane come in runs, above all in a release.
    if (key !== this.#lastKey) {
      this.#lastKey = key;
      this.#lastKeyBytes = Buffer.from(key);
      this.#lastKeyPartition = partitionOf(this.#lastKeyBytes, this.#partitions);
    }
    this.#append(topic, this.#lastKeyPartition, this.#lastKeyBytes, value);
  }

  emitTo(topic: TopicId, partition: number, key: Uint8Array | string, value: Uint8Array): void {
    assert(partition >= 0 && partition < this.#partitions, `${topic} has a partition ${String(partition)}`);
    this.#append(topic, partition, typeof key === 'string' ? Buffer.from(key) : key, value);
  }

  /** Nothing of the batch has happened. */
  takeBack(): void {
    this.takeHashes();
  }

  /** The hashes of the batch, by partition; starts the next batch. */
  takeHashes(): OutputHashRecord[] {
    const hashes: OutputHashRecord[] = [];
    for (const [partition, hash] of this.#hashes) {
      if (hash.records === 0) continue;
      const { records } = hash;
      hashes.push({ partition, records, hash: hash.finish() });
    }
    this.urgent = false;
    return hashes.sort((a, b) => a.partition - b.partition);
  }

  #append(topic: TopicId, partition: number, key: Uint8Array, value: Uint8Array): void {
    // Here and not when the batch is sent: now it is known whose record this is, and a replay comes to the same.
    if (key.length + value.length > RECORD_BYTES_MAX) throw tooLarge(topic, key.length + value.length);
    this.written.records += 1;
    this.written.bytes += key.length + value.length;
    this.#hash.add((topicHashes.get(topic) ?? 0) ^ (partition + 1), key, value);
    if (this.#urgentTopics.has(topic)) this.urgent = true;
    this.#outputs?.append(topic, partition, key, value);
  }
}

function tooLarge(topic: TopicId, bytes: number): CodedError {
  const text = `could not write a record of ${String(bytes)} bytes to ${topic}: the limit is ${String(RECORD_BYTES_MAX)}`;
  return new CodedError('record_too_large', text);
}
