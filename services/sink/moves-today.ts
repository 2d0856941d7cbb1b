/**
 * Whose rows are whose, of one workspace, worked out from its facts: what the views person_resolutions and move_resolutions
 * say, which follow each chain one question a link, for all workspaces in one. A workspace that has merged people one into
 * the other a thousand times, or moved a name to and fro as often, is more than they can follow; then each is worked out
 * by itself, in about as many steps as it has facts, and one that has too many is left out and costs no other anything.
 * Pure.
 */

/** In the order of their numbers. */
export interface HistoryFact {
  readonly kind: string;
  readonly number: number;
  readonly person_id: string;
  readonly other_person_id: string | null;
  /** Digest of the name that moved, as text. */
  readonly name_key: string;
}

export interface MoveResolution {
  readonly person_id: string;
  readonly name_key: string;
  readonly before: number;
  readonly today_id: string;
}

/** Links of chains that are followed for all moves of a workspace. */
export const linksMax = 1_000_000;
/** Of stored_moves, of a workspace: whoever the mover had taken in, for each name that moved. */
export const moveRowsMax = 50_000;

interface Move {
  readonly number: number;
  readonly split: number;
  readonly name: string;
  readonly mover: string;
  readonly receiver: string;
}
/** By which a name left its mover, and whose it is today. */
interface Left {
  readonly number: number;
  readonly today: string;
}
interface Absorption {
  readonly number: number;
  readonly absorbed: string;
  readonly survivor: string;
}

/** Whose the rows of everybody are who was absorbed or deleted; empty: nobody's. */
export function peopleToday(facts: readonly HistoryFact[]): ReadonlyMap<string, string> {
  const next = new Map<string, string>();
  const deleted = new Set<string>();
  for (const { kind, person_id: personId, other_person_id: other } of facts) {
    if (kind === 'person_deleted') deleted.add(personId);
    else if (kind === 'person_absorbed' && other !== null) next.set(personId, other);
  }
  const today = new Map<string, string>();
  for (const personId of next.keys()) {
    // The chain as far as it is not known yet, then all of it at once: each link is followed once.
    const chain: string[] = [];
    let at = personId;
    while (!today.has(at)) {
      const to = next.get(at);
      if (to === undefined) break;
      chain.push(at);
      at = to;
    }
    const end = today.get(at) ?? (deleted.has(at) ? '' : at);
    for (const each of chain) today.set(each, end);
  }
  for (const personId of deleted) today.set(personId, '');
  return today;
}

/** undefined: there is more to follow than one workspace may have followed. Whoever is deleted is still named. */
export function movesToday(facts: readonly HistoryFact[]): readonly MoveResolution[] | undefined {
  return new Moves(facts).resolutions();
}

class Moves {
  readonly #moves: Move[] = [];
  readonly #absorptionOf = new Map<string, Absorption>();
  readonly #takenIn = new Map<string, Absorption[]>();
  /** By mover and name, from the last to the first. */
  readonly #leaving = new Map<string, Left[]>();
  #links = 0;

  constructor(facts: readonly HistoryFact[]) {
    let split = 0;
    for (const { kind, number, person_id: personId, other_person_id: other, name_key: name } of facts) {
      // A split is one decision: its moves follow it, and nothing comes between.
      if (kind === 'person_split') split = number;
      if (other === null) continue;
      if (kind.endsWith('_moved'))
        this.#moves.push({ number, split, name, mover: other, receiver: personId });
      if (kind === 'person_absorbed') this.#absorb({ number, absorbed: personId, survivor: other });
    }
  }

  #absorb(absorption: Absorption): void {
    const { absorbed, survivor } = absorption;
    this.#absorptionOf.set(absorbed, absorption);
    const others = this.#takenIn.get(survivor);
    if (others === undefined) this.#takenIn.set(survivor, [absorption]);
    else others.push(absorption);
  }

  resolutions(): readonly MoveResolution[] | undefined {
    const rows: MoveResolution[] = [];
    // From the last to the first: where a name went on is known when it is asked.
    for (const move of this.#moves.toReversed()) {
      const today = this.#endOf(move);
      for (const personId of this.#owners(move)) {
        rows.push({ person_id: personId, name_key: move.name, before: move.split, today_id: today });
        if (rows.length > moveRowsMax || this.#links > linksMax) return undefined;
      }
      const key = `${move.mover} ${move.name}`;
      const later = this.#leaving.get(key);
      if (later === undefined) this.#leaving.set(key, [{ number: move.number, today }]);
      else later.push({ number: move.number, today });
    }
    return rows;
  }

  /** Who has the name next: by the first later move, or as who took its person in. */
  #endOf({ receiver, name, number }: Move): string {
    let person = receiver;
    let after = number;
    while (this.#links <= linksMax) {
      this.#links += 1;
      const next = this.#firstAfter(after, this.#leaving.get(`${person} ${name}`) ?? []);
      if (next !== undefined) return next;
      const taken = this.#absorptionOf.get(person);
      if (taken === undefined) break;
      person = taken.survivor;
      after = taken.number;
    }
    return person;
  }

  /** @param moves from the last to the first. */
  #firstAfter(after: number, moves: readonly Left[]): string | undefined {
    for (let index = moves.length - 1; index >= 0; index -= 1) {
      this.#links += 1;
      const move = moves[index];
      if (move !== undefined && move.number > after) return move.today;
      if (this.#links > linksMax) break;
    }
    return undefined;
  }

  /** Everybody whose rows the mover had when it lost the name. */
  *#owners({ mover, number }: Move): Generator<string> {
    const waiting = [mover];
    for (let personId = waiting.pop(); personId !== undefined; personId = waiting.pop()) {
      yield personId;
      for (const taken of this.#takenIn.get(personId) ?? []) {
        this.#links += 1;
        if (taken.number < number) waiting.push(taken.absorbed);
      }
    }
  }
}
