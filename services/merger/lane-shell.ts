/** Carries out what the decider came to: appends, outputs, state. Shared by arrivals, answers and turns. */
import type { Codecs } from '../../schemas/codec.ts';
import type { LaneKey, Workspace } from '../../schemas/ids.ts';
import { assert } from '../runtime/errors.ts';
import type { EventStore, KeyedStore, LaneSlot, PartitionStores } from '../runtime/store/ports.ts';
import type { Emitter, Kept } from '../runtime/task/ports.ts';
import type { CountBounds } from '../runtime/workspace-counts.ts';
import { AheadAnswers } from './memory/ahead-answers.ts';
import { BusyLanes } from './memory/busy-lanes.ts';
import { decideLane, type LaneEvent, type LaneInput } from './decide/decide.ts';
import { evolveLane, type Effect } from './decide/effects.ts';
import { EventInHand } from './records/event-in-hand.ts';
import { FullLanes } from './memory/full-lanes.ts';
import { LaneCounts } from './memory/lane-counts.ts';
import { LaneTable } from './memory/lane-table.ts';
import { laneEventsMax, type ReleasePaceBounds } from './decide/limits.ts';
import { OpenMarkers } from './memory/markers.ts';
import { OpenChains, QUEUED_NUMBER_AT, QUEUED_PREFIX_BYTES } from './memory/open-chains.ts';
import { Outputs } from './records/outputs.ts';
import { PeopleTable } from './memory/people-table.ts';
import { ReleasePace } from './memory/release-pace.ts';
import { COUNTED, flagsOf, type LaneState } from './decide/state.ts';

export interface LanesPlace {
  readonly partition: number;
  readonly partitions: number;
  /** Waiting events of one lane, if not the usual limit. */
  readonly laneEventsMax?: number | undefined;
  /** Lanes that ask or release, if not the usual bounds. */
  readonly busyLanes?: CountBounds | undefined;
  /** Lanes of visitors, if not the usual bounds. */
  readonly lanes?: CountBounds | undefined;
  /** How fast what waited goes out, if not the usual pace. */
  readonly releasePace?: ReleasePaceBounds | undefined;
}

export interface LaneRef {
  readonly hex: string;
  readonly key: LaneKey;
  /** Valid until the next look-up of a lane. */
  readonly slot: LaneSlot;
}

/** The event at the head of a queue, which is in hand. */
export interface Head {
  readonly lane: LaneState;
  readonly bytes: number;
  /** Of what it asked ahead of its turn; 0 for nothing. */
  readonly number: number;
}

/** Times that the event store can hold: 48 bits, not negative. What lies outside is ordered by arrival at its edge. */
const storedTimeMax = 2 ** 48 - 1;

export class LaneShell {
  readonly events: EventStore;
  readonly keyed: KeyedStore;
  readonly lanes: LaneTable;
  readonly people: PeopleTable;
  readonly busy: BusyLanes;
  readonly chains: OpenChains;
  readonly full: FullLanes;
  readonly outputs: Outputs;
  readonly markers: OpenMarkers;
  readonly hand: EventInHand;
  readonly answers: AheadAnswers;
  readonly pace: ReleasePace;
  readonly counts: LaneCounts;

  constructor(place: Omit<LanesPlace, 'partitions'>, stores: PartitionStores, codecs: Codecs) {
    assert(stores.events !== undefined, 'lanes have an event store');
    this.events = stores.events;
    this.keyed = stores.keyed;
    this.lanes = new LaneTable(stores.keyed);
    this.people = new PeopleTable(stores.keyed);
    this.busy = new BusyLanes(stores.keyed, (hex) => this.lanes.get(hex), place.busyLanes);
    this.chains = new OpenChains(stores.events);
    this.full = new FullLanes(stores.events, stores.keyed, place.laneEventsMax);
    this.outputs = new Outputs(codecs, place.partition);
    this.markers = new OpenMarkers(stores.keyed);
    this.hand = new EventInHand(codecs);
    this.answers = new AheadAnswers(stores.keyed);
    this.counts = new LaneCounts(stores.keyed, place.lanes);
    this.pace = new ReleasePace(stores.keyed, place.releasePace);
  }

