/**
 * How far the lanes of each partition of events.collected have come: with everybody's records, and with those of one
 * workspace, which a lane partition tells of at once when one of its control calls waits. `k/partition`, and
 * `k/partition/workspace` in the keyed store.
 */
import type { KeyedStore } from '../../runtime/store/ports.ts';

const FROM = 'k/';
const TO = 'k0';
const PAGE = 1_000;

export class LaneWatermarks {
  readonly #store: KeyedStore;
  /** By workspace, then by partition; the empty workspace is everybody. */
  readonly #offsets = new Map<string, number[]>();

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = FROM; ;) {
      const page = store.scan(from, TO, PAGE);
      for (const [key, value] of page) {
        const [, partition = '', workspace = ''] = key.split('/');
        this.#set(workspace, Number(partition), Number(value.toString()));
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      from = `${last[0]}\0`;
    }
  }

  /** Every record of the workspace below this offset has had its whole effect, or as much as its control calls need. */
  reached(workspace: string, partition: number, offset: number): void {
    if (offset <= this.#of(workspace, partition)) return;
    this.#set(workspace, partition, offset);
    const key = `${FROM}${String(partition)}${workspace === '' ? '' : `/${workspace}`}`;
    this.#store.put(key, Buffer.from(String(offset)));
  }

  /** Have the lanes come so far with what is the workspace's? */
  areAt(workspace: string, positions: readonly number[]): boolean {
    return positions.every((position, partition) => this.#of(workspace, partition) >= position);
  }

  #of(workspace: string, partition: number): number {
    const all = this.#offsets.get('')?.[partition] ?? 0;
    return workspace === '' ? all : Math.max(all, this.#offsets.get(workspace)?.[partition] ?? 0);
  }

  #set(workspace: string, partition: number, offset: number): void {
    const offsets = this.#offsets.get(workspace) ?? [];
    offsets[partition] = offset;
    this.#offsets.set(workspace, offsets);
  }
}
