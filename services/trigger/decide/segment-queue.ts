/** Segments that a look has still to ask, in the order of their references. Pure. */
import type { SegmentRule, WorkspaceRules } from './workspace-rules.ts';

export class SegmentQueue {
  readonly #rules: WorkspaceRules;
  /** In their order; those before `#at` have been asked. */
  readonly #queue: SegmentRule[] = [];
  #at = 0;

  /** @param keys of rules; what is no segment by a rule is left out. */
  constructor(rules: WorkspaceRules, keys: ReadonlySet<string>) {
    this.#rules = rules;
    if (keys === rules.allSegments) this.#queue.push(...rules.segments);
    else for (const key of keys) this.add(key);
  }

  next(): SegmentRule | undefined {
    return this.#queue[this.#at++];
  }

  /** One that comes before the one that was asked last, in a cycle, is not asked again. */
  add(key: string): void {
    const { segmentsByKey } = this.#rules;
    const rule = segmentsByKey.get(key);
    if (rule === undefined) return;
    const place = this.#placeOf(rule);
    let at = this.#queue.length;
    for (; at > 0; at -= 1) {
      const before = this.#queue[at - 1];
      const other = before === undefined ? -1 : this.#placeOf(before);
      if (other === place) return;
      if (other < place) break;
    }
    if (at >= this.#at) this.#queue.splice(at, 0, rule);
  }

  #placeOf({ key }: SegmentRule): number {
    return this.#rules.segmentPlaces.get(key) ?? 0;
  }
}
