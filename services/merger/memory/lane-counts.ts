/**
 * How many lanes of visitors each workspace has in this partition: those with an event within the days that events wait,
 * and those that were claimed, which stay for ever. The index of lanes holds so many of all workspaces together, so each
 * meets a bound of its own first (limits.ts).
 *
 * Counted in sketches of a kilobyte, one for each day of a workspace and one for its claimed lanes: `v/workspace/day` and
 * `v/workspace/claimed`. They are a function of the events and of nothing else, not of what the index still has of lanes that
 * have expired, so a replay comes to the same.
 */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { CountBounds } from '../../runtime/workspace-counts.ts';
import { keptDaysMax, lanesBounds } from '../decide/limits.ts';
import { LaneSketch } from './lane-sketch.ts';

const DAY_MS = 86_400_000;
const FROM = 'v/';
const TO = 'v0';
const PAGE = 1_000;
const CLAIMED = 'claimed';

class Counted {
  /** Of the latest day. */
  today = new LaneSketch();
  claimed = new LaneSketch();
  /** Of all days that count, and the claimed. */
  all = new LaneSketch();
  lanes = 0;
}

export class LaneCounts {
  readonly #keyed: KeyedStore;
  readonly #bounds: CountBounds;
  /** By workspace; 3 kB each. */
  readonly #counted = new Map<string, Counted>();
  /** The latest that an event was received on. */
  #day = 0;
  #total = 0;
  /** The one that was asked for last: events come in runs of one workspace. */
  #last = { workspace: '', counted: new Counted() };

  constructor(keyed: KeyedStore, bounds = lanesBounds) {
    this.#keyed = keyed;
    this.#bounds = bounds;
    const stored = [...this.#stored()];
    for (const { day } of stored) if (day !== CLAIMED) this.#day = Math.max(this.#day, Number(day));
    this.#load(stored);
  }

  /** Of all workspaces, about. */
  get total(): number {
    return this.#total;
  }

  /** A lane of a visitor has an event. @param low @param high words of the lane's hash. */
  saw(workspace: string, receivedAt: number, low: number, high: number): void {
    const day = Math.floor(receivedAt / DAY_MS);
    if (day > this.#day) this.#turn(day);
    const counted = this.#of(workspace);
    if (!counted.today.add(low, high)) return;
    this.#keyed.put(`${FROM}${workspace}/${String(this.#day)}`, Buffer.from(counted.today.registers));
    this.#joined(counted, low, high);
  }

  /** The lane is claimed. */
  claimed(workspace: string, low: number, high: number): void {
    const counted = this.#of(workspace);
    if (!counted.claimed.add(low, high)) return;
    this.#keyed.put(`${FROM}${workspace}/${CLAIMED}`, Buffer.from(counted.claimed.registers));
    this.#joined(counted, low, high);
  }

  /** May no other lane of the workspace be? */
  isFull(workspace: string): boolean {
    const { max, ofWorkspaceMax, reservedMin } = this.#bounds;
    if (this.#total < max && this.#total < ofWorkspaceMax) return false;
    const { lanes } = this.#of(workspace);
    return lanes >= reservedMin && (lanes >= ofWorkspaceMax || this.#total >= max);
  }

  #joined(counted: Counted, low: number, high: number): void {
    if (!counted.all.add(low, high)) return;
    const { lanes } = counted.all;
    this.#total += lanes - counted.lanes;
    counted.lanes = lanes;
  }

  #of(workspace: string): Counted {
    if (this.#last.workspace === workspace) return this.#last.counted;
    let counted = this.#counted.get(workspace);
    if (counted === undefined) this.#counted.set(workspace, (counted = new Counted()));
    this.#last = { workspace, counted };
    return counted;
  }

  /** A new day: what is too old counts no more. Once a day, everything is read. */
  #turn(day: number): void {
    this.#day = day;
    this.#counted.clear();
    this.#total = 0;
    this.#last = { workspace: '', counted: new Counted() };
    this.#load([...this.#stored()]);
  }

  #load(stored: readonly Row[]): void {
    for (const { key, workspace, day, registers } of stored) {
      if (day !== CLAIMED && Number(day) <= this.#day - keptDaysMax) {
        this.#keyed.delete(key);
        continue;
      }
      const counted = this.#of(workspace);
      const sketch = new LaneSketch(registers);
      counted.all.join(sketch);
      if (day === CLAIMED) counted.claimed = sketch;
      else if (Number(day) === this.#day) counted.today = sketch;
    }
    for (const counted of this.#counted.values()) {
      counted.lanes = counted.all.lanes;
      this.#total += counted.lanes;
    }
  }

  *#stored(): Generator<Row> {
    for (let from = FROM; ;) {
      const page = this.#keyed.scan(from, TO, PAGE);
      for (const [key, value] of page) {
        const [, workspace = '', day = ''] = key.split('/');
        yield { key, workspace, day, registers: Uint8Array.from(value) };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      from = `${last[0]}\0`;
    }
  }
}

interface Row {
  readonly key: string;
  readonly workspace: string;
  readonly day: string;
  readonly registers: Uint8Array;
}
