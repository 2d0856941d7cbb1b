/** States of lanes: the keyed store with a bounded memory of the latest in front. */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { cachedLanesMax } from './limits.ts';
import { decodeLane, encodeLane, newLane, type LaneState } from './state.ts';

const PREFIX = 'l/';

export class LaneTable {
  readonly #keyed: KeyedStore;
  /**
   * Two generations, each half of what is kept: when the newer is full the older is forgotten. Keeping an exact order
   * of use in one Map means a deletion for each look-up, and the Map is built anew again and again.
   */
  #newer = new Map<string, LaneState>();
  #older = new Map<string, LaneState>();

  constructor(keyed: KeyedStore) {
    this.#keyed = keyed;
  }

  get(hex: string): LaneState {
    const cached = this.#newer.get(hex);
    if (cached !== undefined) return cached;
    const lane = this.#older.get(hex) ?? this.#stored(hex);
    this.#remember(hex, lane);
    return lane;
  }

  put(hex: string, lane: LaneState): void {
    this.#keyed.put(PREFIX + hex, encodeLane(lane));
    this.#remember(hex, lane);
  }

  #stored(hex: string): LaneState {
    const bytes = this.#keyed.get(PREFIX + hex);
    return bytes === undefined ? newLane : decodeLane(bytes);
  }

  #remember(hex: string, lane: LaneState): void {
    this.#newer.set(hex, lane);
    if (this.#newer.size < cachedLanesMax / 2) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
