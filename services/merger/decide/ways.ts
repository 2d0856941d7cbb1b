/**
 * Ways from people to who they are today, each walked once: of a chain of merges every lane would walk the rest. What was
 * walked is forgotten when a mark changes. Only a saving.
 */
import type { PersonId } from '../../../schemas/ids.ts';
import { assert } from '../../runtime/errors.ts';
import { chainMax, type PersonMark, type Way } from './people.ts';

export type Marks = (personId: PersonId) => PersonMark | undefined;

/** Marks that are read for one way; of a chain that is longer, who is too far from this end is known with it. */
const walkMarksMax = 4 * chainMax;
/** Of a partition, about 150 bytes each; above it all are forgotten. */
export const waysMax = 32_768;

interface Walked {
  readonly personId: PersonId;
  readonly mark: PersonMark;
}

export class Ways {
  readonly #ways = new Map<string, Way>();

  /** @param room whose people these are: the same person id may be another workspace's. */
  find(room: string, marks: Marks, personId: PersonId): Way {
    const known = this.#ways.get(room + personId);
    if (known !== undefined) return known;
    const walked: Walked[] = [];
    let current = personId;
    let way: Way | undefined;
    while (walked.length < walkMarksMax) {
      way = this.#ways.get(room + current);
      if (way !== undefined) break;
      const mark = marks(current);
      if (mark?.into === undefined || mark.gone === true) {
        way = endOf(current, mark);
        if (walked.length === 0) return way; // most people: not worth a place
        break;
      }
      walked.push({ personId: current, mark });
      current = mark.into;
    }
    if (this.#ways.size + walked.length > waysMax) this.#ways.clear();
    return this.#keep(room, walked, way);
  }

  forget(): void {
    this.#ways.clear();
  }

  /** @param end undefined: not reached. */
  #keep(room: string, walked: readonly Walked[], end: Way | undefined): Way {
    let way = end;
    for (const [steps, { personId, mark }] of walked.toReversed().entries()) {
      way = end === undefined || way === undefined ? tooLong(personId) : stepOf(mark, way);
      // How far an end that was not reached is from the last steps is not known.
      if (end !== undefined || steps >= chainMax) this.#ways.set(room + personId, way);
    }
    assert(way !== undefined, 'a way ends, or has steps');
    return way;
  }
}

function endOf(personId: PersonId, mark: PersonMark | undefined): Way {
  const staleBelow = mark?.staleBelow ?? -1;
  return {
    personId,
    merges: 0,
    since: undefined,
    staleBelow,
    isGone: mark?.gone === true,
    freed: [],
    next: undefined,
  };
}

function stepOf(mark: PersonMark, next: Way): Way {
  return {
    personId: next.personId,
    merges: next.merges + 1,
    since: next.merges === 0 ? mark.intoAt : next.since,
    staleBelow: Math.max(mark.staleBelow ?? -1, next.staleBelow),
    isGone: next.isGone,
    freed: mark.freed ?? [],
    next,
  };
}

function tooLong(personId: PersonId): Way {
  return {
    personId,
    merges: Infinity,
    since: undefined,
    staleBelow: -1,
    isGone: false,
    freed: [],
    next: undefined,
  };
}
