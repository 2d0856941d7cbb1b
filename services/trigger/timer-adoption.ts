/**
 * People whom a version before timers has stored say when they have to be looked at, and are in no index. They are entered
 * into it once, a bounded number a batch.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { changesAtOf, isAlive } from './decide/state-codec.ts';
import type { TimerIndex } from './timers.ts';

const KEY = 'y:timers';
const DONE = 'done';
const PEOPLE_A_BATCH_MAX = 1_000;

export class TimerAdoption {
  readonly #store: KeyedStore;
  readonly #timers: TimerIndex;
  /** Where to go on; undefined: everybody is in the index. */
  #from: string | undefined;
  readonly #anybody: boolean;

  constructor(store: KeyedStore, timers: TimerIndex) {
    this.#store = store;
    this.#timers = timers;
    const kept = store.get(KEY)?.toString() ?? 'p:';
    this.#from = kept === DONE ? undefined : kept;
    this.#anybody = this.#from !== undefined && store.scan('p:', 'p;', 1).length > 0;
  }

  get pending(): boolean {
    return this.#from !== undefined && this.#anybody;
  }

  step(): void {
    if (this.#from === undefined) return;
    const found = this.#anybody ? this.#store.scan(this.#from, 'p;', PEOPLE_A_BATCH_MAX) : [];
    for (const [key, stored] of found) {
      if (isAlive(stored)) this.#timers.move(key.slice(2), Infinity, changesAtOf(stored));
    }
    const last = found.length < PEOPLE_A_BATCH_MAX ? undefined : found.at(-1)?.[0];
    this.#from = last === undefined ? undefined : `${last}\0`;
    this.#store.put(KEY, Buffer.from(this.#from ?? DONE));
  }
}
