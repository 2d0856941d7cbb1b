/** A list in localStorage. A browser that keeps nothing has an empty one. */
export class KeptList<Item> {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  read(): Item[] {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(this.#key) ?? '[]');
      return Array.isArray(kept) ? (kept as Item[]) : []; // written below
    } catch {
      return [];
    }
  }

  /** @returns whether the browser keeps it. */
  write(items: readonly Item[]): boolean {
    try {
      if (items.length === 0) localStorage.removeItem(this.#key);
      else localStorage.setItem(this.#key, JSON.stringify(items));
      return true;
    } catch {
      return false;
    }
  }
}
