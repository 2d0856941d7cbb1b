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
/** Of one person. Each of them is a row of its own in the store, so that a storm of merges into one costs no more each. */
class Links {
  readonly waiting = new Map<number, Waiting>();
  readonly early = new Set<number>();
  /** Items [head, tail) by queue: OWN_QUEUE, or the fact number of an early state. */
  readonly queues = new Map<string, Queue>();
  /** Whose turn it is to drain; forgotten when anything else than its own length changes. */
  #next: string | null | undefined;

  get isDone(): boolean {
    return this.waiting.size === 0 && this.early.size === 0 && this.queues.size === 0;
  }
  changed(): void {
    this.#next = undefined;
  }
  /** The queue to take from. Nothing drains while a state is awaited; that of an early state waits for `absorb`. */
  get next(): string | undefined {
    if (this.waiting.size > 0) return undefined;
    if (this.#next === undefined) {
      let next = -1;
      for (const name of this.queues.keys()) {
        const number = Number(name);
        if (number > next && !this.early.has(number)) next = number; // what follows a state before what waited for it
      }
      this.#next = next < 0 ? null : String(next);
    }
    return this.#next ?? undefined;
  }
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
/** Kinds of a person's rows: `l:person:kind:number`. */
const WAITING = 'w';
const EARLY = 'e';
const QUEUE = 'q';
const LOAD_PEOPLE = 1_000;

export class LinkBook {
  readonly #store: KeyedStore;
  readonly #links = new Map<string, Links>();
  /** People whose row is as older versions wrote it. */
  readonly #old = new Set<string>();
  #parked = 0;

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = 'l:'; ;) {
      const found = store.scan(from, 'l;', LOAD_PEOPLE);
      for (const [key, value] of found) this.#load(key.slice(2), value);
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
      if (links.early.has(forwardedFact) || links.queues.has(own)) return own;
    }
    return links.waiting.size > 0 || links.queues.has(OWN_QUEUE) ? OWN_QUEUE : undefined;
  }

  park(personKey: string, queue: string, record: Parked): void {
    if (this.#parked >= parkedRecordsMax) {
      throw new CodedError('too_many_parked', `could not park more than ${String(parkedRecordsMax)} records`);
    }
    const { head, tail } = this.#links.get(personKey)?.queues.get(queue) ?? { head: 0, tail: 0 };
    const bytes = Buffer.allocUnsafe(12 + record.value.length);
    bytes.writeInt32LE(record.originPartition, 0);
    bytes.writeDoubleLE(record.originOffset, 4);
    record.value.copy(bytes, 12);
    this.#store.put(itemKey(personKey, queue, tail), bytes);
    this.#setQueue(personKey, queue, { head, tail: tail + 1 });
  }

  /** `absorb` was read. Returns the texts of the state if it is here already. */
  absorb(personKey: string, fact: Waiting): readonly string[] | undefined {
    const { factNumber } = fact;
    if (this.#links.get(personKey)?.early.has(factNumber) !== true) {
      this.#linked(personKey).waiting.set(factNumber, fact);
      this.#put(personKey, WAITING, String(factNumber), fact);
      return undefined;
    }
    this.#linked(personKey).early.delete(factNumber);
    this.#drop(personKey, EARLY, String(factNumber));
    return this.takeTexts(personKey, factNumber);
  }

  /** A state has come whole. Returns what waited for it; undefined: it is early and kept. */
  arrived(personKey: string, factNumber: number): Waiting | undefined {
    const links = this.#linked(personKey);
    const waiting = links.waiting.get(factNumber);
    if (waiting === undefined) {
      links.early.add(factNumber);
      this.#put(personKey, EARLY, String(factNumber), true);
    } else {
      links.waiting.delete(factNumber);
      this.#drop(personKey, WAITING, String(factNumber));
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
    for (const links of this.#links.values()) if (links.next !== undefined) return true;
    return false;
  }

  /**
   * Hands out parked records that may be handled now, in the same order after any restart. Each says what it took of
   * the batch; a workspace has so much of it and no more, so that none starves another.
   */
  drain(costMax: number, handle: (personKey: string, record: Parked) => number): void {
    const left = new Map<string, number>();
    const drainable = [...this.#links].filter(([, links]) => links.next !== undefined);
    for (const personKey of drainable.map(([key]) => key).sort()) {
      const workspace = personKey.slice(0, personKey.indexOf(':'));
      let budget = left.get(workspace) ?? costMax;
      for (let links = this.#links.get(personKey); budget > 0; links = this.#links.get(personKey)) {
        const queue = links?.next;
        if (queue === undefined) break;
        budget -= handle(personKey, this.#shift(personKey, queue));
      }
      left.set(workspace, budget);
    }
  }

  #shift(personKey: string, queue: string): Parked {
    const { head, tail } = this.#links.get(personKey)?.queues.get(queue) ?? { head: 0, tail: 0 };
    const key = itemKey(personKey, queue, head);
    const bytes = this.#store.get(key);
    if (bytes === undefined) throw new CodedError('parked_record_missing', `could not find ${key}`);
    const value = Buffer.from(bytes.subarray(12));
    const parked = { originPartition: bytes.readInt32LE(0), originOffset: bytes.readDoubleLE(4), value };
    this.#store.delete(key);
    this.#setQueue(personKey, queue, { head: head + 1, tail });
    return parked;
  }

  #setQueue(personKey: string, queue: string, range: Queue): void {
    const { queues } = this.#linked(personKey);
    const before = queues.get(queue);
    this.#parked += range.tail - range.head - (before === undefined ? 0 : before.tail - before.head);
    if (range.head === range.tail) {
      queues.delete(queue);
      this.#drop(personKey, QUEUE, queue);
      return;
    }
    queues.set(queue, range);
    const key = rowKey(personKey, QUEUE, queue);
    this.#store.putLate(key, () => Buffer.from(JSON.stringify(range)));
    if (before === undefined) this.#links.get(personKey)?.changed();
  }

  #put(personKey: string, kind: string, name: string, value: unknown): void {
    this.#store.put(rowKey(personKey, kind, name), Buffer.from(JSON.stringify(value)));
    this.#links.get(personKey)?.changed();
  }
  #drop(personKey: string, kind: string, name: string): void {
    this.#store.delete(rowKey(personKey, kind, name));
    const links = this.#links.get(personKey);
    links?.changed();
    if (links?.isDone === true) this.#links.delete(personKey);
  }

  #linked(personKey: string): Links {
    const known = this.#links.get(personKey);
    if (known !== undefined) {
      if (this.#old.delete(personKey)) this.#renew(personKey, known);
      return known;
    }
    if (this.#links.size >= linkedPeopleMax) {
      throw new CodedError(
        'too_many_linked',
        `could not follow more than ${String(linkedPeopleMax)} merges at once`,
      );
    }
    const links = new Links();
    this.#links.set(personKey, links);
    return links;
  }

  /** Its one row of an older version becomes rows of this one. */
  #renew(personKey: string, { waiting, early, queues }: Links): void {
    for (const [number, fact] of waiting) this.#put(personKey, WAITING, String(number), fact);
    for (const number of early) this.#put(personKey, EARLY, String(number), true);
    for (const [name, range] of queues) this.#put(personKey, QUEUE, name, range);
    this.#store.delete(`l:${personKey}`);
  }

  #loadOld(personKey: string, value: Buffer): void {
    const { waiting, early, queues } = JSON.parse(value.toString()) as OldRow; // written by an older version
    const links = this.#linked(personKey);
    for (const fact of waiting) links.waiting.set(fact.factNumber, fact);
    for (const number of early) links.early.add(number);
    for (const [name, range] of Object.entries(queues)) {
      links.queues.set(name, range);
      this.#parked += range.tail - range.head;
    }
    this.#old.add(personKey);
  }

  #load(key: string, value: Buffer): void {
    if (key.split(':').length === 2) {
      this.#loadOld(key, value);
      return;
    }
    const [name = '', kind = '', ...person] = key.split(':').reverse();
    const links = this.#linked(person.reverse().join(':'));
    const row: unknown = JSON.parse(value.toString()); // written by #put and #setQueue
    if (kind === WAITING) links.waiting.set(Number(name), row as Waiting);
    else if (kind === EARLY) links.early.add(Number(name));
    else {
      const range = row as Queue;
      links.queues.set(name, range);
      this.#parked += range.tail - range.head;
    }
  }
}

/** All of a person in one row, as older versions wrote it. */
interface OldRow {
  readonly waiting: readonly Waiting[];
  readonly early: readonly number[];
  readonly queues: Readonly<Record<string, Queue>>;
}

function rowKey(personKey: string, kind: string, name: string): string {
  return `l:${personKey}:${kind}:${name}`;
}
function itemKey(personKey: string, queue: string, at: number): string {
  return `q:${personKey}:${queue}:${String(at).padStart(12, '0')}`;
}
function textKey(personKey: string, factNumber: number, part: number): string {
  return `t:${personKey}:${String(factNumber)}:${String(part)}`;
}
