/** How far every lane partition has come: the trigger's time is the least of them. */
import type { KeyedStore } from '../runtime/store/ports.ts';

export class Watermarks {
  readonly #store: KeyedStore;
  readonly #times: number[];

  /** @param sources lane partitions, each of which writes watermarks to every partition of events.merged. */
  constructor(sources: number, store: KeyedStore) {
    this.#store = store;
    this.#times = Array.from(
      { length: sources },
      (_, source) => store.get(keyOf(source))?.readDoubleLE(0) ?? 0,
    );
  }

  /** A time that goes back is an old one read again. */
  take(source: number | null, time: number): void {
    if (source === null || time <= (this.#times[source] ?? Infinity)) return;
    this.#times[source] = time;
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleLE(time);
    this.#store.put(keyOf(source), bytes);
  }

  /** ms; every event received before it has been read. 0 until all sources have said something. */
  get time(): number {
    return Math.min(...this.#times);
  }
}

function keyOf(source: number): string {
  return `w:${String(source)}`;
}
