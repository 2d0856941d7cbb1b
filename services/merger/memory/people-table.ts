/** Marks of people in this partition, from partition-wide decisions. */
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import type { IdentityDecision } from '../../../schemas/records.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import {
  decodeMark,
  encodeMark,
  peopleFrom,
  peopleTo,
  personMarkKey,
  type People,
  type PersonMark,
} from '../decide/people.ts';
import { Ways } from '../decide/ways.ts';
import { identifiersIn } from '../decide/decision-detail.ts';

export class PeopleTable {
  readonly #keyed: KeyedStore;
  /** Most partitions of most days: nobody was merged, deleted or split, and no look-up is needed. */
  #any: boolean;
  readonly #ways = new Ways();

  constructor(keyed: KeyedStore) {
    this.#keyed = keyed;
    this.#any = keyed.scan(peopleFrom, peopleTo, 1).length > 0;
  }

  in(workspace: Workspace): People {
    const room = `${workspace}:`;
    const marks = (personId: PersonId): PersonMark | undefined => this.#get(workspace, personId);
    return (personId) => this.#ways.find(room, marks, personId);
  }

  /** Takes a decision about people. Others are left alone. */
  take(decision: IdentityDecision, offset: number, time: number): void {
    if (decision.person_id === null) return;
    const workspace = decision.workspace as Workspace; // identity's, checked by ingest
    const personId = decision.person_id as PersonId;
    const change = changeOf(decision, offset, time);
    if (change === undefined) return;
    const mark = { ...this.#get(workspace, personId), ...change };
    this.#keyed.put(personMarkKey(workspace, personId), encodeMark(mark));
    this.#any = true;
    this.#ways.forget();
  }

  #get(workspace: Workspace, personId: PersonId): PersonMark | undefined {
    if (!this.#any) return undefined;
    const bytes = this.#keyed.get(personMarkKey(workspace, personId));
    return bytes && decodeMark(bytes);
  }
}

function changeOf(decision: IdentityDecision, offset: number, time: number): PersonMark | undefined {
  switch (decision.kind) {
    case 'absorbed':
      // An absorbed person without a survivor cannot be followed, so lanes ask again.
      return decision.other_person_id === null
        ? { gone: true }
        : {
            into: decision.other_person_id as PersonId,
            intoAt: time,
            freed: identifiersIn(decision.detail, 'freed'),
          };
    case 'deleted':
    case 'suppressed':
      return { gone: true };
    case 'split':
      return { staleBelow: offset };
    default:
      return undefined;
  }
}
