/**
 * Who is whom, told as naively as it can be: people are nodes that point to whom they were merged into. For the model
 * test only.
 */
import { isEmailShaped } from '../../../schemas/identifiers.ts';
import type { Identifier, IdentifierKind } from '../../../schemas/lanes.ts';
import { defaultSettings, type WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import { keyOf, type ControlCall, type LaneCall } from './calls.ts';

export interface Person {
  /** People are numbered in the order in which they were born. */
  born: number;
  id: string | null;
  email: string | null;
  into: Person | null;
  deleted: boolean;
  /** Receive times of the claims that were granted to this person, in their order. */
  readonly claims: number[];
}

const MINUTE = 60_000;
/** The placeholders that histories use; identity/guards.ts knows more, and has tests of its own. */
const placeholders = ['null'];

export class OraclePeople {
  settings: WorkspaceSettings = defaultSettings;
  readonly #owners = new Map<string, Person>();
  readonly #byCioId = new Map<string, Person>();
  /** What is blocked, with what else was blocked by the same call. */
  readonly #suppressed = new Map<string, readonly Identifier[]>();
  readonly #suppressedWith = new Map<Person, readonly Identifier[]>();
  /** Receive times of the calls that merged people. */
  readonly #merges: number[] = [];
  #born = 0;

  /** From now on the cio_id is known to be this person's. */
  bind(cioId: string, person: Person): void {
    this.#byCioId.set(cioId, person);
  }

  /**
   * Who was born first of two whose lanes are under way is chance, and shows only when one is called by cio_id. So then
   * people are numbered as the merger has it.
   */
  renumber(numberOf: (identifier: Identifier) => number): void {
    for (const [cioId, person] of this.#byCioId) {
      if (personToday(person) === person) person.born = numberOf({ kind: 'cio_id', value: cioId });
    }
    for (const person of new Set(this.#owners.values())) {
      for (const identifier of identifiersOf(person).slice(0, 1)) person.born = numberOf(identifier);
      this.#born = Math.max(this.#born, person.born);
    }
  }

  /** Whose cio_id it is or was. */
  bound({ kind, value }: Identifier): Person | undefined {
    return kind === 'cio_id' ? this.#byCioId.get(value) : undefined;
  }

  /** The living person whom the identifier names. */
  owner(identifier: Identifier): Person | undefined {
    if (identifier.kind !== 'cio_id') return this.#owners.get(keyOf(identifier));
    const person = this.#byCioId.get(identifier.value);
    return person?.into === null && !person.deleted ? person : undefined;
  }

  isSuppressed(identifier: Identifier): boolean {
    return this.#suppressed.has(keyOf(identifier));
  }

  /** Whom a named call is about (spec A.1 PUT, C.3), or why it is dropped. */
  resolve({ named, also, updateOnly, receivedAt }: LaneCall): Person | string {
    if (named === null || this.isIllegal(named)) return 'identifier_illegal';
    if ([named, ...also].some((each) => this.isSuppressed(each))) return 'identifier_suppressed';
    if (named.kind === 'cio_id' && this.owner(named) === undefined) return 'unknown_cio_id';
    const body = also.filter((each) => !this.isIllegal(each));
    const twins = named.kind === 'cio_id' || !this.settings.auto_merge ? null : this.#twins([named, ...body]);
    let person: Person | undefined;
    if (twins !== null && !this.#tooManyMerges(receivedAt)) {
      this.#absorb(twins.older, twins.newer, receivedAt);
      person = twins.older;
    } else person = this.located(named, body);
    if (person === undefined && updateOnly) return 'update_only_nobody';
    person ??= this.#create();
    this.#give(person, named, false);
    for (const each of body) this.#give(person, each, this.#mayChange(each.kind, named.kind));
    return person;
  }

  /** What is set already. */
  #mayChange(kind: IdentifierKind, by: IdentifierKind): boolean {
    return by === 'cio_id' || (by === 'id' && kind === 'email' && this.settings.update_email_by_id);
  }

  /** The path's person, else one of the body's who lacks an identifier of the path's kind. */
  located(path: Identifier, body: readonly Identifier[]): Person | undefined {
    const known = this.owner(path);
    if (known !== undefined || path.kind === 'cio_id') return known;
    return body
      .map((each) => this.owner(each))
      .find((person) => person !== undefined && attribute(person, path.kind) === null);
  }

  isIllegal({ kind, value }: Identifier): boolean {
    if (kind === 'cio_id') return false;
    if (kind === 'email' && !isEmailShaped(value)) return true;
    return this.settings.guards.illegal_identifiers && placeholders.includes(value);
  }

  /** Carries a control call out. Returns why it did nothing, if a row must say so. */
  control(call: Exclude<ControlCall, { type: 'split' }>): string | null {
    switch (call.type) {
      case 'merge':
        return this.#merge(call);
      case 'delete':
        return this.#delete(call.named);
      case 'suppress':
        return this.#suppress(call.named);
      default:
        this.#unsuppress(call.named);
        return null;
    }
  }

  #twins(identifiers: readonly Identifier[]): { older: Person; newer: Person } | null {
    const ownerOf = (kind: IdentifierKind): Person | undefined => {
      const first = identifiers.find((each) => each.kind === kind);
      return first && this.owner(first);
    };
    const [byId, byEmail] = [ownerOf('id'), ownerOf('email')];
    if (byId === undefined || byEmail === undefined || byId === byEmail) return null;
    if (byId.email !== null || byEmail.id !== null) return null;
    return byId.born < byEmail.born ? { older: byId, newer: byEmail } : { older: byEmail, newer: byId };
  }

  create(identifier: Identifier | null): Person {
    const person = this.#create();
    if (identifier !== null) this.#give(person, identifier, false);
    return person;
  }
  #create(): Person {
    this.#born += 1;
    return { born: this.#born, id: null, email: null, into: null, deleted: false, claims: [] };
  }

  #give(person: Person, { kind, value }: Identifier, replaces: boolean): void {
    if (kind === 'cio_id' || this.owner({ kind, value }) !== undefined) return;
    const former = attribute(person, kind);
    if (former !== null && !replaces) return;
    if (former !== null) this.#owners.delete(keyOf({ kind, value: former }));
    person[kind] = kind === 'email' ? value.toLowerCase() : value;
    this.#owners.set(keyOf({ kind, value }), person);
  }

  /** A split: the identifier is the other's. */
  move(identifier: Identifier, from: Person, to: Person): void {
    if (identifier.kind !== 'cio_id') from[identifier.kind] = null;
    this.#owners.delete(keyOf(identifier));
    this.#give(to, identifier, false);
  }

  #tooManyMerges(at: number): boolean {
    const limit = this.settings.guards.merges_per_minute;
    if (limit === null) return false;
    return limit === 0 || (this.#merges.at(-limit) ?? -Infinity) > at - MINUTE;
  }

  #merge({ primary, secondary, alias, receivedAt }: ControlCall & { type: 'merge' }): string | null {
    const [to, from] = [this.owner(primary), this.owner(secondary)];
    if (to === undefined || from === undefined) return alias ? null : 'merge_unknown_person';
    if (to === from) return alias ? null : 'merge_same_person';
    if (this.#tooManyMerges(receivedAt)) return 'too_many_merges';
    this.#absorb(to, from, receivedAt);
    return null;
  }

  #absorb(to: Person, from: Person, at: number): void {
    for (const each of identifiersOf(from)) {
      this.#owners.delete(keyOf(each));
      this.#give(to, each, false);
    }
    from.into = to;
    this.#merges.push(at);
  }

  #delete(named: Identifier): string | null {
    const person = this.owner(named);
    if (person === undefined) return nobody(named);
    for (const each of identifiersOf(person)) this.#owners.delete(keyOf(each));
    person.deleted = true;
    return null;
  }

  #suppress(named: Identifier): string | null {
    const person = this.owner(named);
    if (person === undefined && named.kind === 'cio_id') return nobody(named);
    if (this.isSuppressed(named)) return null;
    const blocked = person === undefined ? [named] : identifiersOf(person);
    for (const each of blocked) this.#suppressed.set(keyOf(each), blocked);
    if (person !== undefined) {
      this.#suppressedWith.set(person, blocked);
      this.#delete(named);
    }
    return null;
  }

  #unsuppress(named: Identifier): void {
    const person = this.#byCioId.get(named.value);
    const together =
      named.kind === 'cio_id'
        ? person && this.#suppressedWith.get(person)
        : this.#suppressed.get(keyOf(named));
    for (const each of together ?? []) {
      if (this.#suppressed.get(keyOf(each)) === together) this.#suppressed.delete(keyOf(each));
    }
  }
}

/** Who this person is in the end; null when deleted. */
export function personToday(person: Person): Person | null {
  const last = survivor(person);
  return last.deleted ? null : last;
}

/** The same, deleted or not. */
export function survivor(person: Person): Person {
  return person.into === null ? person : survivor(person.into);
}

export function identifiersOf(person: Person): readonly Identifier[] {
  return (['id', 'email'] as const).flatMap((kind) => {
    const value = person[kind];
    return value === null ? [] : [{ kind, value }];
  });
}

export function attribute(person: Person, kind: IdentifierKind): string | null {
  return kind === 'cio_id' ? null : person[kind];
}

function nobody({ kind }: Identifier): string {
  return kind === 'cio_id' ? 'unknown_cio_id' : 'person_unknown';
}
