/**
 * The visitors of a person who was merged or deleted become somebody else's, or are erased: so many at once, and of very many
 * the rest at the ends of the batches that follow. A claim needs no more than a public key, so anybody may make them very
 * many, and none of them may be left behind.
 */
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { erased, type Visitor } from './decide/visitor.ts';
import { lanesAtOnceMax } from './visitor-groups.ts';
import type { Move, VisitorsStore } from './visitors-store.ts';

export class VisitorMoves {
  readonly #visitors: VisitorsStore;

  constructor(visitors: VisitorsStore) {
    this.#visitors = visitors;
  }

  /** Some are under way. */
  get any(): boolean {
    return this.#visitors.nextMove !== undefined;
  }

  /** Of a merge; those on their way to this person go on to the survivor, too. */
  absorb(personKey: string, survivorKey: string): void {
    const to = personIdIn(survivorKey);
    for (const { groupKey } of this.#towards(personKey)) {
      this.#visitors.keepMove({ groupKey, to });
      this.#visitors.groups.own(groupKey, survivorKey);
    }
    const groupKey = this.#visitors.groups.join(personKey, survivorKey);
    if (groupKey !== undefined) this.#begin({ groupKey, to });
  }

  erase(personKey: string): void {
    for (const { groupKey } of this.#towards(personKey)) this.#visitors.keepMove({ groupKey, to: null });
    this.#begin({ groupKey: this.#visitors.groups.groupOf(personKey), to: null });
  }

  /** At the end of a batch. */
  step(): void {
    const move = this.#visitors.nextMove;
    if (move !== undefined && this.#goOn(move) < lanesAtOnceMax) this.#visitors.endMove(move.groupKey);
  }

  /** Lanes that a person has go to another. */
  split(lanes: readonly string[], { from, to }: { readonly from: string; readonly to: string }): void {
    for (const lane of lanes) {
      const visitor = this.#visitors.visitor(lane, anonymousIdOf(lane));
      if (visitor.personId !== from) continue;
      const groupKey = this.#visitors.groupOf(lane);
      if (groupKey !== undefined) this.#reassign(lane, visitor, { groupKey, to });
    }
  }

  #towards(personKey: string): Move[] {
    return this.#visitors.moves.filter(
      ({ groupKey, to }) => to !== null && `${workspaceIn(groupKey)}:${to}` === personKey,
    );
  }

  #begin(move: Move): void {
    if (this.#goOn(move) >= lanesAtOnceMax) this.#visitors.keepMove(move);
  }

  #reassign(
    lane: string,
    visitor: Visitor,
    { groupKey, to }: { readonly groupKey: string; readonly to: string },
  ): void {
    this.#visitors.groups.unlink(groupKey, lane);
    this.#visitors.groups.link(`${workspaceIn(lane)}:${to}`, lane);
    this.#visitors.keepVisitor(lane, { ...visitor, personId: to }, visitor.lastAt);
  }

  /** @returns of how many visitors. */
  #goOn({ groupKey, to }: Move): number {
    const { groups } = this.#visitors;
    const lanes = groups.lanesIn(groupKey);
    const owner = personIdIn(groups.ownerOf(groupKey));
    for (const lane of lanes) {
      const visitor = this.#visitors.visitor(lane, anonymousIdOf(lane));
      // A split may have given them to somebody meanwhile.
      if (visitor.personId !== owner) groups.unlink(groupKey, lane);
      else if (to === null) this.#erase(lane, visitor, groupKey);
      else this.#reassign(lane, visitor, { groupKey, to });
    }
    return lanes.length;
  }

  /** They were somebody, and stay so: what is gone is what they did and what they were shown. */
  #erase(lane: string, visitor: Visitor, groupKey: string): void {
    this.#visitors.groups.unlink(groupKey, lane);
    const { hasWithdrawn } = visitor;
    this.#visitors.keepVisitor(lane, erased(visitor, { hasWithdrawn }), visitor.lastAt);
  }
}

function personIdIn(personKey: string): string {
  return personKey.slice(workspaceIn(personKey).length + 1);
}

/** Lanes of visitors are `workspace:a:anonymous id`. */
function anonymousIdOf(lane: string): string {
  return lane.slice(`${workspaceIn(lane)}:a:`.length);
}