  find(key: LaneKey): LaneRef {
    const bytes = Buffer.from(key);
    const slot = this.events.lane(bytes, 0, bytes.length);
    return { hex: this.events.laneKeyHex(slot), key, slot };
  }

  /** The event in hand, as the decider is told of it. */
  laneEvent(): LaneEvent {
    return this.hand.laneEvent(this.#isBehindMarker());
  }

  /** Decides about the event in hand and carries it out; the state is returned, not yet saved. */
  decide(ref: LaneRef, lane: LaneState, input: LaneInput, out: Emitter): LaneState {
    const decision = decideLane(lane, input, this.people.in(this.hand.workspace));
    for (const effect of decision.effects) this.#carryOut(ref, lane, effect, out);
    return decision.lane;
  }

  /** The lane after a split took its anonymous id from one person and gave it to another. */
  relink(
    lane: LaneState,
    workspace: Workspace,
    split: Omit<LaneInput & { type: 'split' }, 'type'>,
  ): LaneState {
    return decideLane(lane, { type: 'split', ...split }, this.people.in(workspace)).lane;
  }

  /** The lane behind the event in hand, which could not be handled. */
  putAside(lane: LaneState, readyAt = lane.readyAt): LaneState {
    return decideLane(lane, { type: 'put_aside', readyAt }, this.people.in(this.hand.workspace)).lane;
  }

  save(ref: LaneRef, before: LaneState, after: LaneState): void {
    if (after === before) return;
    this.lanes.put(ref.hex, after);
    this.events.setFlags(ref.slot, flagsOf(after) | (this.events.flags(ref.slot) & COUNTED));
  }

  /** Takes the head of the lane's queue in hand. Returns the lane (its queue may have been written anew) and the size. */
  takeHead(ref: LaneRef, before: LaneState): Head {
    const { hex, slot } = ref;
    let lane = before;
    const stored = this.events.count(slot, 'queued');
    assert(lane.queueCursor < stored, 'a lane that is busy has an event in hand');
    if (!this.chains.isOpen(hex, lane.queueCursor) && lane.queueCursor * 2 > stored) {
      this.chains.shortenQueue(hex, slot, lane.queueCursor);
      lane = evolveLane(lane, { type: 'queue_shortened' });
    }
    const number = this.takeQueued(ref, lane.queueCursor);
    const { start, end } = this.hand.routing;
    return { lane, bytes: QUEUED_PREFIX_BYTES + end - start, number };
  }

  /** Takes an event of the lane's queue in hand. Returns the number of what it asked ahead, or 0. */
  takeQueued({ hex, slot }: LaneRef, index: number): number {
    const value = this.chains.queue(hex, slot, index).read(index);
    const number = value.readDoubleLE(QUEUED_NUMBER_AT);
    const taken = this.hand.take(value, QUEUED_PREFIX_BYTES, value.length, value.readDoubleLE(0));
    assert(taken, 'what was queued can be read');
    return number === 0 ? this.answers.numberOf(hex, this.hand.offset) : number;
  }

  /** An event in the lane's queue, as what fails by itself. */
  queuedItem({ hex, key, slot }: LaneRef, index: number): Kept {
    const read = (): Buffer => this.chains.queue(hex, slot, index).read(index);
    return {
      name: `queued ${hex} ${String(index)}`,
      topic: 'eventsCollected',
      key,
      value: () => Buffer.from(read().subarray(QUEUED_PREFIX_BYTES)),
    };
  }

  /** Of an event in the lane's queue. */
  queuedOffset({ hex, slot }: LaneRef, index: number): number {
    return this.chains.queue(hex, slot, index).read(index).readDoubleLE(0);
  }

  /** The queue is done: the lane is idle. */
  finish(ref: LaneRef, lane: LaneState): LaneState {
    this.chains.clearQueue(ref.hex, ref.slot);
    this.busy.delete(ref.hex);
    return evolveLane(lane, { type: 'queue_emptied' });
  }

  /** Keeps the event in hand until somebody claims the lane's anonymous id. */
  keep(slot: LaneSlot): boolean {
    const { bytes, start, end, receivedAt, timestamp } = this.hand.routing;
    if (!this.full.hasRoom(slot, receivedAt)) return false;
    this.events.append(slot, 'waiting', receivedAt, storedTime(timestamp), bytes, start, end);
    return true;
  }

  #carryOut(ref: LaneRef, lane: LaneState, effect: Effect, out: Emitter): void {
    const { hand, outputs } = this;
    switch (effect.type) {
      case 'kept':
        if (!this.keep(ref.slot)) outputs.dropped(out, hand, ref.key, 'lane_full');
        break;
      case 'queued':
        this.#queue(ref, lane, effect.ahead, out);
        break;
      case 'dropped':
        outputs.dropped(out, hand, ref.key, effect.reason);
        break;
      case 'merged':
        outputs.merged(out, hand, effect);
        break;
      case 'linked':
        this.#countKept(ref);
        break;
      case 'asked':
        outputs.asked(out, hand, ref.key, effect);
        break;
      case 'withdrawn':
        // The row says up to which record of the lane nothing is left, to ClickHouse too.
        outputs.dropped(out, hand, ref.key, 'consent_withdrawn');
        this.chains.clearWaiting(ref.hex, ref.slot);
        this.full.forget(ref.slot);
        this.#countKept(ref);
        break;
      case 'merge_logged':
        outputs.mergeLogged(out, hand, effect);
        break;
      default: // facts: the state has them already
    }
  }

