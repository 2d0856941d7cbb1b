/**
 * Records that wait because a timer of their person comes before them. A timer runs when the watermark has passed it,
 * which is a second or so after the clock, and then everything received before it has been read. A record that was
 * received after a timer's time is read sooner than that. If it were handled at once, one of two things would go wrong:
 * the timer would run now, and an earlier event that is still on its way by another lane, which prevents it, would come
 * too late; or it would run after the record, at a time that is over. So the record waits for the timer, and what follows
 * it in the person's stream waits behind it. What was received before the timer does not wait.
 *
 * A person is one of: free (nothing waits), held (the first that waits is behind a timer), ready (the timer has run, or is
 * none any more: what waits is handled in order, a bounded number a batch).
 */
import { CodedError } from '../runtime/errors.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import { WorkspaceCounts, workspaceIn, type CountBounds } from '../runtime/workspace-counts.ts';

export interface HeldRecord {
  /** Place on events.merged, for ever, however often it is forwarded. */
  readonly originPartition: number;
  readonly originOffset: number;
  /** ms */
  readonly mergedAt: number;
  /** Number of the merge that it was forwarded for; null: the person's own. */
  readonly forwardedFact: number | null;
  /** Value as it was read, with its wire header. */
  readonly value: Buffer;
}

/** Of one partition: people with records that wait for a timer, and these records, which lie in the store. */
export interface HeldBounds {
  readonly people: CountBounds;
  readonly records: CountBounds;
}
const usual: HeldBounds = {
  people: { max: 200_000, ofWorkspaceMax: 100_000, reservedMin: 1_000 },
  records: { max: 5_000_000, ofWorkspaceMax: 1_000_000, reservedMin: 10_000 },
};
/** `firstAt` of a queue whose first no timer holds. */
const HELD_BY_NONE = -Infinity;

interface Queue {
  readonly head: number;
  readonly tail: number;
  /** `mergedAt` of the first, ms. */
  readonly firstAt: number;
}

export interface Arrival {
  /** Of the record, ms. */
  readonly mergedAt: number;
  /** When the person's next timer is due, ms. */
  readonly changesAt: number;
  /** Everything received before it has been read, ms. */
  readonly readTo: number;
}

const LOAD_PEOPLE = 1_000;
const HEAD_BYTES = 28;
const INDEX_BYTES = 24;

export class HeldRecords {
  readonly #store: KeyedStore;
  readonly #changesAt: (personKey: string) => number;
  readonly #queues = new Map<string, Queue>();
  readonly #ready = new Set<string>();
  readonly #peopleOf: WorkspaceCounts;
  readonly #recordsOf: WorkspaceCounts;

  /** @param changesAt when a person's next timer is due, ms; Infinity for none. */
  constructor(store: KeyedStore, changesAt: (personKey: string) => number, bounds = usual) {
    this.#store = store;
    this.#peopleOf = new WorkspaceCounts(bounds.people);
    this.#recordsOf = new WorkspaceCounts(bounds.records);
    this.#changesAt = changesAt;
    for (let from = 'h:'; ;) {
      const found = store.scan(from, 'h;', LOAD_PEOPLE);
      for (const [key, value] of found) this.#load(key.slice(2), queueOf(value));
      const last = found.at(-1);
      if (last === undefined || found.length < LOAD_PEOPLE) break;
      from = `${last[0]}\0`;
    }
  }

  get people(): number {
    return this.#queues.size;
  }
  get records(): number {
    return this.#recordsOf.total;
  }
  get anyReady(): boolean {
    return this.#ready.size > 0;
  }

