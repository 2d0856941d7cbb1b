/**
 * Visitors and people of a partition in its keyed store: `v:` and the lane, a visitor; `q:` and the person's key, what a
 * person took along; both begin with the day on which they were last heard of; `d:` how far those who have not been heard of
 * for a year are forgotten (kept-until.ts); `r:` a group whose visitors are under way to another. A visitor of somebody has
 * the name of their group in their bytes (visitor-groups.ts).
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { newPerson, type Person } from './decide/person.ts';
import { newVisitor, visitorBytesMax, type Visitor } from './decide/visitor.ts';
import { dayNumber, KeptUntil } from './kept-until.ts';
import { visitorBytes, visitorFrom } from './visitor-bytes.ts';
import { VisitorGroups } from './visitor-groups.ts';

/** Read at once at the start; there are few, each of more visitors than are gone through at once. */
const movesMax = 1_000_000;

/** All visitors of a group join those of its owner, or are erased. */
export interface Move {
  readonly groupKey: string;
  /** The owner; null: they were deleted. */
  readonly to: string | null;
}

export class VisitorsStore {
  readonly #store: KeyedStore;
  readonly #until: KeptUntil;
  readonly groups: VisitorGroups;
  #touchedBytes = 0;
  /** By the group's key. */
  readonly #moves: Map<string, Move>;

  constructor(store: KeyedStore) {
    this.#store = store;
    this.#until = new KeptUntil(store);
    this.groups = new VisitorGroups(store);
    const moves = store.scan('r:', 'r;', movesMax).map(([key, to]) => moveIn(key, to));
    this.#moves = new Map(moves.map((move) => [move.groupKey, move]));
  }

  visitor(lane: string, anonymousId: string): Visitor {
    const stored = this.#store.get(`v:${lane}`);
    this.#touchedBytes += stored?.length ?? 0;
    return this.#named(lane, read(stored, anonymousId));
  }

  /** For who asks beside the batches: it is no work of the record in hand, and a replay does not see it. */
  peek(lane: string, anonymousId: string): Visitor {
    return this.#named(lane, read(this.#store.get(`v:${lane}`), anonymousId));
  }

  /** As `keepVisitor`, but that nobody grows beyond what one may be. @returns false: nothing was kept. */
  keepVisitorWithin(lane: string, visitor: Visitor, at: number): boolean {
    const before = this.#store.get(`v:${lane}`);
    const bytes = visitorBytes(this.#inGroup(lane, visitor));
    if (bytes.length > visitorBytesMax && bytes.length > (before?.length ?? 0) - DAY_BYTES) {
      this.#touchedBytes += bytes.length;
      return false;
    }
    this.#keep(`v:${lane}`, before, { bytes, at });
    return true;
  }

  /** @param at of what was last heard of them, ms. */
  keepVisitor(lane: string, visitor: Visitor, at: number): void {
    const before = this.#store.get(`v:${lane}`);
    this.#keep(`v:${lane}`, before, { bytes: visitorBytes(this.#inGroup(lane, visitor)), at });
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

  /** Those that are under way. */
  get moves(): readonly Move[] {
    return [...this.#moves.values()];
  }
  /** By its key, since a start and a replay must come to the same one. */
  get nextMove(): Move | undefined {
    let next: Move | undefined;
    for (const move of this.#moves.values())
      if (next === undefined || move.groupKey < next.groupKey) next = move;
    return next;
  }
  keepMove(move: Move): void {
    this.#moves.set(move.groupKey, move);
    this.#store.put(`r:${move.groupKey}`, Buffer.from(move.to ?? ''));
  }
  endMove(groupKey: string): void {
    this.#moves.delete(groupKey);
    this.#store.delete(`r:${groupKey}`);
  }

  hasDue(time: number): boolean {
    return this.#until.hasDue(time);
  }

  /** Goes on forgetting who has not been heard of for a year; answers how many they were. */
  expire(time: number): number {
    const due = this.#until.due(time);
    for (const key of due) {
      const [kind, name] = [key.slice(0, 2), key.slice(2)];
      const groupKey = kind === 'v:' ? this.groupOf(name) : undefined;
      if (groupKey !== undefined) this.groups.unlink(groupKey, name);
      this.#store.delete(key);
    }
    return due.length;
  }

  /** The group that a visitor is in; undefined: they are nobody's. */
  groupOf(lane: string): string | undefined {
    const stored = this.#store.get(`v:${lane}`);
    this.#touchedBytes += stored?.length ?? 0;
    const { personId } = read(stored, '');
    return personId === null ? undefined : `${workspaceIn(lane)}:${personId}`;
  }
  #named(lane: string, visitor: Visitor): Visitor {
    return named(lane, visitor, (groupKey) => this.groups.ownerOf(groupKey));
  }
  #inGroup(lane: string, visitor: Visitor): Visitor {
    return named(lane, visitor, (personKey) => this.groups.groupOf(personKey));
  }

  #keep(
    key: string,
    before: Buffer | undefined,
    { bytes, at }: { readonly bytes: Buffer; readonly at: number },
  ): void {
    const dayBefore = before?.readUInt32LE(0) ?? 0;
    const day = Math.max(dayNumber(at), dayBefore);
    this.#touchedBytes += bytes.length;
    const value = Buffer.allocUnsafe(DAY_BYTES + bytes.length);
    value.writeUInt32LE(day, 0);
    bytes.copy(value, DAY_BYTES);
    this.#store.put(key, value);
  }
}

function moveIn(key: string, to: Buffer): Move {
  return { groupKey: key.slice('r:'.length), to: to.length === 0 ? null : to.toString() };
}

/** The day up to which it was last heard of, before the value. */
const DAY_BYTES = 4;

/** With another name of whose they are, given the key of the one they have. */
function named(lane: string, visitor: Visitor, keyOf: (key: string) => string): Visitor {
  if (visitor.personId === null) return visitor;
  const key = `${workspaceIn(lane)}:${visitor.personId}`;
  const name = keyOf(key);
  return name === key ? visitor : { ...visitor, personId: name.slice(workspaceIn(name).length + 1) };
}

function read(stored: Buffer | undefined, anonymousId: string): Visitor {
  return stored === undefined
    ? newVisitor(anonymousId)
    : visitorFrom(stored.subarray(DAY_BYTES), anonymousId);
}
