/** The workload as frames of bytes, made a block at a time, so that any number of events fits into memory. */
import type { Codecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { asCollected, Workload } from '../workload.ts';

/** Records of one batch, partition by partition as one fetch brings them: bytes, and four numbers a record. */
export interface Frame {
  readonly topic: TopicId;
  readonly bytes: Buffer;
  /** Partition, start of the key, start of the value, end of the value. */
  readonly places: Int32Array;
  readonly time: number;
}
export const PLACE = 4;

export type Part = readonly [partition: number, key: Buffer, value: Buffer];

export function frameOf(topic: TopicId, parts: Part[], time: number): Frame {
  parts.sort((a, b) => a[0] - b[0]); // stable
  const places = new Int32Array(parts.length * PLACE);
  let at = 0;
  for (const [index, [partition, key, value]] of parts.entries()) {
    const valueStart = at + key.length;
    places.set([partition, at, valueStart, valueStart + value.length], index * PLACE);
    at = valueStart + value.length;
  }
  return { topic, bytes: Buffer.concat(parts.flatMap(([, key, value]) => [key, value])), places, time };
}

export interface FramesOptions {
  readonly codecs: Codecs;
  readonly partitions: number;
  readonly seed: number;
  /** Visitors active at any time. */
  readonly active?: number;
  /** Without, those who would identify look at one more page. */
  readonly identifies: boolean;
  /** Events of a batch. */
  readonly batch: number;
}

const CLAIMED = -1;

export class Frames {
  readonly #options: FramesOptions;
  readonly #workload: Workload;
  /** Events that wait, by visitor; CLAIMED once there is a claim. */
  #waitingOf = new Int32Array(1 << 16);
  #waiting = 0;
  #made = 0;

  constructor(options: FramesOptions) {
    this.#options = options;
    this.#workload = new Workload(options.seed, options.active);
  }

  get made(): number {
    return this.#made;
  }
  /** Of the events made: those of visitors whom nobody has claimed. */
  get waiting(): number {
    return this.#waiting;
  }
  /** Receive time of the last event made. */
  get receivedAt(): number {
    return this.#workload.event.receivedAt;
  }

  /** @param eventsMax made in all, with those before. */
  block(batches: number, eventsMax: number): readonly Frame[] {
    const frames: Frame[] = [];
    while (frames.length < batches && this.#made < eventsMax) {
      frames.push(this.#frame(Math.min(this.#options.batch, eventsMax - this.#made)));
    }
    return frames;
  }

  #frame(events: number): Frame {
    const { codecs, partitions, identifies } = this.#options;
    const records: Part[] = [];
    for (let i = 0; i < events; i += 1) {
      const event = this.#workload.next();
      if (!identifies && event.userId !== null) {
        event.userId = null;
        event.name = 'page_viewed';
      }
      this.#count(event.visitor, event.userId !== null);
      const key = `shop:a:${event.anonymousId}`;
      const value = codecs.CollectedEvent.encode(asCollected(event));
      records.push([partitionOf(key, partitions), Buffer.from(key), value]);
    }
    this.#made += events;
    return frameOf('eventsCollected', records, this.receivedAt);
  }

  #count(visitor: number, claims: boolean): void {
    if (visitor >= this.#waitingOf.length) {
      const grown = new Int32Array(Math.max(visitor + 1, this.#waitingOf.length * 2));
      grown.set(this.#waitingOf);
      this.#waitingOf = grown;
    }
    const before = this.#waitingOf[visitor] ?? 0;
    if (before === CLAIMED) return;
    this.#waiting += claims ? -before : 1;
    this.#waitingOf[visitor] = claims ? CLAIMED : before + 1;
  }
}
