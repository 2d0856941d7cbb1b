/**
 * What is outstanding between people who merge, on the survivor's side.
 *
 * Identity writes `absorb B` to A and `absorbed into A` to B in one transaction, but A's and B's partitions come to it
 * at times of their own, and B's state travels over trigger.transfers. So for each merge (a fact number) A is in one of:
 *
 *   waiting  A has read `absorb`, the state is not here: A's own records, and what others forward to A, queue up.
 *   early    the state is here, A has not read `absorb`: A's own records go on, since they come before the merge in
 *            A's stream; what B forwards queues up behind the state, in a queue of its own.
 *   done     both were here: the state is applied, and the queues drain in order, a bounded number a batch.
 *
 * If A's records did not wait, an event of A that came after the merge would be judged without B's purchases; if B's
 * forwarded records did not wait, they would be counted before the state that they follow.
 */
import { CodedError } from '../../runtime/errors.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { Known } from './profile.ts';

export interface Waiting {
  readonly factNumber: number;
  /** When identity merged the two, ms. */
  readonly at: number;
  /** The identifiers that the survivor has since. */
  readonly known?: Known | null;
}
interface Queue {
  readonly head: number;
  readonly tail: number;
}
interface Links {
  readonly waiting: readonly Waiting[];
  readonly early: readonly number[];
  /** Items [head, tail) by queue: OWN_QUEUE, or the fact number of an early state. */
  readonly queues: Readonly<Record<string, Queue>>;
}

/** A record that waits. */
export interface Parked {
  /** Place on events.merged, for ever, however often it is forwarded. */
  readonly originPartition: number;
  readonly originOffset: number;
  /** Value as it was read, with its wire header. */
  readonly value: Buffer;
}

/** People of one partition with something outstanding. More means that identity or the log is broken. */
export const linkedPeopleMax = 100_000;
/** Records of one partition that wait. They lie in the store, so this bounds the disk. */
export const parkedRecordsMax = 5_000_000;

const OWN_QUEUE = '0';
const NONE: Links = { waiting: [], early: [], queues: {} };
const LOAD_PEOPLE = 1_000;

