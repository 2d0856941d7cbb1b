/**
 * What a workspace has taken of a batch beyond its share, since its last record was dear: it is taken off the shares of
 * the batches that follow. In the partition's store, `~debt/workspace`, so that a start and a replay go by the same.
 */
import type { KeyedStore } from '../../store/ports.ts';

const FROM = '~debt/';
const TO = '~debt0';
/** More workspaces than one batch can bring. */
const debtsMax = 100_000;

export class Debts {
  readonly #store: KeyedStore;
  readonly #units: Map<string, number>;

  constructor(store: KeyedStore) {
    this.#store = store;
    this.#units = new Map(
      store
        .scan(FROM, TO, debtsMax)
        .map(([key, value]) => [key.slice(FROM.length), Number(value.toString())]),
    );
  }

  get all(): ReadonlyMap<string, number> {
    return this.#units;
  }

  /** Zero or less: none. */
  put(workspace: string, units: number): void {
    if (units > 0) {
      this.#units.set(workspace, units);
      this.#store.put(`${FROM}${workspace}`, Buffer.from(String(units)));
    } else if (this.#units.delete(workspace)) this.#store.delete(`${FROM}${workspace}`);
  }
}
