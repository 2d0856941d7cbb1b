/** A partition of the trigger on the real keyed store, without a broker: what it costs, with records made for it. */
import { localCodecs } from '../../schemas/codec.ts';
import { mergedEvent, watermarkRecord } from '../../schemas/merged-event.ts';
import type { CollectedEvent, MergedEvent } from '../../schemas/records.ts';
import { Definitions } from '../../services/runtime/definitions.ts';
import type { InputRecord } from '../../services/runtime/log/ports.ts';
import { openPartitionStores } from '../../services/runtime/store/open-stores.ts';
import type { Emitter } from '../../services/runtime/task/ports.ts';
import { TriggerProcessor } from '../../services/trigger/processor.ts';
import { triggerService } from '../../services/trigger/service.ts';

export const START = 1_700_000_000_000;
export const WORKSPACE = 'shop';
export const LANE_PARTITIONS = 8;
const VERSION = 1;

const nowhere: Emitter = { emit: () => undefined, emitTo: () => undefined };

export interface TriggerProcessorOptions {
  readonly folder: string;
  readonly partition?: number;
  readonly partitions?: number;
  readonly hasPasts?: boolean;
  readonly out?: Emitter;
  /** Of its records on events.merged. */
  readonly firstOffset?: number;
}

export class TriggerPartition {
  readonly codecs = localCodecs();
  readonly definitions = new Definitions();
  readonly processor: TriggerProcessor;
  readonly stores;
  readonly partition: number;
  readonly #out: Emitter;
  #sequence = 0;
  #offset = 0;

  constructor(options: TriggerProcessorOptions) {
    const { folder, partition = 0, partitions = LANE_PARTITIONS, hasPasts = false } = options;
    this.partition = partition;
    this.#out = options.out ?? nowhere;
    this.#offset = options.firstOffset ?? 0;
    this.stores = openPartitionStores(folder, triggerService.stores);
    const { stores, codecs } = this;
    this.processor = new TriggerProcessor({
      ...{ partition, partitions, codecs, hasPasts },
      store: stores.keyed,
    });
  }

  define(kind: 'segment' | 'journey', id: string, body: unknown): void {
    const record = { kind, workspace: WORKSPACE, id, version: VERSION, deleted: false, at: 0 };
    this.definitions.apply(this.definitions.offset, { ...record, body: JSON.stringify(body) });
  }

  /** One batch; it is committed, and not yet on the disk. */
  batch(time: number, records: readonly InputRecord[]): void {
    this.#sequence += 1;
    const batch = { sequence: this.#sequence, time, definitions: this.definitions };
    for (const record of records) this.processor.onRecord(record, batch, this.#out);
    this.processor.onBatchEnd(batch, this.#out);
    this.stores.committed(this.#sequence);
  }

  event(personId: string, event: CollectedEvent): InputRecord {
    const fields = { kind: 'event', person_id: personId, merged_at: event.received_at, event } as const;
    return this.record('eventsMerged', personId, this.#encode({ workspace: WORKSPACE, ...fields }));
  }

  /** Every lane has been read up to this time, ms. */
  watermarks(time: number): InputRecord[] {
    return Array.from({ length: LANE_PARTITIONS }, (_, lane) =>
      this.record('eventsMerged', '', this.codecs.MergedEvent.encode(watermarkRecord(lane, time))),
    );
  }

  record(topic: 'eventsMerged' | 'triggerTransfers', personId: string, value: Buffer): InputRecord {
    this.#offset += 1;
    const key = Buffer.from(`${WORKSPACE}:${personId}`);
    const bytes = Buffer.concat([key, value]);
    return {
      topic,
      partition: this.partition,
      offset: this.#offset,
      appendedAt: 0,
      bytes,
      keyStart: 0,
      keyEnd: key.length,
      valueStart: key.length,
      valueEnd: bytes.length,
    };
  }

  close(): void {
    this.stores.close();
  }

  #encode(fields: Parameters<typeof mergedEvent>[0]): Buffer {
    const record: MergedEvent = mergedEvent(fields);
    return this.codecs.MergedEvent.encode(record);
  }
}

/** Behind `cio_`. */
export const PERSON_DIGITS = 16;

export function personId(number: number): string {
  return `cio_${String(number).padStart(PERSON_DIGITS, '0')}`;
}

/** @param number of the record, which no other has. */
export function collected(number: number, at: number, fields: Partial<CollectedEvent>): CollectedEvent {
  return {
    ...EVENT,
    received_at: at,
    timestamp: at,
    message_id: `message-${String(number)}`,
    ...fields,
  };
}

const EVENT: CollectedEvent = {
  received_at: 0,
  type: 'event',
  identifier_kind: 'id',
  identifier: 'user-1',
  anonymous_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  message_id: '',
  timestamp: 0,
  workspace: WORKSPACE,
  source: 'track.v1.event',
  name: null,
  id: null,
  email: null,
  cio_id: null,
  update_only: false,
  attributes_at: null,
  properties: null,
  context:
    '{"library":{"name":"analytics.js","version":"next-0.5.11"},"page":{"url":"https://shop.example/p/1"}}',
  bot: false,
  waits: true,
};

/** ms of CPU, of the process. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
