/**
 * Of what a version before an index of it has stored: it is entered into the index once, a bounded number a batch.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';

const DONE = 'done';

export interface AdoptionOptions {
  /** Where the store says how far it is. */
  readonly progressKey: string;
  /** Of the keys of what is adopted; one letter and a colon. */
  readonly prefix: string;
  readonly entriesABatchMax: number;
  /** @param name the key without its prefix. */
  readonly adopt: (name: string, stored: Buffer) => void;
}

export class Adoption {
  readonly #store: KeyedStore;
  readonly #options: AdoptionOptions;
  /** Behind the last key of the prefix. */
  readonly #to: string;
  /** Where to go on; undefined: all is in the index. */
  #from: string | undefined;
  readonly #anything: boolean;

  constructor(store: KeyedStore, options: AdoptionOptions) {
    const { progressKey, prefix } = options;
    this.#store = store;
    this.#options = options;
    this.#to = prefix.replace(':', ';');
    const kept = store.get(progressKey)?.toString() ?? prefix;
    this.#from = kept === DONE ? undefined : kept;
    this.#anything = this.#from !== undefined && store.scan(prefix, this.#to, 1).length > 0;
  }

  get pending(): boolean {
    return this.#from !== undefined && this.#anything;
  }

  step(): void {
    if (this.#from === undefined) return;
    const { progressKey, prefix, entriesABatchMax, adopt } = this.#options;
    const found = this.#anything ? this.#store.scan(this.#from, this.#to, entriesABatchMax) : [];
    for (const [key, stored] of found) adopt(key.slice(prefix.length), stored);
    const last = found.length < entriesABatchMax ? undefined : found.at(-1)?.[0];
    this.#from = last === undefined ? undefined : `${last}\0`;
    this.#store.put(progressKey, Buffer.from(this.#from ?? DONE));
  }
}
