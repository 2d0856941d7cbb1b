/**
 * Lanes that ask or release: since where they hold the watermark back, and whose turn it is. Kept in the keyed store
 * under `p/`, so that they are found again at open. The order of turns is the order of identity's answers, which is in
 * the lanes' states, so a replay releases in the same order as the first run.
 */
import type { LaneKey } from '../../../schemas/ids.ts';
import { assert, CodedError } from '../../runtime/errors.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { WorkspaceCounts, workspaceIn } from '../../runtime/workspace-counts.ts';
import { busyLanesBounds, busyLanesMax } from '../decide/limits.ts';
import type { LaneState } from '../decide/state.ts';
import { ReadyTurns } from './ready-turns.ts';

export interface BusyLane {
  readonly key: LaneKey;
  /** Offset of the event in hand on events.collected. */
  readonly offset: number;
  /** Lowest receive time of the event in hand and all that queue behind it. */
  readonly receivedAt: number;
  /**
   * Offset before which no event of the lane will ask identity anything that it has not asked; null while none may.
   * What names nobody changes nothing at identity.
   */
  readonly unasked: number | null;
  /** Highest offset of what queues behind the event in hand and may yet ask, be it for a barrier; -1 for none. */
  readonly lastUnasked: number;
  /** Lowest receive time of all that queued since the lane was last idle: places in the queue count from there. */
  readonly storedFrom: number;
}
/** How far the records of a workspace are, as offsets on events.collected. */
export interface Progress {
  readonly asked: number;
  readonly done: number;
}

const FROM = 'p/';
const TO = 'p0';
const PAGE = 1_000;

export class BusyLanes {
  readonly #keyed: KeyedStore;
  readonly #lanes = new Map<string, BusyLane>();
  readonly #short = new ReadyTurns();
  readonly #long = new ReadyTurns();

  readonly #counts: WorkspaceCounts;

  constructor(keyed: KeyedStore, stateOf: (hex: string) => LaneState, bounds = busyLanesBounds) {
    this.#keyed = keyed;
    this.#counts = new WorkspaceCounts(bounds);
    for (let from = FROM; ;) {
      const page = keyed.scan(from, TO, PAGE);
      for (const [key, value] of page) {
        const hex = key.slice(FROM.length);
        const lane = JSON.parse(value.toString()) as BusyLane; // written by #put
        this.#lanes.set(hex, lane);
        this.#counts.add(lane.key, 1);
        const state = stateOf(hex);
        if (state.work.type !== 'asking') this.ready(hex, state);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      from = `${last[0]}\0`;
    }
  }

  get size(): number {
    return this.#lanes.size;
  }
  /** May more lanes of this workspace ask? */
  hasRoom(workspace: string): boolean {
    return this.#counts.hasRoomOf(workspace);
  }
  get(hex: string): BusyLane | undefined {
    return this.#lanes.get(hex);
  }

  /** The lane asks for the event in hand. Returns whether nothing behind it may yet ask. */
  asks(hex: string, inHand: Pick<BusyLane, 'key' | 'offset' | 'receivedAt'>): boolean {
    const before = this.#lanes.get(hex);
    const storedFrom = Math.min(before?.storedFrom ?? Infinity, inHand.receivedAt);
    const lastUnasked = before?.lastUnasked ?? -1;
    const unasked = lastUnasked > inHand.offset ? inHand.offset + 1 : null;
    const { key, offset, receivedAt } = inHand;
    this.#put(hex, before, { key, offset, receivedAt, unasked, lastUnasked, storedFrom });
    return unasked === null;
  }
  /** What queues has asked, but from this offset on; null for all of it. */
  askedAhead(hex: string, unasked: number | null): void {
    const lane = this.#lanes.get(hex);
    if (lane === undefined) return;
    const { key, offset, receivedAt, storedFrom } = lane;
    const lastUnasked = unasked === null ? -1 : lane.lastUnasked;
    this.#put(hex, lane, { key, offset, receivedAt, unasked, lastUnasked, storedFrom });
  }
  #put(hex: string, before: BusyLane | undefined, lane: BusyLane): void {
    if (before === undefined && this.#lanes.size >= busyLanesMax) {
      throw new CodedError(
        'lanes_overloaded',
        `could not take another event: ${String(busyLanesMax)} lanes ask`,
      );
    }
    if (before === undefined) this.#counts.add(lane.key, 1);
    this.#lanes.set(hex, lane);
    this.#keyed.putLate(FROM + hex, () => Buffer.from(JSON.stringify(lane)));
  }
  delete(hex: string): void {
    const lane = this.#lanes.get(hex);
    if (lane !== undefined) this.#counts.add(lane.key, -1);
    this.#lanes.delete(hex);
    this.#keyed.delete(FROM + hex);
  }

