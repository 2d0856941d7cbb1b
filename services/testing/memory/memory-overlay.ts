/** Changes of an in-memory store that have not been flushed, over those that have. */
import { CodedError } from '../../runtime/errors.ts';

/** Of a partition's stores together. */
export interface Lifetime {
  /** Something changed since the last committed(). */
  batchOpen: boolean;
  closed: boolean;
}

export function assertOpen(state: Lifetime): void {
  if (state.closed) throw new CodedError('store_closed', 'could not use a store: it is closed');
}

/** Changes over what was saved; they reach it by write() only. */
export class Overlay<V> {
  readonly #saved: Map<string, V>;
  readonly #state: Lifetime;
  readonly #changes = new Map<string, V | undefined>();
  /** What each key that the open batch changed was in the changes before; absent: it was not there. */
  readonly #before = new Map<string, { readonly was: V | undefined } | undefined>();
  #size: number;

  constructor(saved: Map<string, V>, state: Lifetime) {
    this.#saved = saved;
    this.#state = state;
    this.#size = saved.size;
  }

  find(key: string): V | undefined {
    assertOpen(this.#state);
    return this.#changes.has(key) ? this.#changes.get(key) : this.#saved.get(key);
  }

  change(key: string, value: V | undefined): void {
    this.#size += Number(value !== undefined) - Number(this.find(key) !== undefined);
    this.#state.batchOpen = true;
    if (!this.#before.has(key)) {
      this.#before.set(key, this.#changes.has(key) ? { was: this.#changes.get(key) } : undefined);
    }
    this.#changes.set(key, value);
  }

  committed(): void {
    this.#before.clear();
  }
  /** Keys that the open batch changed. */
  get opened(): number {
    return this.#before.size;
  }

  /** The open batch did not happen. */
  takeBack(): void {
    for (const [key, before] of this.#before) {
      this.#size -= Number(this.find(key) !== undefined);
      if (before === undefined) this.#changes.delete(key);
      else this.#changes.set(key, before.was);
      this.#size += Number(this.find(key) !== undefined);
    }
    this.#before.clear();
  }

  *all(): Generator<[string, V]> {
    for (const entry of this.#saved) if (!this.#changes.has(entry[0])) yield entry;
    for (const [key, value] of this.#changes) if (value !== undefined) yield [key, value];
  }

  get size(): number {
    return this.#size;
  }

  write(): void {
    for (const [key, value] of this.#changes) {
      if (value === undefined) this.#saved.delete(key);
      else this.#saved.set(key, value);
    }
    this.#changes.clear();
  }
}
