/** The lanes' processors over their real stores, fed frames as the shell feeds them, but for the fetch and the commit. */
import { setImmediate as turn } from 'node:timers/promises';
import { join } from 'node:path';
import type { Codecs } from '../../schemas/codec.ts';
import { lanesService } from '../../services/merger/service.ts';
import { Definitions } from '../../services/runtime/definitions.ts';
import type { InputRecord } from '../../services/runtime/log/ports.ts';
import { openPartitionStores } from '../../services/runtime/store/open-stores.ts';
import type { PartitionStores } from '../../services/runtime/store/ports.ts';
import { ShellEmitter } from '../../services/runtime/task/batch/emitter.ts';
import type { BatchContext, Processor } from '../../services/runtime/task/ports.ts';
import { CountingOutputs } from './counting-outputs.ts';
import { frameOf, PLACE, type Frame } from './frames.ts';
import { without, type LanePart } from './left-out.ts';
import { ShortIdentity } from './short-identity.ts';

interface LanePartition {
  readonly stores: PartitionStores;
  readonly processor: Processor;
  offset: number;
  decisions: number;
}

export interface LanesFigures {
  readonly events: number;
  /** Of the whole process while batches are run: user and system, all threads. */
  readonly cpuMs: number;
  readonly claims: number;
  readonly onceAnonymous: number;
  readonly outputs: number;
  readonly lanes: number;
  /** Of the event store's segments. */
  readonly bytesOnDisk: number;
  readonly rssMiB: number;
}

const FLUSH_MS = 2_000;
export const emptyRecord: InputRecord = {
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

export class LanesRun {
  readonly #lanes: readonly LanePartition[];
  readonly #outputs: CountingOutputs;
  readonly #emitter: ShellEmitter;
  readonly #definitions = new Definitions();
  readonly #identity: ShortIdentity;
  #sequence = 0;
  #time = 0;
  #events = 0;
  #cpuMs = 0;
  #flushedAt = 0;

  constructor(folder: string, partitions: number, codecs: Codecs, left: ReadonlySet<LanePart> = new Set()) {
    this.#outputs = new CountingOutputs(!left.has('outputs'));
    this.#identity = new ShortIdentity(codecs, partitions);
    this.#emitter = new ShellEmitter(partitions, this.#outputs, new Set(lanesService.urgent));
    this.#lanes = Array.from({ length: partitions }, (_, partition) => {
      const own = openPartitionStores(join(folder, String(partition)), lanesService.stores);
      const stores = left.size === 0 ? own : without(left, own);
      const processor = lanesService.open(partition, partitions, stores, codecs);
      return { stores, processor, offset: 0, decisions: 0 };
    });
  }

  get isUnsettled(): boolean {
    return (
      this.#identity.owesAnswers || this.#lanes.some(({ processor }) => processor.status().unsettled > 0)
    );
  }

  /** What identity has answered, then the events. */
  async batch(events: Frame = frameOf('eventsCollected', [], this.#time)): Promise<void> {
    this.#time = events.time;
    const answers = this.#identity.answers(this.#time);
    this.#sequence += 1;
    const begin = cpuMs();
    this.#run([answers, events]);
    await turn(); // the shell waits for the broker here, and what the stores do beside it goes on
    this.#cpuMs += cpuMs() - begin;
    this.#events += events.places.length / PLACE;
    for (const request of this.#outputs.takeRequests()) this.#identity.take(request);
  }

  figures(): LanesFigures {
    const { onceAnonymous, records: outputs } = this.#outputs.counts;
    const over = (measure: (stores: PartitionStores) => number): number =>
      this.#lanes.reduce((sum, { stores }) => sum + measure(stores), 0);
    return {
      events: this.#events,
      cpuMs: this.#cpuMs,
      claims: this.#identity.claims,
      onceAnonymous,
      outputs,
      lanes: over(({ events }) => events?.lanes ?? 0),
      bytesOnDisk: over(({ events }) => events?.bytesOnDisk ?? 0),
      rssMiB: process.memoryUsage().rss >> 20,
    };
  }
  close(): void {
    for (const { stores } of this.#lanes) stores.close();
  }

  #run(frames: readonly Frame[]): void {
    const batch = { sequence: this.#sequence, time: this.#time, definitions: this.#definitions };
    for (const frame of frames) this.#feed(frame, batch);
    for (const [partition, { processor }] of this.#lanes.entries()) {
      this.#emitter.from(partition);
      processor.onBatchEnd(batch, this.#emitter);
    }
    this.#emitter.takeHashes();
    this.#outputs.clear();
    const flush = this.#cpuMs - this.#flushedAt > FLUSH_MS;
    for (const { stores } of this.#lanes) {
      stores.committed(this.#sequence);
      if (flush) stores.flush();
    }
    if (flush) this.#flushedAt = this.#cpuMs;
  }

  #feed({ topic, bytes, places }: Frame, batch: BatchContext): void {
    const record: InputRecord = { ...emptyRecord, topic, bytes };
    for (let at = 0; at < places.length; at += PLACE) {
      // Four numbers a record, and partitionOf gave the partition.
      const partition = places[at] as number;
      const lane = this.#lanes[partition] as LanePartition;
      record.partition = partition;
      record.offset = topic === 'eventsCollected' ? lane.offset++ : lane.decisions++;
      record.keyStart = places[at + 1] as number;
      record.keyEnd = record.valueStart = places[at + 2] as number;
      record.valueEnd = places[at + 3] as number;
      this.#emitter.from(partition);
      lane.processor.onRecord(record, batch, this.#emitter);
    }
  }
}

/** Time of this process on a core, so that what else the machine does is not measured. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
