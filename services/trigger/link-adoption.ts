/**
 * People whom a version before objects had a place of their own has stored belong to objects, and stand in no index of who
 * does (object-book.ts). They are entered into it once, a bounded number a batch; until then nobody is told of objects.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { decodeProfile } from './decide/profile-codec.ts';
import type { ObjectBook } from './object-book.ts';

const KEY = 'y:objects';
const DONE = 'done';
const PROFILES_A_BATCH_MAX = 500;

export class LinkAdoption {
  readonly #store: KeyedStore;
  readonly #objects: ObjectBook;
  /** Where to go on; undefined: everybody is in the index. */
  #from: string | undefined;
  readonly #anybody: boolean;

  constructor(store: KeyedStore, objects: ObjectBook) {
    this.#store = store;
    this.#objects = objects;
    const kept = store.get(KEY)?.toString() ?? 'a:';
    this.#from = kept === DONE ? undefined : kept;
    this.#anybody = this.#from !== undefined && store.scan('a:', 'a;', 1).length > 0;
  }

  get pending(): boolean {
    return this.#from !== undefined && this.#anybody;
  }

  step(): void {
    if (this.#from === undefined) return;
    const found = this.#anybody ? this.#store.scan(this.#from, 'a;', PROFILES_A_BATCH_MAX) : [];
    for (const [key, stored] of found) {
      const { relationships = [] } = decodeProfile(stored);
      for (const object of relationships) this.#objects.link(key.slice(2), object);
    }
    const last = found.length < PROFILES_A_BATCH_MAX ? undefined : found.at(-1)?.[0];
    this.#from = last === undefined ? undefined : `${last}\0`;
    this.#store.put(KEY, Buffer.from(this.#from ?? DONE));
  }
}
