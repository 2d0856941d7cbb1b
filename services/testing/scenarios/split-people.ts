/**
 * People of a workspace who are merged, taken apart and deleted, as identity says it: facts, and the records of their
 * streams. Each has a few names, an event goes by one of them, and a split takes a name with what was done under it.
 */
import type { IdentityFact } from '../../../schemas/records.ts';
import type { Given } from '../processor-harness.ts';
import { absorb, absorbed, deleted, happened, split } from './trigger-scenario.ts';

const NAMES_A_PERSON = 3;

export class SplitPeople {
  readonly facts: IdentityFact[] = [];
  /** Who is there, oldest first. */
  readonly alive: string[] = [];
  readonly #ownerOf = new Map<string, string>();

  constructor(count: number) {
    for (let person = 0; person < count; person += 1) this.#born(`cio_${String(person).padStart(3, '0')}`);
    for (const [index, person] of this.alive.entries()) {
      for (let name = 0; name < NAMES_A_PERSON; name += 1) {
        this.#ownerOf.set(
          `${name === 0 ? 'id' : 'anonymous_id'} ${String(NAMES_A_PERSON * index + name)}`,
          person,
        );
      }
    }
  }

  get names(): readonly string[] {
    return [...this.#ownerOf.keys()];
  }

  owner(name: string): string | undefined {
    return this.#ownerOf.get(name);
  }

  /** An event under a name of somebody who is there. */
  did(name: string, what: Parameters<typeof happened>[0]): Given[] {
    const person = this.#ownerOf.get(name);
    if (person === undefined) return [];
    const [kind, value = ''] = name.split(' ');
    const named = kind === 'id';
    const record = happened({
      ...what,
      person,
      fields: {
        ...what.fields,
        identifier_kind: named ? 'id' : 'none',
        identifier: named ? value : null,
        anonymous_id: named ? null : value,
      },
    });
    return [{ ...record, value: record.value && { ...record.value, decided_as_of: this.#latest } }];
  }

  merge(from: string, into: string, at: number): Given[] {
    if (from === into || !this.#isAlive(from) || !this.#isAlive(into)) return [];
    this.#gone(from, into);
    const number = this.#fact({ kind: 'person_absorbed', person_id: from, other_person_id: into, at });
    return [absorb(into, from, number, at), absorbed(from, into, number, at)];
  }

  delete(person: string, at: number): Given[] {
    if (!this.#isAlive(person)) return [];
    this.#gone(person, undefined);
    return [deleted(person, this.#fact({ kind: 'person_deleted', person_id: person, at }), at)];
  }

  /** @param into null: somebody new. */
  split(name: string, into: string | null, at: number): Given[] {
    const from = this.#ownerOf.get(name);
    if (from === undefined || from === into || (into !== null && !this.#isAlive(into))) return [];
    const to = into ?? `cio_of_${String(this.#latest)}`;
    if (into === null) this.#born(to);
    this.#ownerOf.set(name, to);
    const people = { person_id: to, other_person_id: from, at };
    this.#fact({ kind: 'person_split', ...people });
    const isId = name.startsWith('id ');
    const asOf = this.#fact({
      ...{ kind: isId ? 'identifier_moved' : 'anonymous_moved', ...people },
      identifier_kind: isId ? 'id' : 'anonymous_id',
      identifier: name.split(' ')[1] ?? null,
    });
    const known = { asOf, id: null, email: null };
    return [split(from, to, at, known), split(to, from, at, known)];
  }

  get #latest(): number {
    return this.facts.length;
  }

  #isAlive(person: string): boolean {
    return this.alive.includes(person);
  }

  #born(person: string): void {
    this.alive.push(person);
  }

  #gone(person: string, heir: string | undefined): void {
    this.alive.splice(this.alive.indexOf(person), 1);
    for (const [name, owner] of this.#ownerOf) {
      if (owner !== person) continue;
      if (heir === undefined) this.#ownerOf.delete(name);
      else this.#ownerOf.set(name, heir);
    }
  }

  #fact(fact: Pick<IdentityFact, 'kind' | 'at'> & Partial<IdentityFact>): number {
    const number = this.#latest + 1;
    this.facts.push({
      ...{ number, workspace: 'default', person_id: null, other_person_id: null, identifier_kind: 'none' },
      ...{ identifier: null, lane: null, message_id: null, detail: null },
      ...fact,
    });
    return number;
  }
}
