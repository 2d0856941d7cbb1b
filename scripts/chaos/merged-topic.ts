/**
 * events.merged as a subscriber sees it while everything is killed: read_committed, decoded through the registry. Notes
 * when each message could first be read, and in the end gives all of them in the order of the topic.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../schemas/codec.ts';
import { CodedError } from '../../services/runtime/errors.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Log, LogReader, RecordSlice } from '../../services/runtime/log/ports.ts';
import { findSchemas } from '../../services/runtime/registry.ts';
import type { Installation } from '../sample/installation.ts';
import type { EventRow } from '../sample/tables.ts';

const topic = 'eventsMerged';
const reading = { bufferBytesMax: 8 << 20, fetchBytesMax: 1 << 20, waitMsMax: 100 } as const;
const waitMs = 100;
const pauseMs = 300;
const catchUpMsMax = 120_000;
/** What is an event of a person; an identify call is a record of the topic too, but none of the oracle's events. */
const eventTypes: readonly string[] = ['event', 'page', 'screen'];

export class MergedTopic {
  readonly rows: EventRow[] = [];
  /** Person id to the id that the shop gave; a second person of one id is left out, so its events lie with nobody. */
  readonly idOf = new Map<string, string>();
  /** Message id to performance.now when it could first be read. */
  readonly readableAt = new Map<string, number>();
  /** How often the reader had to be opened anew. */
  reopened = 0;
  readonly #log: Log;
  readonly #codecs: Codecs;
  readonly #next: number[];
  readonly #ids = new Set<string>();
  #closed = false;
  #following: Promise<void> = Promise.resolve();

  private constructor(log: Log, codecs: Codecs, partitions: number) {
    this.#log = log;
    this.#codecs = codecs;
    this.#next = Array.from({ length: partitions }, () => 0);
  }

  /** From the beginning of the topic. */
  static async follow({ kafka, registry }: Pick<Installation, 'kafka' | 'registry'>): Promise<MergedTopic> {
    const codecs = await findSchemas({ url: registry });
    const log = await openLog({ brokers: kafka.split(','), clientId: 'chaos', prefix: '' });
    const merged = new MergedTopic(log, codecs, await log.admin.partitionsOf(topic));
    merged.#following = merged.#follow();
    return merged;
  }

  /** Resolves when everything that is on the topic now has been read; rows are then in its order. */
  async catchUp(): Promise<void> {
    const ends = await this.#log.admin.endOffsets(topic);
    const deadline = performance.now() + catchUpMsMax;
    while (ends.some((end, partition) => (this.#next[partition] ?? 0) < end)) {
      if (performance.now() > deadline) {
        throw new CodedError('log_stalled', `could not read events.merged to ${ends.join()}`);
      }
      await sleep(waitMs);
    }
    this.rows.sort((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#following;
    await this.#log.close();
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed()) {
      const reader = this.#log.reader(reading);
      try {
        await reader.start(this.#next.map((offset, partition) => ({ topic, partition, offset })));
        while (!this.#isClosed()) await this.#read(reader);
      } catch {
        this.reopened += 1; // a broker that was killed; what was read stays read
        await sleep(pauseMs);
      } finally {
        await reader.close();
      }
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #read(reader: LogReader): Promise<void> {
    await reader.wait(waitMs);
    for (const slice of reader.take(reading.fetchBytesMax)) {
      this.#note(slice);
      this.#next[slice.partition] = slice.next;
      slice.release();
    }
  }

  #note(slice: RecordSlice): void {
    const now = performance.now();
    slice.forEach(({ bytes, valueStart, valueEnd, partition, offset }) => {
      const record = this.#codecs.MergedEvent.decode(bytes, valueStart, valueEnd);
      const { event, person_id } = record;
      if (record.kind !== 'event' || event === null) return;
      if (event.type === 'identify' && event.id !== null && !this.#ids.has(event.id)) {
        this.#ids.add(event.id);
        this.idOf.set(person_id, event.id);
      }
      if (!eventTypes.includes(event.type)) return;
      const { message_id, anonymous_id } = event;
      if (!this.readableAt.has(message_id)) this.readableAt.set(message_id, now);
      this.rows.push({ message_id, person_id, anonymous_id, partition, offset: String(offset) });
    });
  }
}
