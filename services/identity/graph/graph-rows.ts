/**
 * Rows of the identity graph in the keyed store, one family of keys a kind of row: `family/workspace/rest`. A row is
 * small JSON and no row grows with a person's history, so a decision costs the same for a person of one visitor and for
 * a person of ten thousand.
 */
import { createHash } from 'node:crypto';
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';

/** Longer values are keyed by their hash, so that every key stays below the store's limit. */
const KEY_VALUE_BYTES_MAX = 512;

export interface Person {
  readonly personId: PersonId;
  /** Number of the fact that created the person: smaller is older. */
  readonly number: number;
  readonly id: string | null;
  readonly email: string | null;
  /** Receive time of the call that created the person, or of the older one it absorbed. */
  readonly firstSeenAt: number;
  /** Anonymous ids granted so far. */
  readonly claims: number;
  readonly state: 'alive' | 'absorbed' | 'deleted';
  readonly absorbedInto: PersonId | null;
  /** Number of the last fact about the person. */
  readonly version: number;
  /** Identifiers blocked when the person was suppressed. */
  readonly suppressed?: readonly Identifier[] | undefined;
}

/** A person while a fact changes them. */
export type PersonDraft = { -readonly [Name in keyof Person]: Person[Name] };

/** A copy to change, written out for the reason that lanes/state.ts gives. */
export function copyOf(person: Person): PersonDraft {
  const { personId, number, id, email, firstSeenAt, claims, state, absorbedInto, version, suppressed } =
    person;
  return { personId, number, id, email, firstSeenAt, claims, state, absorbedInto, version, suppressed };
}

export interface Counters {
  /** Number of the last fact. */
  readonly facts: number;
  /** Merges so far. */
  readonly merges: number;
}

export interface NamedPerson {
  readonly personId: PersonId;
  readonly at: number;
}

export interface Suppression {
  /** With whom the identifier was suppressed; null: it was nobody's. */
  readonly personId: PersonId | null;
}

/** What a row of each family holds. */
interface Families {
  readonly w: Counters;
  readonly p: Person;
  readonly i: PersonId;
  readonly a: PersonId;
  readonly c: number;
  readonly m: number;
  readonly n: readonly NamedPerson[];
  readonly s: Suppression;
  readonly f: PersonId;
}

/** Serves one request: it remembers what it read, so nobody else may write meanwhile. */
export class GraphRows {
  readonly workspace: Workspace;
  readonly #store: KeyedStore;
  /** Rows read or changed, for the one request that this object serves. */
  readonly #rows = new Map<string, Families[keyof Families] | undefined>();
  readonly #changed = new Set<string>();

  constructor(store: KeyedStore, workspace: Workspace) {
    this.#store = store;
    this.workspace = workspace;
  }

  counters(): Counters {
    return this.#read('w', '') ?? { facts: 0, merges: 0 };
  }
  putCounters(counters: Counters): void {
    this.#write('w', '', counters);
  }

  person(personId: string): Person | undefined {
    return this.#read('p', keyed(personId));
  }
  putPerson(person: Person): void {
    this.#write('p', keyed(person.personId), person);
  }

  /** Whose an id or email is. */
  owner(identifier: Identifier): PersonId | undefined {
    return this.#read('i', identifierKey(identifier));
  }
  putOwner(identifier: Identifier, personId: PersonId): void {
    this.#write('i', identifierKey(identifier), personId);
  }
  deleteOwner(identifier: Identifier): void {
    this.#write('i', identifierKey(identifier), undefined);
  }

  /** Who claimed an anonymous id first (or was given it by a split). Never deleted. */
  claimant(anonymousId: string): PersonId | undefined {
    return this.#read('a', keyed(anonymousId));
  }
  putClaimant(anonymousId: string, personId: PersonId): void {
    this.#write('a', keyed(anonymousId), personId);
  }

  /** Receive time of a person's claim number `index`, from 0. */
  claimTime(personId: PersonId, index: number): number | undefined {
    return this.#read('c', `${keyed(personId)}/${String(index)}`);
  }
  putClaimTime(personId: PersonId, index: number, at: number): void {
    this.#write('c', `${keyed(personId)}/${String(index)}`, at);
  }

  /** Receive time of the merge in a slot of the ring of latest merges. */
  mergeTime(slot: number): number | undefined {
    return this.#read('m', String(slot));
  }
  putMergeTime(slot: number, at: number): void {
    this.#write('m', String(slot), at);
  }

  /** People whom identify calls of an anonymous id named lately. Bounded by its writer. */
  namedPeople(anonymousId: string): readonly NamedPerson[] {
    return this.#read('n', keyed(anonymousId)) ?? [];
  }
  putNamedPeople(anonymousId: string, people: readonly NamedPerson[]): void {
    this.#write('n', keyed(anonymousId), people);
  }

  /** Present while the identifier is blocked. */
  suppression(identifier: Identifier): Suppression | undefined {
    return this.#read('s', identifierKey(identifier));
  }
  putSuppression(identifier: Identifier, personId: PersonId | null): void {
    this.#write('s', identifierKey(identifier), { personId });
  }
  deleteSuppression(identifier: Identifier): void {
    this.#write('s', identifierKey(identifier), undefined);
  }

  /** Short cut along a chain of absorbed people. A hint, not part of the graph; written when it is found. */
  shortCut(personId: PersonId): PersonId | undefined {
    return this.#read('f', keyed(personId));
  }
  putShortCut(personId: PersonId, to: PersonId): void {
    this.#store.put(`f/${this.workspace}/${keyed(personId)}`, Buffer.from(JSON.stringify(to)));
  }

  /** Writes what changed. Until then only this object sees it; what it read it does not read again. */
  flush(): void {
    for (const key of this.#changed) {
      const row = this.#rows.get(key);
      if (row === undefined) this.#store.delete(key);
      else this.#store.putLate(key, () => Buffer.from(JSON.stringify(row)));
    }
    this.#changed.clear();
  }

  #read<Name extends keyof Families>(family: Name, rest: string): Families[Name] | undefined {
    const key = `${family}/${this.workspace}/${rest}`;
    if (this.#rows.has(key)) return this.#rows.get(key) as Families[Name] | undefined; // the key says the family
    const bytes = this.#store.get(key);
    const row = bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as Families[Name]); // written by flush
    this.#rows.set(key, row);
    return row;
  }
  #write<Name extends keyof Families>(family: Name, rest: string, row: Families[Name] | undefined): void {
    const key = `${family}/${this.workspace}/${rest}`;
    this.#rows.set(key, row);
    this.#changed.add(key);
  }
}

/** Families that are the graph; `f` (short cuts) follows from them. */
export const graphFamilies = ['w', 'p', 'i', 'a', 'c', 'm', 'n', 's'] as const;

function identifierKey({ kind, value }: Identifier): string {
  return `${kind}/${keyed(value)}`;
}

/** A value within a key: as it is, or `#` and a hash when long. A short value that starts with `#` gets a second one. */
function keyed(value: string): string {
  if (value.length * 3 > KEY_VALUE_BYTES_MAX && Buffer.byteLength(value) > KEY_VALUE_BYTES_MAX) {
    return `#${createHash('sha256').update(value).digest('hex')}`;
  }
  return value.startsWith('#') ? `#${value}` : value;
}