  /** Something joined the lane's queue. */
  queued(
    hex: string,
    event: {
      readonly receivedAt: number;
      readonly offset: number;
      /** It may yet ask: something that may change who is whom, or only for a barrier. */
      readonly mayAsk: 'name' | 'barrier' | null;
    },
  ): void {
    const lane = this.#lanes.get(hex);
    if (lane === undefined) return;
    const { mayAsk } = event;
    const receivedAt = Math.min(lane.receivedAt, event.receivedAt);
    if (mayAsk === null && receivedAt === lane.receivedAt) return;
    const lastUnasked = mayAsk === null ? lane.lastUnasked : event.offset;
    const unasked = lane.unasked ?? (mayAsk === 'name' ? event.offset : null);
    const storedFrom = Math.min(lane.storedFrom, receivedAt);
    const { key, offset } = lane;
    this.#put(hex, lane, { key, offset, receivedAt, unasked, lastUnasked, storedFrom });
  }

  /** The lane has its answer and awaits its turn. */
  ready(hex: string, { readyAt, long }: LaneState): void {
    const key = this.#lanes.get(hex)?.key;
    assert(key !== undefined, 'a lane that awaits its turn is busy');
    (long ? this.#long : this.#short).add({ hex, workspace: workspaceIn(key), readyAt });
  }
  /** Next lane of the class; it stays next until `taken`, or another is ready. */
  next(which: 'short' | 'long'): string | undefined {
    return (which === 'short' ? this.#short : this.#long).next();
  }
  taken(which: 'short' | 'long'): void {
    (which === 'short' ? this.#short : this.#long).taken();
  }
  /** The workspace of the next of the class has had what it may have in this batch: the next is another's. */
  pause(which: 'short' | 'long'): void {
    (which === 'short' ? this.#short : this.#long).pause();
  }
  /** Workspaces with lanes that await their turn. */
  *readyWorkspaces(): Generator<string> {
    yield* this.#short.names;
    yield* this.#long.names;
  }
  endBatch(): void {
    this.#short.endBatch();
    this.#long.endBatch();
  }
  /** Does a short lane of the workspace await its turn? */
  awaitsShort(workspace: string): boolean {
    return this.#short.has(workspace);
  }
  get readyLanes(): number {
    return this.#short.size + this.#long.size;
  }
  get longLanes(): number {
    return this.#long.size;
  }
  /** That have long lanes which await their turn. */
  get longWorkspaces(): number {
    return this.#long.workspaces;
  }

  /** Nothing received at or after this may leave the stores. */
  storedFrom(): number {
    let from = Infinity;
    for (const lane of this.#lanes.values()) if (lane.storedFrom < from) from = lane.storedFrom;
    return from;
  }
  /**
   * Of each workspace that has lanes here: the offset below which identity has been asked all that events may ask, and
   * the one below which all of them have had their whole effect. Of others both are without end.
   */
  progress(): ReadonlyMap<string, Progress> {
    const found = new Map<string, { asked: number; done: number }>();
    for (const { key, unasked, offset } of this.#lanes.values()) {
      const workspace = workspaceIn(key);
      const progress = found.get(workspace) ?? { asked: Infinity, done: Infinity };
      if (unasked !== null && unasked < progress.asked) progress.asked = unasked;
      if (offset < progress.done) progress.done = offset;
      found.set(workspace, progress);
    }
    return found;
  }
  /** Of each workspace that has lanes here: the lowest receive time of what they have in hand, ms. */
  receivedFrom(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const { key, receivedAt } of this.#lanes.values()) {
      const workspace = workspaceIn(key);
      if (receivedAt < (found.get(workspace) ?? Infinity)) found.set(workspace, receivedAt);
    }
    return found;
  }
  since(): { readonly offset: number; readonly receivedAt: number } | undefined {
    if (this.#lanes.size === 0) return undefined;
    let offset = Infinity;
    let receivedAt = Infinity;
    for (const lane of this.#lanes.values()) {
      if (lane.offset < offset) offset = lane.offset;
      if (lane.receivedAt < receivedAt) receivedAt = lane.receivedAt;
    }
    return { offset, receivedAt };
  }
}
