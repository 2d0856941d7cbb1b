/** States of lanes: the keyed store with a bounded memory of the latest in front. */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { cachedLanesMax } from './limits.ts';
import { decodeLane, encodeLane, newLane, type LaneState } from './state.ts';

const PREFIX = 'l/';

export class LaneTable {
  readonly #keyed: KeyedStore;
  /** In order of use, latest last. */
  readonly #cached = new Map<string, LaneState>();

  constructor(keyed: KeyedStore) {
    this.#keyed = keyed;
  }

  get(hex: string): LaneState {
    const cached = this.#cached.get(hex);
    if (cached !== undefined) {
      this.#remember(hex, cached);
      return cached;
    }
    const bytes = this.#keyed.get(PREFIX + hex);
    const lane = bytes === undefined ? newLane : decodeLane(bytes);
    this.#remember(hex, lane);
    return lane;
  }

  put(hex: string, lane: LaneState): void {
    this.#keyed.put(PREFIX + hex, encodeLane(lane));
    this.#remember(hex, lane);
  }

  #remember(hex: string, lane: LaneState): void {
    this.#cached.delete(hex);
    this.#cached.set(hex, lane);
    if (this.#cached.size <= cachedLanesMax) return;
    const [oldest] = this.#cached.keys();
    if (oldest !== undefined) this.#cached.delete(oldest);
  }
}
