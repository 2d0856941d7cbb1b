/**
 * Timers that are due and must wait: because records of their workspace that come before them still wait for its share, or
 * because the workspace has had as many timers in the batch as others leave it. By workspace, so that none is in another's
 * way; in the store `v:workspace:` and then as in the index of all.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { TimerIndex, type Timer } from './timers.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';

export class DeferredTimers {
  readonly #store: KeyedStore;
  readonly #byWorkspace = new Map<string, TimerIndex>();

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = 'v:'; ;) {
      const [found] = store.scan(from, 'v;', 1);
      if (found === undefined) break;
      const workspace = workspaceIn(found[0].slice(2));
      this.#of(workspace);
      from = endOf(workspace);
    }
  }

  /** In the order of their names. */
  get workspaces(): readonly string[] {
    return [...this.#byWorkspace.keys()].sort();
  }

  add({ personKey, at }: Timer): void {
    this.#of(workspaceIn(personKey)).move(personKey, Infinity, at);
  }

  /** The earliest of the workspace that is due at `time`, ms, left where it is. */
  due(workspace: string, time: number): Timer | undefined {
    return this.#byWorkspace.get(workspace)?.due(time);
  }

  delete({ personKey, at }: Timer): void {
    const workspace = workspaceIn(personKey);
    const timers = this.#byWorkspace.get(workspace);
    timers?.move(personKey, at, Infinity);
    if (timers?.due(Infinity) === undefined) this.#byWorkspace.delete(workspace);
  }

  #of(workspace: string): TimerIndex {
    const known = this.#byWorkspace.get(workspace);
    if (known !== undefined) return known;
    const timers = new TimerIndex(this.#store, { prefix: `v:${workspace}:`, end: endOf(workspace) });
    this.#byWorkspace.set(workspace, timers);
    return timers;
  }
}

function endOf(workspace: string): string {
  return `v:${workspace};`;
}
