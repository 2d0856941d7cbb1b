/**
 * How many lanes of visitors each workspace has in this partition: those with an event within the days that events wait,
 * and those that were claimed, or whose visitor withdrew their consent, which stay for ever. The index of lanes holds so many of all workspaces together, so each
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
/** The latest day. */
const DAY = 'u/day';
/** One lane of sixteen is looked at, by its hash: the others cost an event a comparison. */
const LOOKED_AT = 16;
const SHIFT = 28;

class Counted {
  readonly workspace: string;
  /** Changed in the batch that is being decided. */
  readonly changed = new Set<string>();
  /** Of the latest day. */
  today = new LaneSketch();
  claimed = new LaneSketch();
  /** Of all days that count, and the claimed. */
  all = new LaneSketch();
  lanes = 0;

  constructor(workspace: string) {
    this.workspace = workspace;
  }
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
  #last = new Counted('');
  readonly #changed = new Set<Counted>();
  /** Somebody may be at a bound. */
  anyFull = false;

  constructor(keyed: KeyedStore, bounds = lanesBounds) {
    this.#keyed = keyed;
    this.#bounds = bounds;
    this.#day = Number(keyed.get(DAY)?.toString() ?? 0);
    this.#load();
  }

  /** Of all workspaces, about. */
  get total(): number {
    return this.#total;
  }

  /** Is a lane with this first word of its hash one of those that are looked at? */
  looksAt(low: number): boolean {
    return low >>> SHIFT === 0;
  }

  /** A lane of a visitor that is looked at has an event. @param low @param high words of the lane's hash. */
  saw(workspace: string, receivedAt: number, low: number, high: number): void {
    this.#turnTo(receivedAt);
    const counted = this.#of(workspace);
    if (counted.today.add(low, high)) this.#joined(counted, String(this.#day), low, high);
  }

  /** Such a lane is claimed, or nothing of it may be kept. */
  claimed(workspace: string, low: number, high: number): void {
    const counted = this.#of(workspace);
    if (counted.claimed.add(low, high)) this.#joined(counted, CLAIMED, low, high);
  }

  endBatch(): void {
    for (const { workspace, changed, today, claimed } of this.#changed) {
      for (const day of changed) {
        const { registers } = day === CLAIMED ? claimed : today;
        this.#keyed.put(`${FROM}${workspace}/${day}`, Buffer.from(registers));
      }
      changed.clear();
    }
    this.#changed.clear();
  }

  /** May no other lane of the workspace be? @param receivedAt of its event, ms. */
  isFull(workspace: string, receivedAt: number): boolean {
    const { max, ofWorkspaceMax, reservedMin } = this.#bounds;
    this.#turnTo(receivedAt);
    if (!this.anyFull) return false;
    const { lanes } = this.#of(workspace);
    return lanes >= reservedMin && (lanes >= ofWorkspaceMax || this.#total >= max);
  }

  #joined(counted: Counted, day: string, low: number, high: number): void {
    counted.changed.add(day);
    this.#changed.add(counted);
    if (counted.all.add(low, high)) this.#sum(counted);
  }

  #sum(counted: Counted): void {
    const lanes = LOOKED_AT * counted.all.lanes;
    this.#total += lanes - counted.lanes;
    counted.lanes = lanes;
    const { max, ofWorkspaceMax } = this.#bounds;
    this.anyFull = this.#total >= Math.min(max, ofWorkspaceMax);
  }

  #of(workspace: string): Counted {
    if (this.#last.workspace === workspace) return this.#last;
    let counted = this.#counted.get(workspace);
    if (counted === undefined) this.#counted.set(workspace, (counted = new Counted(workspace)));
    this.#last = counted;
    return counted;
  }

  /** A new day: what is too old counts no more. Once a day, everything is read. */
  #turnTo(receivedAt: number): void {
    const day = Math.floor(receivedAt / DAY_MS);
    if (day <= this.#day) return;
    this.endBatch();
    this.#day = day;
    this.#keyed.put(DAY, Buffer.from(String(day)));
    this.#counted.clear();
    this.#total = 0;
    this.#last = new Counted('');
    this.anyFull = false;
    this.#load();
  }

  #load(): void {
    for (const { key, workspace, day, registers } of [...this.#stored()]) {
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
      this.#sum(counted);
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
