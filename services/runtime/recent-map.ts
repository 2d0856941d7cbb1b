/**
 * A Map that forgets what was not used lately: two generations, and when the newer is full the older goes. An exact order
 * of use in one Map costs a deletion for each look-up, and taking the oldest walks over all that was deleted.
 */
export class RecentMap<Key, Value> {
  readonly #entriesAGeneration: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  /** @param entriesAGeneration so many that were used last are remembered for certain, twice as many at most. */
  constructor(entriesAGeneration: number) {
    this.#entriesAGeneration = entriesAGeneration;
  }

  /** Counts as a use. */
  get(key: Key): Value | undefined {
    const recent = this.#newer.get(key);
    if (recent !== undefined) return recent;
    const value = this.#older.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#newer.set(key, value);
    if (this.#newer.size < this.#entriesAGeneration) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
