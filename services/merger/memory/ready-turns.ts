/**
 * Lanes that have their answer and await their turn: of a workspace in the order of the answers, and workspaces take turns,
 * so that nobody's release of very many lanes is in front of another's one. Whose turn is next goes by the state of lanes
 * and by the turns that were taken in the batch, so a replay comes to the same.
 */
import { assert } from '../../runtime/errors.ts';

export interface ReadyLane {
  readonly hex: string;
  readonly workspace: string;
  /** Place of the answer on its topic. */
  readonly readyAt: number;
}

export class ReadyTurns {
  /** By workspace, then by readyAt, lowest first. */
  readonly #queues = new Map<string, ReadyLane[]>();
  /** Turns that were taken in this batch, by workspace. */
  readonly #taken = new Map<string, number>();
  /** Workspaces that have no turn any more in this batch. */
  readonly #paused = new Set<string>();
  #next: ReadyLane | undefined;
  /** Told as next, and not taken yet. */
  #inTurn: ReadyLane | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }
  get workspaces(): number {
    return this.#queues.size;
  }
  get names(): IterableIterator<string> {
    return this.#queues.keys();
  }
  has(workspace: string): boolean {
    return this.#queues.has(workspace);
  }

  add(lane: ReadyLane): void {
    const queue = this.#queues.get(lane.workspace) ?? [];
    let at = queue.length;
    while (at > 0 && comesBefore(lane, queue[at - 1])) at -= 1;
    queue.splice(at, 0, lane);
    this.#queues.set(lane.workspace, queue);
    this.#size += 1;
    this.#next = undefined;
  }

  /** Of the workspaces that had fewest turns in this batch, the one that has waited longest. */
  next(): string | undefined {
    this.#next ??= this.#choose();
    this.#inTurn = this.#next;
    return this.#next?.hex;
  }

  #choose(): ReadyLane | undefined {
    let next: ReadyLane | undefined;
    let fewest = Infinity;
    for (const [workspace, [first]] of this.#queues) {
      const turns = this.#taken.get(workspace) ?? 0;
      if (first === undefined || turns > fewest || this.#paused.has(workspace)) continue;
      if (turns === fewest && !comesBefore(first, next)) continue;
      fewest = turns;
      next = first;
    }
    return next;
  }

  /** The one that was next has had its turn, whatever has become ready since. */
  taken(): void {
    const lane = this.#inTurn;
    assert(lane !== undefined, 'the lane whose turn it was is known');
    const { workspace } = lane;
    const queue = this.#queues.get(workspace) ?? [];
    queue.splice(queue.indexOf(lane), 1);
    if (queue.length === 0) this.#queues.delete(workspace);
    this.#taken.set(workspace, (this.#taken.get(workspace) ?? 0) + 1);
    this.#size -= 1;
    this.#next = undefined;
    this.#inTurn = undefined;
  }

  /** The one that was next goes on in another batch, and so do all of its workspace. */
  pause(): void {
    const lane = this.#inTurn;
    assert(lane !== undefined, 'the lane whose turn it was is known');
    this.#paused.add(lane.workspace);
    this.#next = undefined;
    this.#inTurn = undefined;
  }

  endBatch(): void {
    this.#taken.clear();
    this.#paused.clear();
    this.#next = undefined;
  }
}

/** Lanes of states that former versions wrote may have the same place. */
function comesBefore(lane: ReadyLane, other: ReadyLane | undefined): boolean {
  if (other === undefined) return true;
  if (lane.readyAt !== other.readyAt) return lane.readyAt < other.readyAt;
  return lane.workspace === other.workspace ? lane.hex < other.hex : lane.workspace < other.workspace;
}
