/** States of lanes: the keyed store with a bounded memory of the latest in front. */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { RecentMap } from '../../runtime/recent-map.ts';
import { cachedLanesMax } from '../decide/limits.ts';
import { decodeLane, encodeLane, newLane, type LaneState } from '../decide/state.ts';

const PREFIX = 'l/';

export class LaneTable {
  readonly #keyed: KeyedStore;
  readonly #cached = new RecentMap<string, LaneState>(cachedLanesMax / 2);

  constructor(keyed: KeyedStore) {
    this.#keyed = keyed;
  }

  get(hex: string): LaneState {
    const cached = this.#cached.get(hex);
    if (cached !== undefined) return cached;
    const bytes = this.#keyed.get(PREFIX + hex);
    const lane = bytes === undefined ? newLane : decodeLane(bytes);
    this.#cached.set(hex, lane);
    return lane;
  }

  put(hex: string, lane: LaneState): void {
    this.#keyed.putLate(PREFIX + hex, () => encodeLane(lane));
    this.#cached.set(hex, lane);
  }
}