  /** The index has the lane for ever: it says whose it is, or that nothing of it may be kept. */
  #countKept({ slot }: LaneRef): void {
    const { counts, events, hand } = this;
    const low = events.laneWord(slot, 0);
    if (counts.looksAt(low)) counts.claimed(hand.workspace, low, events.laneWord(slot, 1));
  }

  #mayAsk(): 'name' | 'barrier' | null {
    if (this.hand.identifier !== null) return 'name';
    return this.#isBehindMarker() ? 'barrier' : null;
  }

  #isBehindMarker(): boolean {
    const { hand, markers } = this;
    return markers.count > 0 && markers.standBefore(hand.workspace, hand.offset);
  }

  /** Appends the event in hand, with its offset, behind what the lane has in hand. */
  #queue(
    { hex, key, slot }: LaneRef,
    lane: LaneState,
    ahead: (Effect & { type: 'queued' })['ahead'],
    out: Emitter,
  ): void {
    const { hand, events } = this;
    const place = events.count(slot, 'queued');
    if (place - lane.queueCursor >= laneEventsMax) {
      this.outputs.dropped(out, hand, key, 'lane_full');
      return;
    }
    const { bytes, start, end, receivedAt, timestamp } = hand.routing;
    const queued = Buffer.allocUnsafe(QUEUED_PREFIX_BYTES + end - start);
    queued.writeDoubleLE(hand.offset, 0);
    queued.writeDoubleLE(ahead?.number ?? 0, QUEUED_NUMBER_AT);
    bytes.copy(queued, QUEUED_PREFIX_BYTES, start, end);
    events.append(slot, 'queued', receivedAt, storedTime(timestamp), queued, 0, queued.length);
    this.chains.joined(hex, place, queued, receivedAt);
    this.busy.queued(hex, {
      receivedAt,
      offset: hand.offset,
      mayAsk: ahead === null ? this.#mayAsk() : null,
    });
    if (ahead !== null) this.outputs.asked(out, hand, key, ahead);
  }
}

function storedTime(timestamp: number): number {
  return Math.min(Math.max(timestamp, 0), storedTimeMax);
}
