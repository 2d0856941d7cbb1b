/**
 * What stays behind with nobody when all has been handled: events of ids that are not claimed, less those that are too
 * old to wait. Counted by days, so the last of 30 is in or out as a whole.
 */
import type { PeerRecord } from './peer-record.ts';

const DAY_MS = 86_400_000;
const WAITING_DAYS = 30;

export class WaitingBytes {
  readonly #claimed = new Set<string>();
  /** Bytes by id, by day of the receive time; no more days than events wait. */
  readonly #days = new Map<number, Map<string, number>>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  take({ anonymousId, isIdentify, receivedAt }: PeerRecord, bytes: number): void {
    if (this.#claimed.has(anonymousId)) return;
    if (isIdentify) {
      this.#claimed.add(anonymousId);
      for (const ids of this.#days.values()) this.#forget(ids, anonymousId);
      return;
    }
    const ids = this.#idsOf(Math.floor(receivedAt / DAY_MS));
    ids.set(anonymousId, (ids.get(anonymousId) ?? 0) + bytes);
    this.#bytes += bytes;
  }

  /** Receive times only grow. */
  #idsOf(day: number): Map<string, number> {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    for (const [old, ids] of this.#days) {
      if (old >= day - WAITING_DAYS) break; // they were made in their order
      for (const id of ids.keys()) this.#forget(ids, id);
      this.#days.delete(old);
    }
    const ids = new Map<string, number>();
    this.#days.set(day, ids);
    return ids;
  }

  #forget(ids: Map<string, number>, anonymousId: string): void {
    this.#bytes -= ids.get(anonymousId) ?? 0;
    ids.delete(anonymousId);
  }
}
