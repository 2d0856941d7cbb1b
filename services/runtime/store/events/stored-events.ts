/** The events of one chain: where they lie and when they were, ordered by arrival until sorted. */
import {
  FIRST,
  lengthOf,
  NEXT_BEFORE,
  offsetAt,
  RECEIVED_AT,
  segmentAt,
  timeAt,
  TIMESTAMP,
  typeOf,
  valueAt,
} from './event-record.ts';
import type { StoredEvents } from '../ports.ts';
import type { ReadWindow } from './read-window.ts';
import { stableOrder } from './stable-order.ts';

/** Longest chain whose values are kept in memory from the walk. */
const keptEventsMax = 64;

export class ChainEvents implements StoredEvents {
  readonly #window: ReadWindow;
  readonly #receivedFrom: number;
  /** Where the walk is. */
  #segment: number;
  #offset: number;
  #places: Float64Array;
  #received: Float64Array;
  #timestamps: Float64Array;
  /** Values of a short chain, kept from the walk, so that releasing it reads nothing twice. */
  #kept: Buffer[] | undefined;
  /** Places in order once sorted, where it is not that of arrival. */
  #order: Uint32Array | undefined;
  #isWhole = false;
  length = 0;

  /** @param window of the store's log; chains of one store share it. */
  constructor(window: ReadWindow, head: ChainHead, receivedFrom: number) {
    this.#window = window;
    this.#receivedFrom = receivedFrom;
    this.#segment = head.segment;
    this.#offset = head.offset;
    const capacity = Math.max(4, head.count);
    this.#places = new Float64Array(capacity);
    this.#received = new Float64Array(capacity);
    this.#timestamps = new Float64Array(capacity);
    if (head.count <= keptEventsMax) this.#kept = [];
  }

  /** Follows the back pointers from the newest event; keeps those received at or after receivedFrom. */
  readTo(events: number): boolean {
    if (this.#isWhole) return this.length < events;
    const window = this.#window;
    while (this.#segment !== 0 && this.#segment >= window.segmentMin) {
      if (this.length >= events) return false;
      const lead = window.find(this.#segment, this.#offset);
      const { view, found } = window;
      const receivedAt = timeAt(view, found + RECEIVED_AT);
      if (receivedAt >= this.#receivedFrom) {
        this.#add(this.#segment * 2 ** 32 + this.#offset, receivedAt, timeAt(view, found + TIMESTAMP));
        this.#kept?.push(Buffer.from(valueOf(window, lead)));
      }
      if (typeOf(lead) === FIRST) break;
      this.#offset = offsetAt(view, found + NEXT_BEFORE);
      this.#segment = segmentAt(view, found + NEXT_BEFORE, this.#segment);
    }
    this.#isWhole = true;
    this.#places = this.#places.subarray(0, this.length).reverse();
    this.#received = this.#received.subarray(0, this.length).reverse();
    this.#timestamps = this.#timestamps.subarray(0, this.length).reverse();
    this.#kept?.reverse();
    return this.length < events;
  }

  sortByTimestamp(): void {
    if (this.#isSorted()) return; // most visitors' clocks agree with their arrival
    this.#order = stableOrder(this.#timestamps);
  }

  #isSorted(): boolean {
    for (let i = 1; i < this.length; i += 1) {
      if ((this.#timestamps[i] as number) < (this.#timestamps[i - 1] as number)) return false;
    }
    return true;
  }

  receivedAt(index: number): number {
    return this.#received[this.#at(index)] as number; // index < length is the caller's duty
  }
  timestamp(index: number): number {
    return this.#timestamps[this.#at(index)] as number;
  }
  read(index: number): Buffer {
    const at = this.#at(index);
    const kept = this.#kept?.[at];
    if (kept !== undefined) return kept;
    const place = this.#places[at] as number;
    const window = this.#window;
    // What is not written yet is copied: it lies where the next append goes, and an event may be appended anew.
    const value = valueOf(window, window.find(Math.floor(place / 2 ** 32), place % 2 ** 32));
    return window.isUnwritten ? Buffer.from(value) : value;
  }

  #at(index: number): number {
    return this.#order === undefined ? index : (this.#order[index] as number); // index < length
  }

  #add(place: number, receivedAt: number, timestamp: number): void {
    if (this.length === this.#places.length) {
      this.#places = doubled(this.#places);
      this.#received = doubled(this.#received);
      this.#timestamps = doubled(this.#timestamps);
    }
    this.#places[this.length] = place;
    this.#received[this.length] = receivedAt;
    this.#timestamps[this.length] = timestamp;
    this.length += 1;
  }
}

export interface ChainHead {
  readonly segment: number;
  readonly offset: number;
  /** Expected; only a size to begin with. */
  readonly count: number;
}

/** Of the record that was found last. */
function valueOf({ bytes, found }: ReadWindow, lead: number): Buffer {
  return bytes.subarray(found + valueAt(lead), found + lengthOf(lead));
}

function doubled(array: Float64Array): Float64Array {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
