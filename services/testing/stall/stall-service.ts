/**
 * A service that a timer makes speak: "no B within ten minutes after an A". A test's own, behind the trigger's ports: it
 * reads the merger's real outputs, its time is the least of the lane partitions' watermarks, and it tells each stall once.
 * An A and a B may come from different lanes, so in any order; what counts is when they were received.
 */
import { activity } from '../../../schemas/activity.ts';
import type { Codecs } from '../../../schemas/codec.ts';
import type { InputRecord } from '../../runtime/log/ports.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { BatchContext, Emitter, Processor, ServiceSpec } from '../../runtime/task/ports.ts';
import { Watermarks } from '../../trigger/watermarks.ts';

export const stallMs = 10 * 60_000;
export const stalledKind = 'Stalled';
const TIMERS_A_BATCH_MAX = 5;

/** Whose time it takes. By the clock it is wrong after a stop, which shows that the test can fail. */
export type Time = 'watermark' | 'clock';

export function stallService(by: Time = 'watermark'): ServiceSpec {
  return {
    name: 'trigger',
    inputs: ['eventsMerged', 'triggerTransfers'],
    journal: 'triggerJournal',
    deciderVersion: 1,
    stores: {},
    open: (_partition, partitions, { keyed }, codecs) => new StallProcessor(partitions, keyed, codecs, by),
  };
}

class StallProcessor implements Processor {
  readonly #store: KeyedStore;
  readonly #codecs: Codecs;
  readonly #watermarks: Watermarks;
  readonly #by: Time;

  constructor(partitions: number, store: KeyedStore, codecs: Codecs, by: Time) {
    this.#store = store;
    this.#codecs = codecs;
    this.#watermarks = new Watermarks(partitions, store);
    this.#by = by;
  }

  onRecord(record: InputRecord): void {
    if (record.topic !== 'eventsMerged') return;
    const merged = this.#codecs.MergedEvent.decode(record.bytes, record.valueStart, record.valueEnd);
    if (merged.kind === 'watermark') {
      this.#watermarks.take(merged.source_partition, merged.workspace, merged.merged_at);
    }
    const { event, person_id: person } = merged;
    if (event?.name === 'A') {
      const due = event.received_at + stallMs;
      this.#store.put(`timer/${digits(due)}/${event.message_id}`, Buffer.from(person));
    } else if (event?.name === 'B') {
      this.#store.put(`b/${person}/${digits(event.received_at)}`, Buffer.alloc(0));
    }
  }

  onBatchEnd({ time }: BatchContext, out: Emitter): void {
    for (const [key, value] of this.#due(time)) {
      this.#store.delete(key);
      const [, due = '', messageId = ''] = key.split('/');
      const person = value.toString();
      const from = `b/${person}/${digits(Number(due) - stallMs)}`;
      if (this.#store.scan(from, `b/${person}/${due}`, 1).length > 0) continue;
      const line = activity({
        workspace: 'default',
        kind: stalledKind,
        person_id: person,
        timestamp: Number(due),
        message_id: messageId,
      });
      out.emit('activitiesLogged', person, this.#codecs.Activity.encode(line));
    }
  }

  wantsBatch(time: number): boolean {
    return this.#due(time).length > 0;
  }

  pendingSince(): undefined {
    return undefined;
  }
  receivedAt(): undefined {
    return undefined;
  }
  status(): { readonly unsettled: number; readonly watermark: number } {
    const { lowest } = this.#watermarks;
    return { unsettled: this.#due(lowest).length, watermark: lowest };
  }

  #due(clock: number): [key: string, value: Buffer][] {
    const now = this.#by === 'watermark' ? this.#watermarks.lowest : clock;
    return this.#store.scan('timer/', `timer/${digits(now + 1)}`, TIMERS_A_BATCH_MAX);
  }
}

function digits(ms: number): string {
  return String(ms).padStart(15, '0');
}
