/**
 * Merges that nobody waits for, since as many as may are under way already: the survivor's records go on, and what the other
 * brings is added when it comes. Each is a row of the store, `u:person:fact`, and nothing in memory.
 */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { Waiting } from './person-links.ts';

/** `absorb` was read, with what it says; or the state has come, and lies where states do. */
export type Unawaited = { readonly type: 'read'; readonly fact: Waiting } | { readonly type: 'come' };

export class UnawaitedMerges {
  readonly #store: KeyedStore;

  constructor(store: KeyedStore) {
    this.#store = store;
  }

  put(personKey: string, factNumber: number, what: Unawaited): void {
    this.#store.put(keyOf(personKey, factNumber), Buffer.from(JSON.stringify(what)));
  }

  /** Takes it out. */
  take(personKey: string, factNumber: number): Unawaited | undefined {
    const key = keyOf(personKey, factNumber);
    const row = this.#store.get(key);
    if (row === undefined) return undefined;
    this.#store.delete(key);
    return JSON.parse(row.toString()) as Unawaited; // written by put
  }
}

function keyOf(personKey: string, factNumber: number): string {
  return `u:${personKey}:${String(factNumber)}`;
}
