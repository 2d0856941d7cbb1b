/**
 * Visitors and people of a partition in its keyed store: `v:` and the lane, a visitor; `q:` and the person's key, what a
 * person took along; `p:` person and lane, which visitors a person is.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { newPerson, type Person } from './decide/person.ts';
import { newVisitor, type Visitor } from './decide/visitor.ts';
import { dayNumber, KeptUntil } from './kept-until.ts';
import { visitorBytes, visitorFrom } from './visitor-bytes.ts';

/** Visitors of one person that a deletion looks at; above it the oldest names stay as visitors without a person. */
export const lanesOfPersonMax = 1_000;

export class VisitorsStore {
  readonly #store: KeyedStore;
  readonly #until: KeptUntil;
  #touchedBytes = 0;

  constructor(store: KeyedStore) {
    this.#store = store;
    this.#until = new KeptUntil(store);
  }

  visitor(lane: string, anonymousId: string): Visitor {
    const stored = this.#store.get(`v:${lane}`);
    this.#touchedBytes += stored?.length ?? 0;
    return read(stored, anonymousId);
  }

  /** For who asks beside the batches: it is no work of the record in hand, and a replay does not see it. */
  peek(lane: string, anonymousId: string): Visitor {
    return read(this.#store.get(`v:${lane}`), anonymousId);
  }

  /** @param at of what was last heard of them, ms. */
  keepVisitor(lane: string, visitor: Visitor, at: number): void {
    const before = this.#store.get(`v:${lane}`);
    this.#keep(`v:${lane}`, before, { bytes: visitorBytes(visitor), at });
  }

  person(personKey: string): Person | undefined {
    const stored = this.#store.get(`q:${personKey}`);
    if (stored === undefined) return undefined;
    this.#touchedBytes += stored.length;
    return { ...newPerson, ...(JSON.parse(stored.toString('utf8', DAY_BYTES)) as Partial<Person>) }; // written below
  }

  keepPerson(personKey: string, person: Person, at: number): void {
    const before = this.#store.get(`q:${personKey}`);
    this.#keep(`q:${personKey}`, before, { bytes: Buffer.from(JSON.stringify(person)), at });
  }

  /** Bytes of visitors and people that were read and written since this was last asked. */
  takeTouchedBytes(): number {
    const bytes = this.#touchedBytes;
    this.#touchedBytes = 0;
    return bytes;
  }

  link(personKey: string, lane: string): void {
    this.#store.put(`p:${personKey}:${lane}`, Buffer.alloc(0));
  }

  unlink(personKey: string, lane: string): void {
    this.#store.delete(`p:${personKey}:${lane}`);
  }

  lanesOf(personKey: string): readonly string[] {
    const prefix = `p:${personKey}:`;
    return this.#store
      .scan(prefix, `p:${personKey};`, lanesOfPersonMax)
      .map(([key]) => key.slice(prefix.length));
  }

  hasDue(time: number): boolean {
    return this.#until.hasDue(time);
  }

  /** Forgets who has not been heard of for a year; answers how many. */
  expire(time: number): number {
    const due = this.#until.takeDue(time);
    for (const key of due) {
      const [kind, name] = [key.slice(0, 2), key.slice(2)];
      const personKey = kind === 'v:' ? this.#personKeyOf(name) : undefined;
      if (personKey !== undefined) this.unlink(personKey, name);
      this.#store.delete(key);
    }
    return due.length;
  }

  #personKeyOf(lane: string): string | undefined {
    const { personId } = this.visitor(lane, '');
    return personId === null ? undefined : `${workspaceIn(lane)}:${personId}`;
  }

  #keep(
    key: string,
    before: Buffer | undefined,
    { bytes, at }: { readonly bytes: Buffer; readonly at: number },
  ): void {
    const dayBefore = before?.readUInt32LE(0) ?? 0;
    const day = Math.max(dayNumber(at), dayBefore);
    this.#until.move(key, dayBefore, day);
    this.#touchedBytes += bytes.length;
    const value = Buffer.allocUnsafe(DAY_BYTES + bytes.length);
    value.writeUInt32LE(day, 0);
    bytes.copy(value, DAY_BYTES);
    this.#store.put(key, value);
  }
}

/** The day up to which it was last heard of, before the value. */
const DAY_BYTES = 4;

function read(stored: Buffer | undefined, anonymousId: string): Visitor {
  return stored === undefined
    ? newVisitor(anonymousId)
    : visitorFrom(stored.subarray(DAY_BYTES), anonymousId);
}