export class LinkBook {
  readonly #store: KeyedStore;
  readonly #links = new Map<string, Links>();
  #parked = 0;

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = 'l:'; ;) {
      const found = store.scan(from, 'l;', LOAD_PEOPLE);
      for (const [key, value] of found) this.#remember(key.slice(2), JSON.parse(value.toString()) as Links); // ours
      const last = found.at(-1);
      if (last === undefined || found.length < LOAD_PEOPLE) break;
      from = `${last[0]}\0`;
    }
  }

  get people(): number {
    return this.#links.size;
  }
  get parked(): number {
    return this.#parked;
  }
  has(personKey: string): boolean {
    return this.#links.size > 0 && this.#links.has(personKey);
  }

  /** Where a record of this person has to queue; undefined: it may be handled now. */
  queueFor(personKey: string, forwardedFact: number | null): string | undefined {
    const links = this.#links.get(personKey);
    if (links === undefined) return undefined;
    if (forwardedFact !== null) {
      const own = String(forwardedFact);
      if (links.early.includes(forwardedFact) || links.queues[own] !== undefined) return own;
    }
    return links.waiting.length > 0 || links.queues[OWN_QUEUE] !== undefined ? OWN_QUEUE : undefined;
  }

  park(personKey: string, queue: string, record: Parked): void {
    if (this.#parked >= parkedRecordsMax) {
      throw new CodedError('too_many_parked', `could not park more than ${String(parkedRecordsMax)} records`);
    }
    const links = this.#links.get(personKey) ?? NONE;
    const { head, tail } = links.queues[queue] ?? { head: 0, tail: 0 };
    const bytes = Buffer.allocUnsafe(12 + record.value.length);
    bytes.writeInt32LE(record.originPartition, 0);
    bytes.writeDoubleLE(record.originOffset, 4);
    record.value.copy(bytes, 12);
    this.#store.put(itemKey(personKey, queue, tail), bytes);
    this.#save(personKey, { ...links, queues: { ...links.queues, [queue]: { head, tail: tail + 1 } } });
  }

  /** `absorb` was read. Returns the texts of the state if it is here already. */
  absorb(personKey: string, fact: Waiting): readonly string[] | undefined {
    const links = this.#links.get(personKey) ?? NONE;
    const { factNumber } = fact;
    if (!links.early.includes(factNumber)) {
      this.#save(personKey, { ...links, waiting: [...links.waiting, fact] });
      return undefined;
    }
    this.#save(personKey, { ...links, early: links.early.filter((other) => other !== factNumber) });
    return this.takeTexts(personKey, factNumber);
  }

  /** A state has come whole. Returns what waited for it; undefined: it is early and kept. */
  arrived(personKey: string, factNumber: number): Waiting | undefined {
    const links = this.#links.get(personKey) ?? NONE;
    const waiting = links.waiting.find((other) => other.factNumber === factNumber);
    if (waiting === undefined) this.#save(personKey, { ...links, early: [...links.early, factNumber] });
    else {
      const rest = links.waiting.filter((other) => other !== waiting);
      this.#save(personKey, { ...links, waiting: rest });
    }
    return waiting;
  }

  /** Adds a part of a state; returns all that have come. */
  addText(personKey: string, factNumber: number, text: string): readonly string[] {
    const texts = this.#texts(personKey, factNumber);
    this.#store.put(textKey(personKey, factNumber, texts.length), Buffer.from(text));
    return [...texts, text];
  }

  takeTexts(personKey: string, factNumber: number): readonly string[] {
    const texts = this.#texts(personKey, factNumber);
    for (const part of texts.keys()) this.#store.delete(textKey(personKey, factNumber, part));
    return texts;
  }

  #texts(personKey: string, factNumber: number): string[] {
    const texts: string[] = [];
    for (;;) {
      const text = this.#store.get(textKey(personKey, factNumber, texts.length));
      if (text === undefined) return texts;
      texts.push(text.toString());
    }
  }

  /** Someone has parked records that may be handled now. */
  get drainable(): boolean {
    for (const links of this.#links.values()) if (nextQueue(links) !== undefined) return true;
    return false;
  }

  /** Hands out parked records that may be handled now, at most `recordsMax`, in the same order after any restart. */
  drain(recordsMax: number, handle: (personKey: string, record: Parked) => void): void {
    let budget = recordsMax;
    for (const personKey of [...this.#links.keys()].sort()) {
      while (budget > 0) {
        const links = this.#links.get(personKey);
        const queue = links && nextQueue(links);
        if (links === undefined || queue === undefined) break;
        handle(personKey, this.#shift(personKey, links, queue));
        budget -= 1;
      }
    }
  }

  #shift(personKey: string, links: Links, queue: string): Parked {
    const { head, tail } = links.queues[queue] ?? { head: 0, tail: 0 };
    const key = itemKey(personKey, queue, head);
    const bytes = this.#store.get(key);
    if (bytes === undefined) throw new CodedError('parked_record_missing', `could not find ${key}`);
    const value = Buffer.from(bytes.subarray(12));
    const parked = { originPartition: bytes.readInt32LE(0), originOffset: bytes.readDoubleLE(4), value };
    this.#store.delete(key);
    const rest = Object.entries(links.queues).filter(([name]) => name !== queue);
    const queues = head + 1 === tail ? rest : [...rest, [queue, { head: head + 1, tail }] as const];
    this.#save(personKey, { ...links, queues: Object.fromEntries(queues) });
    return parked;
  }

  #save(personKey: string, links: Links): void {
    const { waiting, early, queues } = links;
    const done = waiting.length === 0 && early.length === 0 && Object.keys(queues).length === 0;
    if (done) {
      this.#parked -= parkedIn(this.#links.get(personKey));
      this.#links.delete(personKey);
      this.#store.delete(`l:${personKey}`);
      return;
    }
    this.#remember(personKey, links);
    this.#store.put(`l:${personKey}`, Buffer.from(JSON.stringify(links)));
  }

  #remember(personKey: string, links: Links): void {
    if (this.#links.size >= linkedPeopleMax && !this.#links.has(personKey)) {
      throw new CodedError(
        'too_many_linked',
        `could not follow more than ${String(linkedPeopleMax)} merges at once`,
      );
    }
    this.#parked += parkedIn(links) - parkedIn(this.#links.get(personKey));
    this.#links.set(personKey, links);
  }
}

/** The queue to take from. Nothing drains while a state is awaited; the queue of an early state waits for `absorb`. */
function nextQueue({ waiting, early, queues }: Links): string | undefined {
  if (waiting.length > 0) return undefined;
  const names = Object.keys(queues).filter((name) => !early.includes(Number(name)));
  return names.sort((a, b) => Number(b) - Number(a))[0]; // what follows a state before what waited for it
}

function parkedIn(links: Links | undefined): number {
  return Object.values(links?.queues ?? {}).reduce((sum, { head, tail }) => sum + tail - head, 0);
}
function itemKey(personKey: string, queue: string, at: number): string {
  return `q:${personKey}:${queue}:${String(at).padStart(12, '0')}`;
}
function textKey(personKey: string, factNumber: number, part: number): string {
  return `t:${personKey}:${String(factNumber)}:${String(part)}`;
}
