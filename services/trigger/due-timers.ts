/**
 * Which of the timers that are due run in a batch: a bounded number, so that very many at once hold up no record, and of
 * each workspace so many first that others have their turn in the same batch. A timer whose workspace has records that come
 * before it and still wait for their share waits for these, or it would tell of a person as of too early.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { DeferredTimers } from './deferred-timers.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import type { Timer, TimerIndex } from './timers.ts';

/** Timers of a partition that run in a batch; one that is dear counts as several. */
export const timersABatchMax = 500;
/** Of one workspace, before those of others have had theirs. */
export const timersATurnMax = 250;
/** Timers that are laid aside in a batch, which costs a tenth of running one. */
const deferredABatchMax = 5_000;

/** What is known of them in the batch that was seen last. */
export interface Workspaces {
  /** Up to when everything of a workspace has been handled, ms. */
  readonly readTo: (workspace: string) => number;
  /** Its records fail too often: nothing of it is handled. */
  readonly rests: (workspace: string) => boolean;
}

export class DueTimers {
  readonly #timers: TimerIndex;
  readonly #deferred: DeferredTimers;
  readonly #workspaces: Workspaces;

  constructor(store: KeyedStore, timers: TimerIndex, workspaces: Workspaces) {
    this.#timers = timers;
    this.#deferred = new DeferredTimers(store);
    this.#workspaces = workspaces;
  }

  /** Is anything to be run, or laid aside? @param time up to when everything of all workspaces has been read, ms. */
  any(time: number): boolean {
    if (this.#timers.due(time) !== undefined) return true;
    return this.#deferred.workspaces.some((workspace) => this.#dueOf(workspace) !== undefined);
  }

  /** @param sequence of the batch. @param handle says as how many it counts. */
  run(time: number, sequence: number, handle: (timer: Timer) => number): void {
    const ranOf = new Map<string, number>();
    let [ran, deferred] = [0, 0];
    while (ran < timersABatchMax && deferred < deferredABatchMax) {
      const timer = this.#timers.due(time);
      if (timer === undefined) break;
      const { personKey, at } = timer;
      const workspace = workspaceIn(personKey);
      const ranBefore = ranOf.get(workspace) ?? 0;
      this.#timers.move(personKey, at, Infinity);
      if (ranBefore < timersATurnMax && this.#mayRun(workspace, at)) {
        const cost = handle(timer);
        ran += cost;
        ranOf.set(workspace, ranBefore + cost);
      } else {
        this.#deferred.add(timer);
        deferred += 1;
      }
    }
    this.#runDeferred(timersABatchMax - ran, sequence, handle);
  }

  #mayRun(workspace: string, at: number): boolean {
    const { readTo, rests } = this.#workspaces;
    return at <= readTo(workspace) && !rests(workspace);
  }
  #dueOf(workspace: string): Timer | undefined {
    const { readTo, rests } = this.#workspaces;
    return rests(workspace) ? undefined : this.#deferred.due(workspace, readTo(workspace));
  }

  /** Workspaces take turns; which of them is first goes round. */
  #runDeferred(roomMax: number, sequence: number, handle: (timer: Timer) => number): void {
    const names = this.#deferred.workspaces;
    const first = names.length === 0 ? 0 : sequence % names.length;
    let waiting = [...names.slice(first), ...names.slice(0, first)];
    for (let room = roomMax; room > 0 && waiting.length > 0;) {
      const turn = Math.max(1, Math.floor(room / waiting.length));
      const more: string[] = [];
      for (const workspace of waiting) {
        if (room <= 0) break;
        const ran = this.#runSome(workspace, Math.min(turn, room), handle);
        room -= ran;
        if (ran >= turn) more.push(workspace);
      }
      waiting = more;
    }
  }

  #runSome(workspace: string, max: number, handle: (timer: Timer) => number): number {
    let ran = 0;
    while (ran < max) {
      const timer = this.#dueOf(workspace);
      if (timer === undefined) return ran;
      this.#deferred.delete(timer);
      ran += handle(timer);
    }
    return ran;
  }
}
