/**
 * Given / when / then for a processor, without a broker and, unless a test says so, without files: encoded records go in batch by batch,
 * decoded outputs come out. `replay` runs everything again, from nothing or reopened at each batch, so that a test
 * can show that state and outputs depend on the stores, the records and the batch alone.
 */
import { localCodecs, type Codecs, type RecordName } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { Definition, Records } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { Definitions } from '../runtime/definitions.ts';
import { assert } from '../runtime/errors.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import type { PartitionStores, StoreNeeds } from '../runtime/store/ports.ts';
import type { BatchContext, Emitter, Processor, ServiceSpec } from '../runtime/task/ports.ts';
import { MemoryDisk } from './memory/memory-stores.ts';
import { topicRecords, type TopicRecords } from './topic-records.ts';

type RecordOf<T extends TopicId> = Records[TopicRecords[T]];

/** A record to feed. `value` is encoded with the topic's codec; `bytes` goes in as it is. */
export interface Given<T extends TopicId = TopicId> {
  readonly topic: T;
  readonly key: string;
  readonly value?: RecordOf<T> | undefined;
  readonly bytes?: Buffer | undefined;
}

/** A record that came out, with its value decoded. `value` is any topic's record: narrow with `of`. */
export interface Output {
  readonly topic: TopicId;
  readonly partition: number;
  readonly key: string;
  readonly value: Records[RecordName];
  readonly bytes: Buffer;
}

interface FedBatch {
  readonly time: number;
  readonly definitions: readonly Definition[];
  readonly records: readonly InputRecord[];
}

export interface HarnessOptions {
  readonly partition?: number;
  readonly partitions?: number;
  readonly codecs?: Codecs;
  /** An empty disk for each run; in memory unless given. */
  readonly freshDisk?: () => HarnessDisk;
}

export interface HarnessDisk {
  /** Same shape as openPartitionStores of services/runtime/store/open-stores.ts. */
  open(folder: string, needs: StoreNeeds): PartitionStores;
}

/** Helps the compiler tie a value's type to its topic: `given('eventsCollected', key, {…})`. */
export function given<T extends TopicId>(topic: T, key: string, value: RecordOf<T>): Given<T> {
  return { topic, key, value };
}

const IDLE_BATCHES_MAX = 10_000;

export class ProcessorHarness {
  readonly spec: ServiceSpec;
  readonly codecs: Codecs;
  readonly partition: number;
  readonly partitions: number;
  readonly freshDisk: () => HarnessDisk;
  /** Everything that came out since the start. */
  readonly outputs: Output[] = [];
  readonly #fed: FedBatch[] = [];
  readonly #offsets = new Map<TopicId, number>();
  #pendingDefinitions: Definition[] = [];
  #definitionVersion = 0;
  #run: Run;

  constructor(spec: ServiceSpec, options: HarnessOptions = {}) {
    this.spec = spec;
    this.codecs = options.codecs ?? localCodecs();
    this.partition = options.partition ?? 0;
    this.partitions = options.partitions ?? 8;
    this.freshDisk = options.freshDisk ?? (() => new MemoryDisk());
    this.#run = new Run(this);
  }

  get processor(): Processor {
    return this.#run.processor;
  }

  get stores(): PartitionStores {
    return this.#run.stores;
  }

  /** Puts a definition in force from the next batch on. The body is JSON-encoded; undefined deletes. */
  define(kind: Definition['kind'], workspace: string, id: string, body: unknown): this {
    this.#definitionVersion += 1;
    this.#pendingDefinitions.push({
      kind,
      workspace,
      id,
      version: this.#definitionVersion,
      deleted: body === undefined,
      at: 0,
      body: body === undefined ? null : JSON.stringify(body),
    });
    return this;
  }

  /** One batch at this time; returns what it put out. */
  batch(time: number, ...records: readonly Given[]): Output[] {
    const fed = {
      time,
      definitions: this.#pendingDefinitions,
      records: records.map((record) => this.#input(record, time)),
    };
    this.#pendingDefinitions = [];
    this.#fed.push(fed);
    const outputs = this.#run.batch(fed);
    this.outputs.push(...outputs);
    return outputs;
  }

  /** Empty batches at this time for as long as the processor wants one, as the shell does when idle. */
  idle(time: number): Output[] {
    const outputs: Output[] = [];
    if (this.#pendingDefinitions.length > 0) outputs.push(...this.batch(time));
    for (let count = 0; this.#run.wantsBatch(time); count += 1) {
      assert(
        count < IDLE_BATCHES_MAX,
        `the processor still wants a batch after ${String(count)} at one time`,
      );
      outputs.push(...this.batch(time));
    }
    return outputs;
  }

  wantsBatch(time: number): boolean {
    return this.#pendingDefinitions.length > 0 || this.#run.wantsBatch(time);
  }

  /** The process dies and starts again: what was committed is there, the processor is made anew. */
  reopen(): void {
    this.#run.reopen();
  }

  /** What was committed so far reaches the disk, as it does in groups. */
  flush(): void {
    this.#run.stores.flush();
  }

  /**
   * The process is killed and starts again: what was not flushed is gone from the stores, and the batches since then
   * run again as the journal has them. Asserts that they put out the same bytes.
   */
  crash(): void {
    this.#run.crash(this.#fed);
  }

  /**
   * Runs every batch again on fresh stores and returns what came out. With `reopenEachBatch` the processor is made
   * anew before each, so that memory which is not in the stores shows.
   */
  replay(options: { readonly reopenEachBatch?: boolean } = {}): Output[] {
    const run = new Run(this);
    return this.#fed.flatMap((fed) => {
      if (options.reopenEachBatch === true) run.reopen();
      return run.batch(fed);
    });
  }

  #input(record: Given, time: number): InputRecord {
    const offset = this.#offsets.get(record.topic) ?? 0;
    this.#offsets.set(record.topic, offset + 1);
    const codec = this.codecs[topicRecords[record.topic]];
    const value = record.bytes ?? codec.encode(record.value as never); // tied to its topic by `given`
    const key = Buffer.from(record.key);
    // Never at the start of its buffer, as in a fetch.
    const bytes = Buffer.concat([Buffer.from('before'), key, value, Buffer.from('after')]);
    const keyStart = 'before'.length;
    const valueStart = keyStart + key.length;
    return {
      topic: record.topic,
      partition: this.partition,
      offset,
      appendedAt: time,
      bytes,
      keyStart,
      keyEnd: valueStart,
      valueStart,
      valueEnd: valueStart + value.length,
    };
  }
}

