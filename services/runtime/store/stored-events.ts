/** The events of one chain: where they lie and when they were, ordered by arrival until sorted. */
import { RECEIVED_AT, RECORD_HEADER_BYTES, timeAt, TIMESTAMP } from './event-record.ts';
import type { StoredEvents } from './ports.ts';
import type { ReadWindow } from './read-window.ts';

/** Longest chain whose values are kept in memory from the walk. */
const keptEventsMax = 64;

export class ChainEvents implements StoredEvents {
  readonly #window: ReadWindow;
  #places: Float64Array;
  #received: Float64Array;
  #timestamps: Float64Array;
  /** Values of a short chain, kept from the walk, so that releasing it reads nothing twice. */
  #kept: Buffer[] | undefined;
  length = 0;

  /** @param window of the store's log; chains of one store share it. */
  constructor(window: ReadWindow, expected: number) {
    this.#window = window;
    const capacity = Math.max(4, expected);
    this.#places = new Float64Array(capacity);
    this.#received = new Float64Array(capacity);
    this.#timestamps = new Float64Array(capacity);
    if (expected <= keptEventsMax) this.#kept = [];
  }

  /** Follows the back pointers from the newest event; keeps those received at or after receivedFrom. */
  walk(segment: number, offset: number, receivedFrom: number): this {
    let at = segment;
    let place = offset;
    const window = this.#window;
    while (at !== 0 && at >= window.segmentMin) {
      const length = window.find(at, place);
      const { view, found } = window;
      const receivedAt = timeAt(view, found + RECEIVED_AT);
      if (receivedAt >= receivedFrom) {
        this.#add(at * 2 ** 32 + place, receivedAt, timeAt(view, found + TIMESTAMP));
        this.#kept?.push(Buffer.from(window.bytes.subarray(found + RECORD_HEADER_BYTES, found + length)));
      }
      at = view.getUint32(found + 4, true);
      place = view.getUint32(found + 8, true);
    }
    this.#places.subarray(0, this.length).reverse();
    this.#received.subarray(0, this.length).reverse();
    this.#timestamps.subarray(0, this.length).reverse();
    this.#kept?.reverse();
    return this;
  }

  sortByTimestamp(): void {
    if (this.#isSorted()) return; // most visitors' clocks agree with their arrival
    // The index breaks ties, so equal timestamps keep their arrival order.
    const timestamps = this.#timestamps;
    const order = Array.from({ length: this.length }, (_, index) => index).sort(
      (a, b) => (timestamps[a] as number) - (timestamps[b] as number) || a - b, // both < length
    );
    const kept = this.#kept;
    if (kept !== undefined) this.#kept = order.map((index) => kept[index] as Buffer); // index < length
    this.#places = Float64Array.from(order, (index) => this.#places[index] as number);
    this.#received = Float64Array.from(order, (index) => this.#received[index] as number);
    this.#timestamps = Float64Array.from(order, (index) => timestamps[index] as number);
  }

  #isSorted(): boolean {
    for (let i = 1; i < this.length; i += 1) {
      if ((this.#timestamps[i] as number) < (this.#timestamps[i - 1] as number)) return false;
    }
    return true;
  }

  receivedAt(index: number): number {
    return this.#received[index] as number; // index < length is the caller's duty
  }
  timestamp(index: number): number {
    return this.#timestamps[index] as number;
  }
  read(index: number): Buffer {
    const kept = this.#kept?.[index];
    if (kept !== undefined) return kept;
    const place = this.#places[index] as number;
    const window = this.#window;
    const length = window.find(Math.floor(place / 2 ** 32), place % 2 ** 32);
    return window.bytes.subarray(window.found + RECORD_HEADER_BYTES, window.found + length);
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

function doubled(array: Float64Array): Float64Array {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
