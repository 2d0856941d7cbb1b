/**
 * Stores with a part left out, to see what the part costs. The bench puts them behind the ports that the lanes are given;
 * the product has no such switch.
 */
import { assert } from '../../services/runtime/errors.ts';
import type {
  Chain,
  EventStore,
  HashWindow,
  KeyedStore,
  LaneSlot,
  PartitionStores,
  StoredEvents,
} from '../../services/runtime/store/ports.ts';

export const parts = ['duplicates', 'events', 'keyed', 'outputs', 'identity'] as const;
/** duplicates: no id is remembered. events: waiting events are not kept. keyed: a Map. outputs: nothing is serialised. identity: nobody identifies. */
export type LanePart = (typeof parts)[number];

export function without(left: ReadonlySet<LanePart>, stores: PartitionStores): PartitionStores {
  const { events, duplicates } = stores;
  assert(events !== undefined && duplicates !== undefined, 'lanes have both stores');
  return {
    keyed: left.has('keyed') ? new MapStore() : stores.keyed,
    events: left.has('events') ? new ForgetfulEvents(events) : events,
    duplicates: left.has('duplicates') ? noRepeats : duplicates,
    get mark() {
      return stores.mark;
    },
    committed: (sequence) => {
      stores.committed(sequence);
    },
    flush: () => {
      stores.flush();
    },
    snapshot: (folder) => stores.snapshot(folder),
    close: () => {
      stores.close();
    },
  };
}

const noRepeats: HashWindow = { seen: () => false, entries: 0, forgottenEarly: 0 };

const nothingStored: StoredEvents = {
  length: 0,
  readTo: () => true,
  sortByTimestamp: () => undefined,
  receivedAt: () => 0,
  timestamp: () => 0,
  read: () => Buffer.alloc(0),
};

/** Lanes, their flags and what queues behind a question are the real store's; what waits for a claim is not kept. */
class ForgetfulEvents implements EventStore {
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }
  lane(bytes: Uint8Array, start: number, end: number): LaneSlot {
    return this.#store.lane(bytes, start, end);
  }
  knownLane(bytes: Uint8Array, start: number, end: number): LaneSlot | undefined {
    return this.#store.knownLane(bytes, start, end);
  }
  flags(lane: LaneSlot): number {
    return this.#store.flags(lane);
  }
  setFlags(lane: LaneSlot, flags: number): void {
    this.#store.setFlags(lane, flags);
  }
  laneKeyHex(lane: LaneSlot): string {
    return this.#store.laneKeyHex(lane);
  }
  laneWord(lane: LaneSlot, word: 0 | 1): number {
    return this.#store.laneWord(lane, word);
  }
  append(...appended: Parameters<EventStore['append']>): void {
    if (appended[1] !== 'waiting') this.#store.append(...appended);
  }
  count(lane: LaneSlot, chain: Chain): number {
    return chain === 'waiting' ? 0 : this.#store.count(lane, chain);
  }
  events(lane: LaneSlot, chain: Chain, receivedFrom: number, eventsMax?: number): StoredEvents {
    return chain === 'waiting' ? nothingStored : this.#store.events(lane, chain, receivedFrom, eventsMax);
  }
  clear(lane: LaneSlot, chain: Chain): void {
    this.#store.clear(lane, chain);
  }
  expire(receivedBefore: number): void {
    this.#store.expire(receivedBefore);
  }
  get bytesOnDisk(): number {
    return this.#store.bytesOnDisk;
  }
  get lanes(): number {
    return this.#store.lanes;
  }
}

class MapStore implements KeyedStore {
  readonly #values = new Map<string, Buffer>();

  get(key: string): Buffer | undefined {
    return this.#values.get(key);
  }
  put(key: string, value: Uint8Array): void {
    this.#values.set(key, Buffer.from(value));
  }
  putLate(key: string, encode: () => Buffer): void {
    this.#values.set(key, encode());
  }
  delete(key: string): void {
    this.#values.delete(key);
  }
  /** Lanes scan when they open only, when there is nothing. */
  scan(from: string, to: string, limit: number): [string, Buffer][] {
    return [...this.#values]
      .filter(([key]) => key >= from && key < to)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit);
  }
}
