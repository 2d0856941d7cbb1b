/**
 * The visitors of a person who was merged or deleted become somebody else's, or are erased: so many at once, and of very many
 * the rest at the ends of the batches that follow. A claim needs no more than a public key, so anybody may make them very
 * many, and none of them may be left behind.
 */
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { erased } from './decide/visitor.ts';
import { lanesAtOnceMax, type Move, type VisitorsStore } from './visitors-store.ts';

export class VisitorMoves {
  readonly #visitors: VisitorsStore;

  constructor(visitors: VisitorsStore) {
    this.#visitors = visitors;
  }

  /** Some are under way. */
  get any(): boolean {
    return this.#visitors.nextMove !== undefined;
  }

  /** Those on their way to this person go on, too. */
  begin(move: Move): void {
    for (const { personKey, to } of this.#visitors.moves) {
      if (to !== null && `${workspaceIn(personKey)}:${to}` === move.personKey)
        this.#visitors.keepMove({ personKey, to: move.to });
    }
    if (this.#goOn(move) >= lanesAtOnceMax) this.#visitors.keepMove(move);
  }

  /** At the end of a batch. */
  step(): void {
    const move = this.#visitors.nextMove;
    if (move !== undefined && this.#goOn(move) < lanesAtOnceMax) this.#visitors.endMove(move.personKey);
  }

  /** Lanes that a person has, or that are on their way to them, go to another. */
  split(lanes: readonly string[], { from, to }: { readonly from: string; readonly to: string }): void {
    for (const lane of lanes) {
      const { personId } = this.#visitors.visitor(lane, anonymousIdOf(lane));
      if (personId === null) continue;
      const personKey = `${workspaceIn(lane)}:${personId}`;
      const today = this.#visitors.moveOf(personKey)?.to ?? personId;
      if (today === from) this.#reassign(lane, personKey, to);
    }
  }

  #reassign(lane: string, fromKey: string, personId: string): void {
    const workspace = workspaceIn(lane);
    const visitor = this.#visitors.visitor(lane, anonymousIdOf(lane));
    this.#visitors.unlink(fromKey, lane);
    this.#visitors.link(`${workspace}:${personId}`, lane);
    this.#visitors.keepVisitor(lane, { ...visitor, personId }, visitor.lastAt);
  }

  /** @returns of how many visitors. */
  #goOn({ personKey, to }: Move): number {
    const lanes = this.#visitors.lanesOf(personKey);
    for (const lane of lanes) {
      if (to === null) this.#erase(lane, personKey);
      else this.#reassign(lane, personKey, to);
    }
    return lanes.length;
  }

  /** They were somebody, and stay so: what is gone is what they did and what they were shown. */
  #erase(lane: string, personKey: string): void {
    const visitor = this.#visitors.visitor(lane, anonymousIdOf(lane));
    this.#visitors.unlink(personKey, lane);
    const { hasWithdrawn } = visitor;
    this.#visitors.keepVisitor(lane, erased(visitor, { hasWithdrawn }), visitor.lastAt);
  }
}

/** Lanes of visitors are `workspace:a:anonymous id`. */
function anonymousIdOf(lane: string): string {
  return lane.slice(`${workspaceIn(lane)}:a:`.length);
}
