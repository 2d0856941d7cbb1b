/** The identity graph of one workspace as deciders see it. Reads only; evolve.ts is the fold that writes. */
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { assert } from '../../runtime/errors.ts';
import { GraphRows, type NamedPerson, type Person } from './graph-rows.ts';
import { personIdOf, type MakingCall } from './person-id.ts';

/** Latest merges whose times are kept for the guard on merges a minute. */
export const mergeTimesMax = 10_000;
/** Hops along absorbed people before something must be wrong: chains are cut short each time they are followed. */
const HOPS_MAX = 1_000_000;

export interface GraphView {
  readonly workspace: Workspace;
  /** The id that the person gets whom the fact after `factsAhead` further ones creates. */
  personIdAfter(factsAhead: number): PersonId;
  /** A person by cio_id, whatever became of them. */
  person(personId: string): Person | undefined;
  /** Who this person is today: themselves, or who absorbed them. They may have been deleted. */
  survivor(personId: PersonId): PersonId;
  /** The living person of an identifier (canonical form). */
  find(identifier: Identifier): Person | undefined;
  /** Who has an anonymous id today: the claimant, or who absorbed them. They may have been deleted. */
  ownerOf(anonymousId: string): PersonId | undefined;
  isSuppressed(identifier: Identifier): boolean;
  /** All identifiers that were blocked together with this one. */
  suppressedWith(identifier: Identifier): readonly Identifier[];
  /** Receive time of the claim that is `back` claims before a person's next one: 1 is the latest. */
  claimTimeBack(person: Person, back: number): number | undefined;
  /** The same for the workspace's merges; at most mergeTimesMax back. */
  mergeTimeBack(back: number): number | undefined;
  namedPeople(anonymousId: string): readonly NamedPerson[];
}

export class WorkspaceGraph implements GraphView {
  readonly rows: GraphRows;
  readonly workspace: Workspace;
  readonly #call: MakingCall | undefined;

  /** @param call that is decided; absent: nobody is made, the graph is only looked at. */
  constructor(store: KeyedStore, workspace: Workspace, call?: MakingCall) {
    this.rows = new GraphRows(store, workspace);
    this.workspace = workspace;
    this.#call = call;
  }

  personIdAfter(factsAhead: number): PersonId {
    assert(this.#call !== undefined, 'people are made by calls');
    return personIdOf(this.workspace, this.rows.counters().facts + factsAhead + 1, this.#call);
  }

  person(personId: string): Person | undefined {
    return this.rows.person(personId);
  }

  find(identifier: Identifier): Person | undefined {
    const personId = identifier.kind === 'cio_id' ? identifier.value : this.rows.owner(identifier);
    if (personId === undefined) return undefined;
    const person = this.rows.person(personId);
    if (identifier.kind === 'cio_id') return person?.state === 'alive' ? person : undefined;
    assert(person?.state === 'alive', `the ${identifier.kind} of nobody alive is free`);
    return person;
  }

  ownerOf(anonymousId: string): PersonId | undefined {
    const claimant = this.rows.claimant(anonymousId);
    return claimant === undefined ? undefined : this.survivor(claimant);
  }

  isSuppressed(identifier: Identifier): boolean {
    return identifier.kind !== 'cio_id' && this.rows.suppression(identifier) !== undefined;
  }

  suppressedWith(identifier: Identifier): readonly Identifier[] {
    if (identifier.kind === 'cio_id') {
      const together = this.rows.person(identifier.value)?.suppressed ?? [];
      return together.filter((each) => this.rows.suppression(each)?.personId === identifier.value);
    }
    const suppression = this.rows.suppression(identifier);
    if (suppression === undefined) return [];
    if (suppression.personId === null) return [identifier];
    return this.suppressedWith({ kind: 'cio_id', value: suppression.personId });
  }

  claimTimeBack(person: Person, back: number): number | undefined {
    return back > person.claims ? undefined : this.rows.claimTime(person.personId, person.claims - back);
  }

  mergeTimeBack(back: number): number | undefined {
    const { merges } = this.rows.counters();
    return back > merges ? undefined : this.rows.mergeTime((merges - back) % mergeTimesMax);
  }

  namedPeople(anonymousId: string): readonly NamedPerson[] {
    return this.rows.namedPeople(anonymousId);
  }

  /**
   * Follows absorbed people to the one who is left. A store of ten thousand merges into one another is a chain of ten
   * thousand, so what was walked is remembered as a short cut; the graph itself is not touched.
   */
  survivor(from: PersonId): PersonId {
    const walked: PersonId[] = [];
    let at = from;
    for (let hops = 0; ; hops += 1) {
      assert(hops < HOPS_MAX, 'absorbed people form no cycle');
      const next = this.rows.shortCut(at) ?? this.rows.person(at)?.absorbedInto ?? null;
      if (next === null) break;
      walked.push(at);
      at = next;
    }
    for (const each of walked.slice(0, -1)) this.rows.putShortCut(each, at);
    return at;
  }
}