  /**
   * A record has to wait behind those that do: it was received after the first of them, or the first is about to be
   * handled, and would be by now if batches were cut otherwise.
   */
  isBehind(personKey: string, { mergedAt, changesAt, readTo }: Arrival): boolean {
    if (this.#queues.size === 0) return false;
    const queue = this.#queues.get(personKey);
    if (queue === undefined) return false;
    return mergedAt >= queue.firstAt || changesAt <= readTo || !isHeldBy(changesAt, queue);
  }

  /** Records wait that come before a timer of this time, ms: not all of them were handed out in one batch. */
  comesBefore(personKey: string, at: number): boolean {
    const queue = this.#queues.get(personKey);
    return queue !== undefined && !isHeldBy(at, queue);
  }

  /**
   * Where there is no more room the timer is not awaited: of who has nothing that waits, the record is to be handled now;
   * of others the oldest is handed out next, so that all of theirs stay in order.
   */
  hold(personKey: string, record: HeldRecord): 'held' | 'hurried' | 'now' {
    const queue = this.#queues.get(personKey);
    const hasRoom =
      this.#recordsOf.hasRoom(personKey) && (queue !== undefined || this.#peopleOf.hasRoom(personKey));
    if (!hasRoom && queue === undefined) return 'now';
    const { head, tail, firstAt } = queue ?? { head: 0, tail: 0, firstAt: record.mergedAt };
    this.#store.put(itemKey(personKey, tail), encodeItem(record));
    this.#recordsOf.add(personKey, 1);
    this.#save(personKey, { head, tail: tail + 1, firstAt: hasRoom ? firstAt : HELD_BY_NONE });
    if (hasRoom) return 'held';
    this.#ready.add(personKey);
    return 'hurried';
  }

  /** The person was looked at. @param changesAt when the next timer is due, ms. */
  looked(personKey: string, changesAt: number): void {
    if (this.#queues.size === 0) return;
    const queue = this.#queues.get(personKey);
    if (queue === undefined || isHeldBy(changesAt, queue)) this.#ready.delete(personKey);
    else this.#ready.add(personKey);
  }

  /**
   * Hands out what is ready, in the same order after any restart. Each says what it took of the batch; a workspace has so
   * much of it and no more.
   */
  drain(
    costMaxOf: (workspace: string) => number,
    handle: (personKey: string, record: HeldRecord) => number,
  ): void {
    const left = new Map<string, number>();
    for (const personKey of [...this.#ready].sort()) {
      const workspace = workspaceIn(personKey);
      let budget = left.get(workspace) ?? costMaxOf(workspace);
      while (budget > 0 && this.#isReady(personKey)) budget -= this.#handOut(personKey, handle);
      left.set(workspace, budget);
    }
  }

  /** What was handed out before may have set a timer anew. */
  #isReady(personKey: string): boolean {
    this.looked(personKey, this.#changesAt(personKey));
    return this.#ready.has(personKey);
  }

  #handOut(personKey: string, handle: (personKey: string, record: HeldRecord) => number): number {
    const queue = this.#queues.get(personKey);
    const first = queue && this.#store.get(itemKey(personKey, queue.head));
    if (queue === undefined || first === undefined) {
      throw new CodedError('held_record_missing', `could not find what ${personKey} has waiting`);
    }
    const record = decodeItem(first);
    this.#store.delete(itemKey(personKey, queue.head));
    this.#recordsOf.add(personKey, -1);
    const head = queue.head + 1;
    const next = head === queue.tail ? undefined : this.#store.get(itemKey(personKey, head));
    if (next === undefined) this.#forget(personKey);
    else this.#save(personKey, { head, tail: queue.tail, firstAt: decodeItem(next).mergedAt });
    return handle(personKey, record);
  }

  #save(personKey: string, queue: Queue): void {
    if (!this.#queues.has(personKey)) this.#peopleOf.add(personKey, 1);
    this.#queues.set(personKey, queue);
    const bytes = Buffer.allocUnsafe(INDEX_BYTES);
    bytes.writeDoubleLE(queue.head, 0);
    bytes.writeDoubleLE(queue.tail, 8);
    bytes.writeDoubleLE(queue.firstAt, 16);
    this.#store.put(`h:${personKey}`, bytes);
  }

  #forget(personKey: string): void {
    if (this.#queues.delete(personKey)) this.#peopleOf.add(personKey, -1);
    this.#ready.delete(personKey);
    this.#store.delete(`h:${personKey}`);
  }

  #load(personKey: string, queue: Queue): void {
    this.#queues.set(personKey, queue);
    this.#peopleOf.add(personKey, 1);
    this.#recordsOf.add(personKey, queue.tail - queue.head);
    this.looked(personKey, this.#changesAt(personKey));
  }
}

/** A record of the very moment of a timer comes before it: an answer may be that late. */
function isHeldBy(changesAt: number, { firstAt }: Queue): boolean {
  return changesAt < firstAt;
}

function itemKey(personKey: string, at: number): string {
  return `i:${personKey}:${String(at).padStart(12, '0')}`;
}

function queueOf(stored: Buffer): Queue {
  return {
    head: stored.readDoubleLE(0),
    tail: stored.readDoubleLE(8),
    firstAt: stored.readDoubleLE(16),
  };
}

function encodeItem({ originPartition, originOffset, mergedAt, forwardedFact, value }: HeldRecord): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + value.length);
  bytes.writeInt32LE(originPartition, 0);
  bytes.writeDoubleLE(originOffset, 4);
  bytes.writeDoubleLE(mergedAt, 12);
  bytes.writeDoubleLE(forwardedFact ?? -1, 20);
  value.copy(bytes, HEAD_BYTES);
  return bytes;
}

function decodeItem(stored: Buffer): HeldRecord {
  const fact = stored.readDoubleLE(20);
  return {
    originPartition: stored.readInt32LE(0),
    originOffset: stored.readDoubleLE(4),
    mergedAt: stored.readDoubleLE(12),
    forwardedFact: fact < 0 ? null : fact,
    value: Buffer.from(stored.subarray(HEAD_BYTES)),
  };
}
