/**
 * Releases and queues, a bounded piece each batch, so that a lane of a million events does not hold up its partition:
 * lanes with their answer take turns, workspace by workspace, each in the order of its answers. A lane that is not done after its short turn is long;
 * long lanes come after the short ones, but always have a part of the batch for themselves.
 */
import { assert } from '../runtime/errors.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { attempt, type BatchContext, type Emitter, type Kept } from '../runtime/task/ports.ts';
import { requestOf } from './decide/decide.ts';
import { evolveLane } from './decide/effects.ts';
import type { Head, LaneRef, LaneShell } from './lane-shell.ts';
import { askAheadMax, graceMs, shortReleaseEventsMax } from './decide/limits.ts';
import { isCounted } from './records/routing.ts';
import { ReleaseBudget, type CutShort } from './release-budget.ts';
import type { LaneState, Releasing } from './decide/state.ts';

/** How often it is looked whether a workspace still rests of which nothing else comes, by the clock of batches. */
const restLookMs = 1_000;

type TurnEnd = 'done' | CutShort;
interface Turn {
  readonly lane: LaneState;
  readonly end: TurnEnd;
}

export class Turns {
  readonly #shell: LaneShell;
  #budget: ReleaseBudget;
  /** Workspaces that rested at the end of the last batch, whose time was this, ms: only when it is asked again. */
  #rested: ReadonlySet<string> = new Set();
  #restedAt = 0;
  /** The batch that is being decided. */
  #batch: BatchContext | undefined;

  constructor(shell: LaneShell) {
    this.#shell = shell;
    this.#budget = new ReleaseBudget(shell.pace);
  }

  /** The lane has just had its answer: it takes its turn at once if no other of its workspace waits, which is the usual. */
  answered(
    batch: BatchContext,
    ref: LaneRef,
    { before, after: lane }: { readonly before: LaneState; readonly after: LaneState },
    out: Emitter,
  ): void {
    const { busy } = this.#shell;
    this.#begin(batch);
    assert(lane.work.type !== 'asking', 'an answer ends what was asked');
    const workspace = workspaceIn(ref.key);
    const mayTake = this.#budget.mayTakeAtOnce(workspace) && !this.#rests(workspace);
    if (lane.long || busy.awaitsShort(workspace) || !mayTake) {
      this.#shell.save(ref, before, lane);
      busy.ready(ref.hex, lane);
      return;
    }
    this.#budget.beginShort(workspace, busy.longLanes > 0);
    const { lane: after, end } = this.#budget.atOnce(workspace, () => this.#takeTurn(ref, lane, out));
    this.#shell.save(ref, before, after);
    if (end !== 'done') busy.ready(ref.hex, after);
  }

  /** Gives the others their turns, up to the batch's limits; the next batch has its own. */
  endBatch(batch: BatchContext, out: Emitter): void {
    const { busy, pace } = this.#shell;
    this.#begin(batch);
    for (const which of ['short', 'long'] as const) {
      for (let hex = busy.next(which); hex !== undefined; hex = busy.next(which)) {
        const { lane, end } = this.#take(which, hex, out);
        if (end === 'batch_full') break;
        if (end === 'paused') {
          busy.pause(which);
          continue;
        }
        busy.taken(which);
        if (end === 'turn_over') busy.ready(hex, lane);
      }
    }
    this.#restedAt = batch.time;
    this.#rested = new Set([...busy.readyWorkspaces()].filter((workspace) => this.#rests(workspace)));
    busy.endBatch();
    pace.endBatch();
    this.#budget = new ReleaseBudget(pace);
  }

  /** Would the end of a batch at this time let anything out? */
  wantsBatch(time: number): boolean {
    const { busy, pace } = this.#shell;
    for (const workspace of busy.readyWorkspaces()) {
      const rested = this.#rested.has(workspace) && time - this.#restedAt < restLookMs;
      if (!rested && pace.isDue(workspace, time)) return true;
    }
    return false;
  }

