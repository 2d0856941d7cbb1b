/** What waits, by workspace: each in its order, one of each workspace in turn. Bounded by who adds. */

export class Turns<Workspace extends string, Item> {
  /** Those that wait for something; whose turn it is next comes first. */
  readonly #queues = new Map<Workspace, Set<Item>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }
  sizeOf(workspace: Workspace): number {
    return this.#queues.get(workspace)?.size ?? 0;
  }

  add(workspace: Workspace, item: Item): void {
    const queue = this.#queues.get(workspace) ?? new Set();
    this.#size += queue.has(item) ? 0 : 1;
    this.#queues.set(workspace, queue.add(item));
  }

  /** So many at most, which wait no more. */
  take(countMax: number): Item[] {
    const taken: Item[] = [];
    while (taken.length < countMax && this.#size > 0) {
      for (const [workspace, queue] of this.#queues) {
        if (taken.length >= countMax) break;
        const [item] = queue;
        if (item !== undefined) taken.push(item);
        if (item !== undefined && queue.delete(item)) this.#size -= 1;
        // Behind the others: it has had its turn.
        this.#queues.delete(workspace);
        if (queue.size > 0) this.#queues.set(workspace, queue);
      }
    }
    return taken;
  }
}