/** Only the outputs on a topic, with their values' type. */
export function of<T extends TopicId>(
  topic: T,
  outputs: readonly Output[],
): (Output & { readonly value: RecordOf<T> })[] {
  return outputs.filter((output) => output.topic === topic) as (Output & { readonly value: RecordOf<T> })[]; // the topic's codec decoded it
}

class Run {
  readonly #harness: ProcessorHarness;
  readonly #disk: HarnessDisk;
  /** What each batch put out. */
  readonly #written: (readonly Output[])[] = [];
  #definitions = new Definitions();
  #sequence = 0;
  #time = -Infinity;
  processor: Processor;
  stores: PartitionStores;

  constructor(harness: ProcessorHarness) {
    this.#harness = harness;
    this.#disk = harness.freshDisk();
    [this.stores, this.processor] = this.#open();
  }

  reopen(): void {
    this.stores.flush();
    this.stores.close();
    [this.stores, this.processor] = this.#open();
  }

  /** `fed`: every batch since the start. */
  crash(fed: readonly FedBatch[]): void {
    // A killed process closes nothing, which would flush.
    [this.stores, this.processor] = this.#open();
    const { mark } = this.stores;
    this.#sequence = mark;
    this.#time = -Infinity;
    this.#definitions = new Definitions();
    for (const { definitions } of fed.slice(0, mark)) this.#define(definitions);
    const written = this.#written.splice(mark);
    for (const each of fed.slice(mark)) {
      const before = written[this.#sequence - mark] ?? [];
      const again = this.batch(each);
      const same =
        again.length === before.length &&
        again.every(({ topic, partition, key, bytes }, index) => {
          const first = before[index];
          return (
            first?.topic === topic &&
            first.partition === partition &&
            first.key === key &&
            first.bytes.equals(bytes)
          );
        });
      assert(same, `batch ${String(this.#sequence)} puts out the same after a crash`);
    }
  }

  wantsBatch(time: number): boolean {
    return this.processor.wantsBatch(time, this.#definitions);
  }

  batch(fed: FedBatch): Output[] {
    assert(fed.time >= this.#time, 'a batch never goes back in time');
    this.#time = fed.time;
    this.#define(fed.definitions);
    this.#sequence += 1;
    const context: BatchContext = {
      sequence: this.#sequence,
      time: fed.time,
      definitions: this.#definitions,
    };
    const outputs: Output[] = [];
    const emitter = new CollectingEmitter(this.#harness, outputs);
    const reused = { ...emptyRecord };
    for (const record of fed.records) {
      this.processor.onRecord(Object.assign(reused, record), context, emitter);
    }
    this.processor.onBatchEnd(context, emitter);
    this.stores.committed(this.#sequence);
    this.#written.push(outputs);
    return outputs;
  }

  #define(definitions: readonly Definition[]): void {
    for (const definition of definitions) this.#definitions.apply(this.#definitions.offset, definition);
  }

  #open(): [PartitionStores, Processor] {
    const { spec, partition, partitions, codecs } = this.#harness;
    const stores = this.#disk.open('partition', spec.stores);
    return [stores, spec.open(partition, partitions, stores, codecs)];
  }
}

const emptyRecord: InputRecord = {
  topic: 'eventsCollected',
  partition: 0,
  offset: 0,
  appendedAt: 0,
  bytes: Buffer.alloc(0),
  keyStart: 0,
  keyEnd: 0,
  valueStart: 0,
  valueEnd: 0,
};

class CollectingEmitter implements Emitter {
  readonly #harness: ProcessorHarness;
  readonly #outputs: Output[];

  constructor(harness: ProcessorHarness, outputs: Output[]) {
    this.#harness = harness;
    this.#outputs = outputs;
  }

  emit(topic: TopicId, key: Uint8Array | string, value: Uint8Array): void {
    this.emitTo(topic, partitionOf(key, this.#harness.partitions), key, value);
  }

  emitTo(topic: TopicId, partition: number, key: Uint8Array | string, value: Uint8Array): void {
    assert(partition >= 0 && partition < this.#harness.partitions, `no partition ${String(partition)}`);
    const bytes = Buffer.from(value);
    const codec = this.#harness.codecs[topicRecords[topic]];
    this.#outputs.push({
      topic,
      partition,
      key: Buffer.from(key).toString(),
      value: codec.decode(bytes),
      bytes,
    });
  }
}
