/** The event store in memory. Strict: a slot or a view that is no longer valid is refused or overwritten. */
import { createHash } from 'node:crypto';
import { assert } from '../../runtime/errors.ts';
import type { Chain, EventStore, LaneSlot, StoredEvents } from '../../runtime/store/ports.ts';
import { Overlay } from './memory-overlay.ts';

interface StoredEvent {
  readonly receivedAt: number;
  readonly timestamp: number;
  readonly bytes: Buffer;
}

export interface Lane {
  readonly flags: number;
  readonly waiting: readonly StoredEvent[];
  readonly queued: readonly StoredEvent[];
}
const newLane: Lane = { flags: 0, waiting: [], queued: [] };

export class MemoryEventStore extends Overlay<Lane> implements EventStore {
  #slot: LaneSlot = 0;
  #hex = '';

  lane(bytes: Uint8Array, start: number, end: number): LaneSlot {
    this.#hex = createHash('md5').update(bytes.subarray(start, end)).digest('hex').slice(0, 24);
    this.#slot += 1;
    return this.#slot;
  }

  knownLane(bytes: Uint8Array, start: number, end: number): LaneSlot | undefined {
    return this.lane(bytes, start, end);
  }

  flags(lane: LaneSlot): number {
    return this.#at(lane).flags;
  }

  setFlags(lane: LaneSlot, flags: number): void {
    assert(Number.isInteger(flags) && flags >= 0 && flags < 256, `flags ${String(flags)} are at most 8 bits`);
    this.change(this.laneKeyHex(lane), { ...this.#at(lane), flags });
  }

  laneKeyHex(lane: LaneSlot): string {
    assert(lane === this.#slot, 'a lane slot is valid until the next call of lane only');
    return this.#hex;
  }

  laneWord(lane: LaneSlot, word: 0 | 1): number {
    return Number.parseInt(this.laneKeyHex(lane).slice(8 * word, 8 * word + 8), 16);
  }

  append(...appended: Parameters<EventStore['append']>): void {
    const [lane, chain, receivedAt, timestamp, bytes, start, end] = appended;
    const state = this.#at(lane);
    const event = { receivedAt, timestamp, bytes: Buffer.from(bytes.subarray(start, end)) };
    this.change(this.#hex, { ...state, [chain]: [...state[chain], event] });
  }

  count(lane: LaneSlot, chain: Chain): number {
    return this.#at(lane)[chain].length;
  }

  events(lane: LaneSlot, chain: Chain, receivedFrom: number, eventsMax = Infinity): StoredEvents {
    const stored = this.#at(lane)[chain];
    const events = stored.filter((event) => event.receivedAt >= receivedFrom);
    return new MemoryStoredEvents(events, eventsMax);
  }

  clear(lane: LaneSlot, chain: Chain): void {
    this.change(this.laneKeyHex(lane), { ...this.#at(lane), [chain]: [] });
  }

  expire(receivedBefore: number): void {
    for (const [hex, lane] of [...this.all()]) {
      const live = (event: StoredEvent): boolean => event.receivedAt >= receivedBefore;
      if (lane.waiting.every(live) && lane.queued.every(live)) continue;
      this.change(hex, { ...lane, waiting: lane.waiting.filter(live), queued: lane.queued.filter(live) });
    }
  }

  get bytesOnDisk(): number {
    let bytes = 0;
    for (const [, lane] of this.all()) {
      for (const event of [...lane.waiting, ...lane.queued]) bytes += event.bytes.length;
    }
    return bytes;
  }

  get lanes(): number {
    return this.size;
  }

  #at(lane: LaneSlot): Lane {
    return this.find(this.laneKeyHex(lane)) ?? newLane;
  }
}

class MemoryStoredEvents implements StoredEvents {
  readonly #events: StoredEvent[];
  #scratch = Buffer.alloc(0);
  #read: number;

  constructor(events: StoredEvent[], read: number) {
    this.#events = events;
    this.#read = read;
  }

  get length(): number {
    assert(this.#events.length < this.#read, 'the chain has been read to its end');
    return this.#events.length;
  }

  readTo(events: number): boolean {
    this.#read = Math.max(this.#read, events);
    return this.#events.length < events;
  }

  sortByTimestamp(): void {
    this.#events.sort((a, b) => a.timestamp - b.timestamp); // stable, so arrival decides between equals
  }

  receivedAt(index: number): number {
    return this.#at(index).receivedAt;
  }

  timestamp(index: number): number {
    return this.#at(index).timestamp;
  }

  /** Overwrites what the last call gave out, as the real store may. */
  read(index: number): Buffer {
    const { bytes } = this.#at(index);
    if (this.#scratch.length < bytes.length) this.#scratch = Buffer.alloc(bytes.length);
    bytes.copy(this.#scratch);
    return this.#scratch.subarray(0, bytes.length);
  }

  #at(index: number): StoredEvent {
    const event = this.#events[index];
    assert(event !== undefined, `no stored event ${String(index)}`);
    return event;
  }
}