  /** Too many of its records fail: what its lanes have in hand waits, too, and is not tried one by one. */
  #rests(workspace: string): boolean {
    return this.#batch?.rests?.(workspace) === true;
  }

  /** One event more is to go out of the lane. */
  #takeOne({ key }: LaneRef, bytes: number): ReturnType<ReleaseBudget['take']> {
    return this.#rests(workspaceIn(key)) ? 'paused' : this.#budget.take(bytes);
  }

  #begin(batch: BatchContext): void {
    this.#batch = batch;
    this.#shell.pace.begin(batch.time);
  }

  /** An event that cannot be handled lies in dead.letters, and the lane goes on behind it. */
  #attempt(item: Kept, work: () => void): boolean {
    assert(this.#batch !== undefined, 'turns are taken in a batch');
    return attempt(this.#batch, item, work);
  }

  #take(which: 'short' | 'long', hex: string, out: Emitter): Turn {
    const { busy } = this.#shell;
    const key = busy.get(hex)?.key;
    assert(key !== undefined, 'a lane whose turn it is is busy');
    const workspace = workspaceIn(key);
    if (this.#rests(workspace)) return { lane: this.#shell.lanes.get(hex), end: 'paused' };
    if (which === 'short') this.#budget.beginShort(workspace, busy.longLanes > 0);
    else this.#budget.beginLong(workspace, busy.longWorkspaces === 1);
    const ref = this.#shell.find(key);
    const before = this.#shell.lanes.get(hex);
    const turn = this.#takeTurn(ref, before, out);
    this.#shell.save(ref, before, turn.lane);
    return turn;
  }

  #takeTurn(ref: LaneRef, before: LaneState, out: Emitter): Turn {
    let turn: Turn = { lane: before, end: 'done' };
    do {
      if (turn.lane.work.type === 'releasing') turn = this.#release(ref, turn.lane, out);
      if (turn.end === 'done') turn = this.#drain(ref, turn.lane, out);
    } while (turn.end === 'done' && turn.lane.work.type === 'releasing');
    if (turn.end !== 'turn_over') return turn;
    return { lane: evolveLane(turn.lane, { type: 'turn_ended' }), end: turn.end };
  }

  /** What waited goes out in (timestamp, arrival) order, then the identify that claimed it. */
  #release(ref: LaneRef, before: LaneState, out: Emitter): Turn {
    const shell = this.#shell;
    const { work } = before;
    assert(work.type === 'releasing', 'a release has begun');
    const reading = this.#readAhead(ref, before, work);
    if (reading !== undefined) return reading;
    const events = shell.chains.waiting(ref.hex, ref.slot, work.claimedAt);
    let { cursor, count, oldest } = work;
    let end: TurnEnd = 'done';
    let value: Buffer = Buffer.alloc(0);
    const item: Kept = {
      get name() {
        return `waiting ${ref.hex} ${String(cursor)}`;
      },
      topic: 'eventsCollected',
      key: ref.key,
      value: () => Buffer.from(value),
    };
    const mergeOne = (): void => {
      assert(shell.hand.take(value, 0, value.length, -1), 'what waited can be read');
      shell.outputs.merged(out, shell.hand, {
        personId: work.via,
        mergedAt: work.claimedAt,
        previouslyAnonymous: true,
        asOf: work.asOf,
      });
      const { timestamp, type } = shell.hand.routing;
      if (!isCounted(type)) return;
      oldest = count === 0 ? timestamp : Math.min(oldest, timestamp);
      count += 1;
    };
    for (; cursor < events.length; cursor += 1) {
      if (events.receivedAt(cursor) > work.claimedAt + graceMs) continue;
      value = events.read(cursor);
      const taken = this.#takeOne(ref, value.length);
      if (taken !== 'taken') {
        end = taken;
        break;
      }
      this.#attempt(item, mergeOne);
    }
    const lane =
      cursor > work.cursor ? evolveLane(before, { type: 'released', cursor, count, oldest }) : before;
    if (end !== 'done') return { lane, end };
    const after = this.#headOf(ref, lane, (head) =>
      shell.decide(ref, head.lane, { type: 'all_released', event: shell.laneEvent() }, out),
    );
    shell.chains.clearWaiting(ref.hex, ref.slot);
    shell.full.forget(ref.slot);
    return { lane: after, end: 'done' };
  }

  /** What comes of the event at the head of the queue; one that cannot be handled is gone from there. */
  #headOf(ref: LaneRef, lane: LaneState, decide: (head: Head) => LaneState): LaneState {
    const shell = this.#shell;
    let after = lane;
    const done = this.#attempt(shell.queuedItem(ref, lane.queueCursor), () => {
      after = decide(shell.takeHead(ref, lane));
    });
    return done ? after : shell.putAside(lane);
  }

  /**
   * Of what waits, reads what the batch still allows; undefined when the release can go on. It goes by numbers that are
   * state and by what is due to go out, never by what is in memory or still in the store of what has expired, so that a
   * replay releases in the same batches.
   */
  #readAhead(ref: LaneRef, before: LaneState, work: Releasing): Turn | undefined {
    if (work.cursor > 0) return undefined;
    const done = work.read ?? 0;
    const room = this.#budget.reads;
    if (room < shortReleaseEventsMax) return { lane: before, end: 'batch_full' };
    const { chains } = this.#shell;
    const isWhole = chains.readAhead(ref.hex, ref.slot, work.claimedAt, done + room);
    if (!isWhole) {
      this.#budget.read(room);
      return { lane: evolveLane(before, { type: 'read_ahead', read: done + room }), end: 'turn_over' };
    }
    this.#budget.read(chains.waiting(ref.hex, ref.slot, work.claimedAt).length - done);
    return undefined;
  }

  /**
   * While a control call is not decided, what queues behind an event that asks does so too, in order, so that the call
   * and those after it wait for one answer and not for one after the other.
   */
  #askAhead(ref: LaneRef, before: LaneState, out: Emitter): LaneState {
    const shell = this.#shell;
    const { hex, slot, key } = ref;
    let lane = before;
    const queued = shell.events.count(slot, 'queued');
    const to = Math.min(queued, lane.queueCursor + 1 + askAheadMax);
    for (let index = lane.queueCursor + 1; index < to; index += 1) {
      if (shell.takeQueued(ref, index) !== 0) continue;
      const request = requestOf(lane, shell.laneEvent());
      if (request === null) continue;
      const asked = { type: 'asked_ahead', request, number: lane.requests + 1 } as const;
      shell.outputs.asked(out, shell.hand, key, asked);
      shell.answers.asked(hex, shell.hand.offset, asked.number);
      lane = evolveLane(lane, asked);
    }
    shell.busy.askedAhead(hex, to < queued ? shell.queuedOffset(ref, to) : null);
    return lane;
  }

  /** What queued behind the answer takes its turns, until one must ask. */
  #drain(ref: LaneRef, before: LaneState, out: Emitter): Turn {
    const shell = this.#shell;
    let lane = before;
    while (lane.work.type === 'draining') {
      if (lane.queueCursor >= shell.events.count(ref.slot, 'queued')) {
        return { lane: shell.finish(ref, lane), end: 'done' };
      }
      const turn: { end: ReturnType<ReleaseBudget['take']> } = { end: 'taken' };
      lane = this.#headOf(ref, lane, (head) => {
        turn.end = this.#takeOne(ref, head.bytes);
        return turn.end === 'taken' ? this.#turnOf(ref, head, out) : head.lane;
      });
      if (turn.end !== 'taken') return { lane, end: turn.end };
    }
    if (lane.work.type === 'releasing') return { lane, end: 'done' };
    const { hex, key, slot } = ref;
    const receivedAt = shell.chains.queue(hex, slot, lane.queueCursor).lowestFrom(lane.queueCursor);
    const isAlone = shell.busy.asks(hex, { key, offset: shell.hand.offset, receivedAt });
    if (!isAlone && shell.markers.isOpen(shell.hand.workspace)) lane = this.#askAhead(ref, lane, out);
    return { lane, end: 'done' };
  }

  #turnOf(ref: LaneRef, { lane, number }: Head, out: Emitter): LaneState {
    const { answers, hand } = this.#shell;
    const ahead = number === 0 ? undefined : { number, answer: answers.take(ref.hex, number, hand.offset) };
    return this.#shell.decide(ref, lane, { type: 'turn', event: this.#shell.laneEvent(), ahead }, out);
  }
}
