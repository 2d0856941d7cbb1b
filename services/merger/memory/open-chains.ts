/**
 * Chains of lanes that are being worked on, kept between batches so that a long one is walked once and not once a
 * batch. Only a saving: what is not here is read again.
 */
import type { EventStore, LaneSlot, StoredEvents } from '../../runtime/store/ports.ts';
import { openEventsMax, waitingMs } from '../decide/limits.ts';
import { ShortQueues, type Queue } from './short-queues.ts';

/** Bytes before a queued value: the event's offset on events.collected, and the number of what it asked ahead or 0. */
export const QUEUED_PREFIX_BYTES = 16;
export const QUEUED_NUMBER_AT = 8;

/** What was queued when the chain was opened. */
class OpenQueue implements Queue {
  readonly #events: StoredEvents;
  #lowest: Float64Array | undefined;
  /** Of events that joined since. */
  #lowestSince = Infinity;

  constructor(events: StoredEvents) {
    this.#events = events;
  }
  get length(): number {
    return this.#events.length;
  }
  read(index: number): Buffer {
    return this.#events.read(index);
  }
  joined(receivedAt: number): void {
    this.#lowestSince = Math.min(this.#lowestSince, receivedAt);
  }
  lowestFrom(index: number): number {
    return Math.min(this.#suffixes()[index] ?? Infinity, this.#lowestSince);
  }
  #suffixes(): Float64Array {
    if (this.#lowest === undefined) {
      const events = this.#events;
      this.#lowest = new Float64Array(events.length);
      let lowest = Infinity;
      for (let i = events.length - 1; i >= 0; i -= 1) {
        lowest = Math.min(lowest, events.receivedAt(i));
        this.#lowest[i] = lowest;
      }
    }
    return this.#lowest;
  }
}

interface OpenWaiting {
  readonly events: StoredEvents;
  readonly places: number;
  isSorted: boolean;
}

/** What an open chain costs beside its places, counted in places: a read buffer. */
const CHAIN_PLACES = 256;

export class OpenChains {
  readonly #store: EventStore;
  readonly #waiting = new Map<string, OpenWaiting>();
  readonly #queues = new Map<string, OpenQueue>();
  readonly #short = new ShortQueues();
  #places = 0;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** What waited for this claim, in (timestamp, arrival) order. */
  waiting(hex: string, slot: LaneSlot, claimedAt: number): StoredEvents {
    const open = this.#waiting.get(hex);
    if (open?.isSorted === true) return open.events;
    const chain = open ?? this.#open(hex, slot, claimedAt, Infinity);
    chain.events.readTo(Infinity);
    chain.events.sortByTimestamp();
    chain.isSorted = true;
    return chain.events;
  }
  /** Reads so many of it, those included that were read before; true when there are fewer. */
  readAhead(hex: string, slot: LaneSlot, claimedAt: number, events: number): boolean {
    const open = this.#waiting.get(hex) ?? this.#open(hex, slot, claimedAt, events);
    return open.events.readTo(events);
  }
  #open(hex: string, slot: LaneSlot, claimedAt: number, eventsMax: number): OpenWaiting {
    const places = this.#store.count(slot, 'waiting');
    this.#room(places);
    const events = this.#store.events(slot, 'waiting', claimedAt - waitingMs, eventsMax);
    const open = { events, places, isSorted: false };
    this.#waiting.set(hex, open);
    return open;
  }

  /** The queue with at least the event at this place, which must be there. */
  queue(hex: string, slot: LaneSlot, index: number): Queue {
    const short = this.#short.get(hex);
    if (short !== undefined && index < short.length) return short;
    const open = this.#queues.get(hex);
    if (open !== undefined && index < open.length) return open;
    this.#forgetQueue(hex);
    const queue = new OpenQueue(this.#store.events(slot, 'queued', 0));
    this.#room(queue.length);
    this.#queues.set(hex, queue);
    return queue;
  }
  /** Would `queue` have to read the chain again? */
  isOpen(hex: string, index: number): boolean {
    return index < (this.#short.get(hex)?.length ?? this.#queues.get(hex)?.length ?? 0);
  }
  /** An event joined the lane's queue at this place; its bytes are kept as they are. */
  joined(hex: string, place: number, value: Buffer, receivedAt: number): void {
    this.#short.joined(hex, place, value, receivedAt);
    this.#queues.get(hex)?.joined(receivedAt);
  }

  /** Clears what has been released. */
  clearWaiting(hex: string, slot: LaneSlot): void {
    const open = this.#waiting.get(hex);
    if (open !== undefined) this.#places -= open.places + CHAIN_PLACES;
    this.#waiting.delete(hex);
    this.#store.clear(slot, 'waiting');
  }
  clearQueue(hex: string, slot: LaneSlot): void {
    this.#forgetQueue(hex);
    this.#store.clear(slot, 'queued');
  }

  /** Writes the queue anew from this place on, when most of what is stored is done: it then starts at 0. */
  shortenQueue(hex: string, slot: LaneSlot, from: number): void {
    this.#forgetQueue(hex);
    const events = this.#store.events(slot, 'queued', 0);
    this.#store.clear(slot, 'queued');
    for (let i = from; i < events.length; i += 1) {
      const bytes = Buffer.from(events.read(i)); // the store may reuse its view when it appends
      this.#store.append(slot, 'queued', events.receivedAt(i), events.timestamp(i), bytes, 0, bytes.length);
    }
  }

  #forgetQueue(hex: string): void {
    this.#short.forget(hex);
    const queue = this.#queues.get(hex);
    if (queue !== undefined) this.#places -= queue.length + CHAIN_PLACES;
    this.#queues.delete(hex);
  }

  #room(events: number): void {
    if (this.#places + events > openEventsMax) {
      this.#waiting.clear();
      this.#queues.clear();
      this.#places = 0;
    }
    this.#places += events + CHAIN_PLACES;
  }
}
