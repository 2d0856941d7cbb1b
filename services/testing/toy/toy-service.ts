/**
 * A small service for tests of the shell: it counts events by lane, remembers a timer for each, and answers with a line
 * of the activity log for either. Its outputs depend on everything that a batch brings: records, time, definitions.
 */
import { activity } from '../../../schemas/activity.ts';
import type { Codecs } from '../../../schemas/codec.ts';
import { assert } from '../../runtime/errors.ts';
import type { InputRecord } from '../../runtime/log/ports.ts';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { BatchContext, Emitter, Processor, ServiceSpec } from '../../runtime/task/ports.ts';

export const toyTimerMs = 1_000;
const TIMERS_A_BATCH_MAX = 3;

export const toyService: ServiceSpec = {
  name: 'merger',
  inputs: ['eventsCollected'],
  journal: 'mergerJournal',
  deciderVersion: 1,
  stores: {},
  watermarks: {
    encode: () => [],
  },
  open: (partition, partitions, stores, codecs) => new ToyProcessor(stores, codecs),
};

/** Writes its watermarks as activities that say so: message_id the lane partition, timestamp the time, detail the offset. */
export const watermarkedToyService: ServiceSpec = {
  ...toyService,
  watermarks: {
    encode: (partition, { time, offset }, codecs) => [
      {
        topic: 'segmentsChanged',
        value: codecs.Activity.encode(
          activity({
            workspace: '',
            kind: 'watermark',
            timestamp: time,
            message_id: String(partition),
            detail: String(offset),
          }),
        ),
      },
    ],
  },
};

/** Counts by what it has kept of each lane in the event store, which it reads each time. */
export const storingToyService: ServiceSpec = {
  ...toyService,
  stores: { events: { retentionMs: 30 * 86_400_000 } },
  open: (partition, partitions, stores, codecs) => {
    const { events } = stores;
    assert(events !== undefined, 'the event store that was asked for is there');
    const processor = toyService.open(partition, partitions, stores, codecs);
    const onRecord = processor.onRecord.bind(processor);
    return Object.assign(processor, {
      onRecord: (...[record, batch, out]: Parameters<typeof onRecord>) => {
        const lane = events.lane(record.bytes, record.keyStart, record.keyEnd);
        const text = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
        stores.keyed.put(`count/${text}`, Buffer.from(String(events.events(lane, 'waiting', 0).length)));
        const { bytes, valueStart, valueEnd } = record;
        events.append(lane, 'waiting', batch.time, batch.time, bytes, valueStart, valueEnd);
        onRecord(record, batch, out);
      },
    });
  },
};

class ToyProcessor implements Processor {
  readonly #stores: PartitionStores;
  readonly #codecs: Codecs;

  constructor(stores: PartitionStores, codecs: Codecs) {
    this.#stores = stores;
    this.#codecs = codecs;
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    const event = this.#codecs.CollectedEvent.decode(record.bytes, record.valueStart, record.valueEnd);
    const lane = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
    const count = Number(this.#stores.keyed.get(`count/${lane}`)?.toString() ?? 0) + 1;
    this.#stores.keyed.put(`count/${lane}`, Buffer.from(String(count)));
    const due = String(event.received_at + toyTimerMs).padStart(15, '0');
    this.#stores.keyed.put(`timer/${due}/${event.message_id}`, Buffer.from(lane));
    this.#emit(
      out,
      'counted',
      { lane, messageId: event.message_id, at: event.received_at },
      {
        count,
        settings: batch.definitions.list('workspace', event.workspace).length,
      },
    );
  }

  onBatchEnd(batch: BatchContext, out: Emitter): void {
    for (const [key, lane] of this.#due(batch.time)) {
      this.#stores.keyed.delete(key);
      const [, due, messageId] = key.split('/');
      this.#emit(out, 'timer', { lane: lane.toString(), messageId: messageId ?? '', at: Number(due) }, {});
    }
  }

  wantsBatch(time: number): boolean {
    return this.#due(time).length > 0;
  }

  pendingSince(): undefined {
    return undefined;
  }

  receivedAt(record: InputRecord): number {
    return this.#codecs.CollectedEvent.decode(record.bytes, record.valueStart, record.valueEnd).received_at;
  }

  status(): { readonly unsettled: number } {
    return { unsettled: 0 };
  }

  #due(time: number): [string, Buffer][] {
    return this.#stores.keyed.scan(
      'timer/',
      `timer/${String(time + 1).padStart(15, '0')}`,
      TIMERS_A_BATCH_MAX,
    );
  }

  #emit(
    out: Emitter,
    kind: string,
    event: { lane: string; messageId: string; at: number },
    detail: object,
  ): void {
    const [workspace = ''] = event.lane.split(':');
    const line = activity({
      workspace,
      kind,
      anonymous_id: event.lane,
      timestamp: event.at,
      message_id: event.messageId,
      detail: JSON.stringify(detail),
    });
    out.emit('activitiesLogged', event.lane, this.#codecs.Activity.encode(line));
  }
}
