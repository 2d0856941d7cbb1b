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
import { Links, type Queue, type Waiting } from './person-links.ts';
import { UnawaitedMerges } from './unawaited-merges.ts';
import { WorkspaceCounts, workspaceIn, type CountBounds } from '../../runtime/workspace-counts.ts';

/** A record that waits. */
export interface Parked {
  /** Place on events.merged, for ever, however often it is forwarded. */
  readonly originPartition: number;
  readonly originOffset: number;
  /** Value as it was read, with its wire header. */
  readonly value: Buffer;
}

/** Of one partition: merges under way, each about a kilobyte of memory, and records that wait for them, in the store. */
export interface LinkBounds {
  readonly merges: CountBounds;
  readonly records: CountBounds;
}
const usual: LinkBounds = {
  merges: { max: 100_000, ofWorkspaceMax: 50_000, reservedMin: 1_000 },
  records: { max: 5_000_000, ofWorkspaceMax: 1_000_000, reservedMin: 10_000 },
};

/** What an `absorb` meets: the texts of the state that is here; nothing yet; or so many others that it is not awaited. */
export type Absorbing =
  | { readonly type: 'here'; readonly texts: readonly string[] }
  | { readonly type: 'waits' }
  | { readonly type: 'not_awaited' };

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
  readonly #unawaited: UnawaitedMerges;
  readonly #merges: WorkspaceCounts;
  readonly #parked: WorkspaceCounts;

  constructor(store: KeyedStore, bounds = usual) {
    this.#store = store;
    this.#unawaited = new UnawaitedMerges(store);
    this.#merges = new WorkspaceCounts(bounds.merges);
    this.#parked = new WorkspaceCounts(bounds.records);
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
    return this.#parked.total;
  }
  has(personKey: string): boolean {
    return this.#links.size > 0 && this.#links.has(personKey);
  }

  /** The person's own records queue, and no time passes for them: what comes to them is to be known first. */
  stands(personKey: string): boolean {
    return this.has(personKey) && this.queueFor(personKey, null) !== undefined;
  }

  /** For whom time stands: as of when, ms; -Infinity: as of when they were last looked at. */
  standsAt(personKey: string): number {
    let at = Infinity;
    for (const waiting of this.#links.get(personKey)?.waiting.values() ?? []) at = Math.min(at, waiting.at);
    return at === Infinity ? -Infinity : at;
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

  /**
   * Where there is no more room the person's merges are awaited no longer, and what waits is handed out from now on.
   * @returns the numbers of those merges, for which somebody will want to know.
   */
  park(personKey: string, queue: string, record: Parked): readonly number[] {
    const isCrowded = !this.#parked.hasRoom(personKey);
    const { head, tail } = this.#links.get(personKey)?.queues.get(queue) ?? { head: 0, tail: 0 };
    const bytes = Buffer.allocUnsafe(12 + record.value.length);
    bytes.writeInt32LE(record.originPartition, 0);
    bytes.writeDoubleLE(record.originOffset, 4);
    record.value.copy(bytes, 12);
    this.#store.put(itemKey(personKey, queue, tail), bytes);
    this.#setQueue(personKey, queue, { head, tail: tail + 1 });
    return isCrowded ? this.#awaitNone(personKey) : [];
  }

  /** `absorb` was read. */
  absorb(personKey: string, fact: Waiting): Absorbing {
    const { factNumber } = fact;
    if (this.#links.get(personKey)?.early.has(factNumber) === true) {
      this.#setEarly(personKey, factNumber, false);
      return { type: 'here', texts: this.takeTexts(personKey, factNumber) };
    }
    if (this.#unawaited.take(personKey, factNumber) !== undefined) {
      return { type: 'here', texts: this.takeTexts(personKey, factNumber) };
    }
    if (!this.#merges.hasRoom(personKey)) {
      this.#unawaited.put(personKey, factNumber, { type: 'read', fact });
      return { type: 'not_awaited' };
    }
    this.#setWaiting(personKey, factNumber, fact);
    return { type: 'waits' };
  }

  /** A state has come whole. Returns what waited for it; undefined: it is early and kept. */
  arrived(personKey: string, factNumber: number): Waiting | undefined {
    const waiting = this.#links.get(personKey)?.waiting.get(factNumber);
    if (waiting !== undefined) {
      this.#setWaiting(personKey, factNumber, undefined);
      return waiting;
    }
    const unawaited = this.#unawaited.take(personKey, factNumber);
    if (unawaited?.type === 'read') return unawaited.fact;
    if (this.#merges.hasRoom(personKey)) this.#setEarly(personKey, factNumber, true);
    else this.#unawaited.put(personKey, factNumber, { type: 'come' });
    return undefined;
  }

  #awaitNone(personKey: string): readonly number[] {
    const links = this.#links.get(personKey);
    if (links === undefined) return [];
    const waiting = [...links.waiting];
    const early = [...links.early];
    for (const [number, fact] of waiting) {
      this.#setWaiting(personKey, number, undefined);
      this.#unawaited.put(personKey, number, { type: 'read', fact });
    }
    for (const number of early) {
      this.#setEarly(personKey, number, false);
      this.#unawaited.put(personKey, number, { type: 'come' });
    }
    return [...waiting.map(([number]) => number), ...early];
  }

  #setWaiting(personKey: string, factNumber: number, fact: Waiting | undefined): void {
    const { waiting } = this.#linked(personKey);
    this.#merges.add(personKey, (fact === undefined ? 0 : 1) - (waiting.has(factNumber) ? 1 : 0));
    if (fact === undefined) {
      waiting.delete(factNumber);
      this.#drop(personKey, WAITING, String(factNumber));
      return;
    }
    waiting.set(factNumber, fact);
    this.#put(personKey, WAITING, String(factNumber), fact);
  }

  #setEarly(personKey: string, factNumber: number, isEarly: boolean): void {
    const { early } = this.#linked(personKey);
    this.#merges.add(personKey, (isEarly ? 1 : 0) - (early.has(factNumber) ? 1 : 0));
    if (isEarly) {
      early.add(factNumber);
      this.#put(personKey, EARLY, String(factNumber), true);
      return;
    }
    early.delete(factNumber);
    this.#drop(personKey, EARLY, String(factNumber));
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
  drain(
    costMaxOf: (workspace: string) => number,
    handle: (personKey: string, record: Parked) => number,
  ): void {
    const left = new Map<string, number>();
    const drainable = [...this.#links].filter(([, links]) => links.next !== undefined);
    for (const personKey of drainable.map(([key]) => key).sort()) {
      const workspace = workspaceIn(personKey);
      const budget = left.get(workspace) ?? costMaxOf(workspace);
      left.set(workspace, this.drainOf(personKey, budget, handle));
    }
  }

  /** Of one person. Returns what is left of the budget. */
  drainOf(personKey: string, budget: number, handle: (personKey: string, record: Parked) => number): number {
    let left = budget;
    while (left > 0) {
      const queue = this.#links.get(personKey)?.next;
      if (queue === undefined) break;
      left -= handle(personKey, this.#shift(personKey, queue));
    }
    return left;
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
    const parked = before === undefined ? 0 : before.tail - before.head;
    this.#parked.add(personKey, range.tail - range.head - parked);
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
    this.#merges.add(personKey, waiting.length + early.length);
    for (const [name, range] of Object.entries(queues)) this.#loadQueue(personKey, name, range);
    this.#old.add(personKey);
  }

  #load(key: string, value: Buffer): void {
    if (key.split(':').length === 2) {
      this.#loadOld(key, value);
      return;
    }
    const [name = '', kind = '', ...person] = key.split(':').reverse();
    const personKey = person.reverse().join(':');
    const links = this.#linked(personKey);
    const row: unknown = JSON.parse(value.toString()); // written by #put and #setQueue
    if (kind === QUEUE) {
      this.#loadQueue(personKey, name, row as Queue);
      return;
    }
    if (kind === WAITING) links.waiting.set(Number(name), row as Waiting);
    else links.early.add(Number(name));
    this.#merges.add(personKey, 1);
  }

  #loadQueue(personKey: string, name: string, range: Queue): void {
    this.#linked(personKey).queues.set(name, range);
    this.#parked.add(personKey, range.tail - range.head);
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
