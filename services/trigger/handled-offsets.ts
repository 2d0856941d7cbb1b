/**
 * How far each workspace's records of this partition of events.merged have been handled: what an answer is as of, and where
 * the past of a new rule ends. Records of a workspace that has had its share wait while others go on, so it is told for
 * each workspace by itself.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';

/** Workspaces whose offset is kept in memory; those of others are read again. */
export const workspacesInMemoryMax = 1_000;

const workspacesMax = 100_000;
const PREFIX = 'n:';

export class HandledOffsets {
  readonly #store: KeyedStore;
  /** One past the last record that is handled. */
  readonly #next = new Map<string, number>();
  /** Of this batch. */
  readonly #changed = new Set<string>();

  constructor(store: KeyedStore) {
    this.#store = store;
  }

  /** One past the last; undefined: none is known of. */
  next(workspace: string): number | undefined {
    return this.#next.get(workspace) ?? this.#store.get(keyOf(workspace))?.readDoubleLE(0);
  }

  handled(workspace: string, offset: number): void {
    this.#next.set(workspace, offset + 1);
    this.#changed.add(workspace);
  }

  /** Of which a record has been handled. */
  workspaces(): readonly string[] {
    const stored = this.#store.scan(PREFIX, 'n;', workspacesMax).map(([key]) => key.slice(PREFIX.length));
    return [...new Set([...stored, ...this.#next.keys()])].sort();
  }

  endBatch(): void {
    for (const workspace of this.#changed) {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeDoubleLE(this.#next.get(workspace) ?? 0);
      this.#store.put(keyOf(workspace), bytes);
    }
    this.#changed.clear();
    if (this.#next.size > workspacesInMemoryMax) this.#next.clear();
  }
}

function keyOf(workspace: string): string {
  return `${PREFIX}${workspace}`;
}
