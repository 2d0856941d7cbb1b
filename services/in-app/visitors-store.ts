/**
 * Visitors and people of a partition in its keyed store: `v:` and the lane, a visitor; `q:` and the person's key, what a
 * person took along. A visitor of somebody has the name of the group in their bytes (visitor-groups.ts).
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { newPerson, type Person } from './decide/person.ts';
import { decodeVisitor, encodeVisitor, newVisitor, type Visitor } from './decide/visitor.ts';
import { dayNumber, KeptUntil } from './kept-until.ts';
import { VisitorGroups } from './visitor-groups.ts';

interface Kept<T> {
  readonly day: number;
  readonly value: T;
}

export class VisitorsStore {
  readonly #store: KeyedStore;
  readonly #until: KeptUntil;
  readonly #groups: VisitorGroups;
  #touchedBytes = 0;

  constructor(store: KeyedStore) {
    this.#store = store;
    this.#until = new KeptUntil(store);
    this.#groups = new VisitorGroups(store);
  }

  visitor(lane: string, anonymousId: string): Visitor {
    const stored = this.#visitor(lane)?.value;
    if (stored === undefined) return newVisitor(anonymousId);
    return named(lane, stored, (groupKey) => this.#groups.ownerOf(groupKey));
  }

  /** @param at of what was last heard of them, ms. */
  keepVisitor(lane: string, visitor: Visitor, at: number): void {
    const before = this.#store.get(`v:${lane}`);
    const kept = named(lane, visitor, (personKey) => this.#groups.groupOf(personKey));
    this.#keep(`v:${lane}`, before, { bytes: encodeVisitor(kept), at });
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
    this.#groups.link(personKey, lane);
  }
  unlink(personKey: string, lane: string): void {
    this.#groups.unlink(personKey, lane);
  }
  lanesOf(personKey: string): readonly string[] {
    return this.#groups.lanesOf(personKey);
  }

  /** Every visitor of the one is the survivor's from now on. */
  absorb(personKey: string, survivorKey: string): void {
    for (const lane of this.#groups.absorb(personKey, survivorKey)) {
      const visitor = this.#visitor(lane)?.value;
      if (visitor === undefined) continue;
      const personId = nameIn(survivorKey);
      this.keepVisitor(lane, { ...visitor, personId }, visitor.lastAt);
    }
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

  #visitor(lane: string): Kept<Visitor> | undefined {
    const stored = this.#store.get(`v:${lane}`);
    if (stored === undefined) return undefined;
    this.#touchedBytes += stored.length;
    return { day: stored.readUInt32LE(0), value: decodeVisitor(stored.subarray(DAY_BYTES)) };
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

/** With another name of whose they are, given the key of the one they have. */
function named(lane: string, visitor: Visitor, keyOf: (key: string) => string): Visitor {
  if (visitor.personId === null) return visitor;
  const key = `${workspaceIn(lane)}:${visitor.personId}`;
  const name = keyOf(key);
  return name === key ? visitor : { ...visitor, personId: nameIn(name) };
}

function nameIn(key: string): string {
  return key.slice(workspaceIn(key).length + 1);
}
