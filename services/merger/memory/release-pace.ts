/**
 * How many events of a workspace may go out of its lanes. What waited is there at once, and what reads it is not: a lane of
 * a million events that went out as fast as it is read would stand before everybody's next event in everything that comes
 * behind the lanes. So a workspace has so much at hand, which refills by the clock of batches; beyond, it goes out at the
 * pace of the refill. A batch always has a little, since a test's clock may stand.
 *
 * A function of the batches and of the store, `t/workspace`, so that a replay comes to the same.
 */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { releasePaceBounds, type ReleasePaceBounds } from '../decide/limits.ts';

interface AtHand {
  /** Events. */
  readonly events: number;
  /** Time of the batch that left so many, ms. */
  readonly at: number;
}

const FROM = 't/';
const TO = 't0';
const SECOND_MS = 1_000;
/** Of one partition: more than can release so much within the seconds that a refill takes. */
const workspacesMax = 100_000;

export class ReleasePace {
  readonly #keyed: KeyedStore;
  readonly bounds: ReleasePaceBounds;
  /** Workspaces that have less than all. */
  readonly #atHand: Map<string, AtHand>;
  /** Events that went out in this batch. */
  readonly #taken = new Map<string, number>();
  #time = 0;

  constructor(keyed: KeyedStore, bounds = releasePaceBounds) {
    this.#keyed = keyed;
    this.bounds = bounds;
    this.#atHand = new Map(
      keyed
        .scan(FROM, TO, workspacesMax)
        .map(([key, value]) => [key.slice(FROM.length), JSON.parse(value.toString()) as AtHand]), // written by endBatch
    );
  }

  /** A batch begins, or goes on. @param time its clock, ms. */
  begin(time: number): void {
    this.#time = time;
  }

  /** Events that may still go out in this batch. */
  left(workspace: string): number {
    const events = Math.max(this.#at(workspace, this.#time), this.bounds.eventsABatchMin);
    return events - (this.#taken.get(workspace) ?? 0);
  }

  took(workspace: string): void {
    this.#taken.set(workspace, (this.#taken.get(workspace) ?? 0) + 1);
  }

  /** Is a batch at this time worth while? Small ones cost more than what goes out. On a clock that stands each is. */
  isDue(workspace: string, time: number): boolean {
    const atHand = this.#atHand.get(workspace);
    return atHand === undefined || time <= atHand.at || this.#at(workspace, time) >= this.bounds.eventsGrain;
  }

  endBatch(): void {
    for (const [workspace, taken] of this.#taken) {
      const events = Math.max(0, this.#at(workspace, this.#time) - taken);
      const atHand = { events, at: this.#time };
      this.#atHand.set(workspace, atHand);
      this.#keyed.putLate(FROM + workspace, () => Buffer.from(JSON.stringify(atHand)));
    }
    this.#taken.clear();
    for (const workspace of this.#atHand.keys()) {
      if (this.#at(workspace, this.#time) < this.bounds.eventsAtHandMax) continue;
      this.#atHand.delete(workspace);
      this.#keyed.delete(FROM + workspace);
    }
  }

  #at(workspace: string, time: number): number {
    const atHand = this.#atHand.get(workspace);
    const { eventsAtHandMax, eventsPerSecond } = this.bounds;
    if (atHand === undefined) return eventsAtHandMax;
    const refilled = ((time - atHand.at) / SECOND_MS) * eventsPerSecond;
    return Math.min(eventsAtHandMax, Math.floor(atHand.events + refilled));
  }
}
