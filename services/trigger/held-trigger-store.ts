/** Triggers that wait for an identify, in the keyed store: `e:` person, range, place. */
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { HeldTrigger } from './decide/held-triggers.ts';

export class HeldTriggerStore {
  readonly #store: KeyedStore;

  constructor(store: KeyedStore) {
    this.#store = store;
  }

  put(personKey: string, range: number, place: number, { journeyId, messageId, key }: HeldTrigger): void {
    const fields = key === undefined ? [journeyId, messageId] : [journeyId, messageId, key];
    this.#store.put(keyOf(personKey, range, place), Buffer.from(JSON.stringify(fields)));
  }

  /** Those at [from, to) of the range. */
  read(personKey: string, range: number, from: number, to: number): HeldTrigger[] {
    const found: HeldTrigger[] = [];
    for (let place = from; place < to; place += 1) {
      const stored = this.#store.get(keyOf(personKey, range, place));
      if (stored === undefined) continue; // of a range that was kept by an earlier version
      const [journeyId = '', messageId = '', key] = JSON.parse(stored.toString()) as string[]; // written by put
      found.push({ journeyId, messageId, ...(key === undefined ? {} : { key }) });
    }
    return found;
  }

  forget(personKey: string, range: number, from: number, to: number): void {
    for (let place = from; place < to; place += 1) this.#store.delete(keyOf(personKey, range, place));
  }
}

function keyOf(personKey: string, range: number, place: number): string {
  return `e:${personKey}:${String(range)}:${String(place)}`;
}
