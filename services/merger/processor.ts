/**
 * The lanes of one partition. Most events are a visitor's, of whom nobody is known: their routing fields are read in
 * place, the message id is looked up among the repeats, the bytes are appended; nothing else happens.
 */
import { WIRE_HEADER_BYTES, type Codecs } from '../../schemas/codec.ts';
import { isStrict } from '../../schemas/control-markers.ts';
import { eventRecordBytesMax } from '../../schemas/http/limits.ts';
import { holdMsMax } from '../../schemas/hold.ts';
import type { LaneKey, PersonId, Workspace } from '../../schemas/ids.ts';
import { laneKey } from '../../schemas/lanes.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { IdentityDecision } from '../../schemas/records.ts';
import { assert, CodedError, UnusableRecord } from '../runtime/errors.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import type { HashWindow, LaneSlot, PartitionStores } from '../runtime/store/ports.ts';
import { attempt, type BatchContext, type Emitter, type Processor } from '../runtime/task/ports.ts';
import { staysAnonymous, type Answer } from './decide/decide.ts';
import { anonymousIdsIn, identifiersIn } from './decide/decision-detail.ts';
import { LaneShell, type LaneRef, type LanesPlace } from './lane-shell.ts';
import { graceMs, waitingMs } from './decide/limits.ts';
import { MessageHash } from './records/message-hash.ts';
import { consentIn, EventRouting, IDENTIFY, MARKER, NOBODY, OBJECT } from './records/routing.ts';
import { BUSY, LINKED, WITHDRAWN } from './decide/state.ts';
import { Turns } from './turns.ts';

const HOUR_MS = 3_600_000;

export class LanesProcessor implements Processor {
  readonly #partition: number;
  readonly #partitions: number;
  readonly #codecs: Codecs;
  readonly #shell: LaneShell;
  readonly #turns: Turns;
  readonly #duplicates: HashWindow;
  readonly #hash = new MessageHash();
  readonly #peek = new EventRouting();
  /** Latest receive time seen; expiry goes by it and never by the machine's clock. */
  #latest = 0;
  #expiredHour = 0;
  /** Answers that no lane waited for: always 0 unless the folder and the topics are not of one kind. */
  #strays = 0;

  constructor(place: LanesPlace, stores: PartitionStores, codecs: Codecs) {
    assert(stores.duplicates !== undefined, 'lanes have a duplicates check');
    this.#partition = place.partition;
    this.#partitions = place.partitions;
    this.#codecs = codecs;
    this.#duplicates = stores.duplicates;
    this.#shell = new LaneShell(place, stores, codecs);
    this.#turns = new Turns(this.#shell);
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    if (record.topic === 'eventsCollected') this.#takeEvent(record, out);
    else this.#takeDecision(record, batch, out);
  }

  /** A lane whose answer could not be taken would wait for ever, and so would lanes behind a control call. */
  onPutAside(record: InputRecord, batch: BatchContext, out: Emitter): void {
    if (record.topic !== 'identityDecisions') return;
    const { bytes, valueStart, valueEnd } = record;
    const decision = this.#codecs.IdentityDecision.decode(bytes, valueStart, valueEnd);
    const { kind, lane } = decision;
    if (kind === 'control_ended') this.#shell.markers.end(decision.workspace, decision.request_number);
    if (!isAnswer(kind) || lane === null) return;
    this.#passAnswer(lane as LaneKey, answerOf(decision, kind, record.offset), batch, out);
  }

  onBatchEnd(batch: BatchContext, out: Emitter): void {
    this.#turns.endBatch(batch, out);
    this.#shell.counts.endBatch();
    this.#passMarkers(out);
    this.#expire(batch.time);
  }

  wantsBatch(time: number): boolean {
    return this.#turns.wantsBatch(time);
  }

  pendingSince(): { readonly offset: number; readonly receivedAt: number } | undefined {
    return this.#shell.busy.since();
  }

  receivedFrom(): ReadonlyMap<string, number> {
    return this.#shell.busy.receivedFrom();
  }

  receivedAt(record: InputRecord): number | undefined {
    if (record.topic !== 'eventsCollected') return undefined;
    // received_at stays the first field in every version of the schema, so its id does not matter here.
    this.#peek.read(record.bytes, record.valueStart, record.valueEnd);
    return record.valueEnd - record.valueStart > WIRE_HEADER_BYTES ? this.#peek.receivedAt : undefined;
  }

  /** Of an event that waits for its workspace's share: the watermark does not pass it. */
  mark(record: InputRecord): number {
    return this.receivedAt(record) ?? 0;
  }

  /** Identity has not answered very many of its lanes, or decided very many of its control calls. */
  mustWait(workspace: string): boolean {
    const { busy, markers } = this.#shell;
    return !busy.hasRoom(workspace) || !markers.hasRoom(workspace);
  }

  status(): { readonly unsettled: number } & Readonly<Record<string, number>> {
    const { busy, events } = this.#shell;
    return {
      unsettled: busy.size,
      lanes_ready: busy.readyLanes,
      lanes_indexed: events.lanes,
      lanes_of_visitors: this.#shell.counts.total,
      message_ids: this.#duplicates.entries,
      message_ids_forgotten_early: this.#duplicates.forgottenEarly,
      control_calls_undecided: this.#shell.markers.count,
      stray_answers: this.#strays,
    };
  }

  #takeEvent(record: InputRecord, out: Emitter): void {
    const { hand, events } = this.#shell;
    const { bytes, keyStart, keyEnd } = record;
    if (record.valueEnd - record.valueStart > eventRecordBytesMax) throw tooLarge(record);
    if (!hand.take(bytes, record.valueStart, record.valueEnd, record.offset)) {
      throw new CodedError('undecodable', 'could not read an event: it is not a record of the schema');
    }
    const { routing } = hand;
    const { receivedAt } = routing;
    if (receivedAt > this.#latest) this.#latest = receivedAt;
    if (routing.type === MARKER) {
      this.#takeMarker(out);
      return;
    }
    const { counts } = this.#shell;
    const isVisitors = routing.anonymousId.start >= 0;
    if (counts.anyFull && isVisitors && this.#isOneTooMany(record)) {
      this.#shell.outputs.dropped(out, hand, keyOf(record), 'lanes_full');
      return;
    }
    const slot = events.lane(bytes, keyStart, keyEnd);
    this.#hash.of(events, slot, routing);
    if (this.#duplicates.seen(this.#hash.high, this.#hash.low, receivedAt)) {
      this.#shell.outputs.dropped(out, hand, keyOf(record), 'duplicate_message');
      return;
    }
    if (routing.type === OBJECT) {
      this.#shell.outputs.object(out, hand, this.#partitions);
      return;
    }
    const { laneLow, laneHigh } = this.#hash;
    if (counts.looksAt(laneLow) && isVisitors) counts.saw(hand.workspace, receivedAt, laneLow, laneHigh);
    const nameless = routing.identifierKind === NOBODY && routing.type !== IDENTIFY;
    const isConsent = consentIn(routing.type) !== null;
    const isPlain = nameless && !isConsent && (events.flags(slot) & (LINKED | BUSY | WITHDRAWN)) === 0;
    if (isPlain) this.#takeVisitors(record, slot, out);
    else this.#takeOther(record, slot, nameless && !isConsent, out);
  }

  /** The workspace has as many lanes as may be, and this one was not claimed. What waits in it is erased all the same. */
  #isOneTooMany({ bytes, keyStart, keyEnd }: InputRecord): boolean {
    const { hand, events, counts } = this.#shell;
    if (!counts.isFull(hand.workspace, hand.routing.receivedAt)) return false;
    const slot = events.knownLane(bytes, keyStart, keyEnd);
    if (slot !== undefined && consentIn(hand.routing.type) !== null) return false;
    return slot === undefined || (events.flags(slot) & (LINKED | BUSY)) === 0;
  }

  /** A control call stands here. */
  #takeMarker(out: Emitter): void {
    const { hand, markers, outputs } = this.#shell;
    const { receivedAt } = hand.routing;
    const marker = {
      workspace: hand.workspace,
      number: Number(hand.messageId),
      offset: hand.offset,
      receivedAt,
      strict: isStrict(hand.routing.callOfMarker()),
    };
    markers.open(marker);
    outputs.markerRead(out, marker);
  }

  /** Control calls wait until everything before their markers has been asked, or is done. */
  #passMarkers(out: Emitter): void {
    const { busy, markers, outputs } = this.#shell;
    if (!markers.anyUnpassed) return;
    const progress = busy.progress();
    const passed = markers.pass(
      (workspace) => progress.get(workspace) ?? { asked: Infinity, done: Infinity },
    );
    for (const marker of passed) outputs.markerPassed(out, marker);
  }

  /** An event of nobody known, in a lane that has nothing in hand. Decided by decide.ts in the same way. */
  #takeVisitors(record: InputRecord, slot: LaneSlot, out: Emitter): void {
    const { hand, outputs } = this.#shell;
    if (hand.routing.anonymousId.start < 0) return; // nobody can ever claim it
    if (!this.#shell.keep(slot)) outputs.dropped(out, hand, keyOf(record), 'lane_full');
  }

  #takeOther(record: InputRecord, slot: LaneSlot, nameless: boolean, out: Emitter): void {
    const shell = this.#shell;
    const hex = shell.events.laneKeyHex(slot);
    const before = shell.lanes.get(hex);
    if (nameless && staysAnonymous(before, shell.hand.routing.receivedAt)) return;
    const ref: LaneRef = { hex, key: keyOf(record), slot };
    const event = shell.laneEvent();
    const allAsked = event.behindMarker && shell.busy.get(hex)?.unasked === null;
    const after = shell.decide(ref, before, { type: 'arrived', event, allAsked }, out);
    if (before.work.type === 'idle' && after.work.type === 'asking') {
      const { receivedAt } = shell.hand.routing;
      shell.busy.asks(ref.hex, { key: ref.key, offset: record.offset, receivedAt });
    }
    shell.save(ref, before, after);
  }

  #takeDecision(record: InputRecord, batch: BatchContext, out: Emitter): void {
    const { bytes, valueStart, valueEnd } = record;
    const decision = this.#codecs.IdentityDecision.decode(bytes, valueStart, valueEnd);
    const { kind } = decision;
    if (isAnswer(kind)) {
      if (decision.lane === null) this.#strays += 1;
      else this.#takeAnswer(decision.lane as LaneKey, answerOf(decision, kind, record.offset), batch, out);
      return;
    }
    if (kind === 'control_ended') this.#shell.markers.end(decision.workspace, decision.request_number);
    if (kind === 'split') this.#split(decision);
    this.#shell.people.take(decision, record.offset, batch.time);
  }

  #takeAnswer(key: LaneKey, answer: Answer, batch: BatchContext, out: Emitter): void {
    const shell = this.#shell;
    const ref = shell.find(key);
    const before = shell.lanes.get(ref.hex);
    const { work, requests } = before;
    if (work.type !== 'asking' || answer.number !== work.number) {
      // Of an event whose turn is yet to come: the lane is not done before it has had its answer.
      if (work.type !== 'idle' && answer.number <= requests) shell.answers.keep(ref.hex, answer);
      else this.#strays += 1;
      return;
    }
    const head = shell.takeHead(ref, before).lane;
    const event = shell.laneEvent();
    const after = shell.decide(ref, head, { type: 'answered', answer, event }, out);
    this.#turns.answered(batch, ref, { before, after }, out);
  }

  /** The event that asked is dropped, and the lane goes on behind it. */
  #passAnswer(key: LaneKey, answer: Answer, batch: BatchContext, out: Emitter): void {
    const shell = this.#shell;
    const ref = shell.find(key);
    const before = shell.lanes.get(ref.hex);
    const { work, requests } = before;
    if (work.type !== 'asking' || answer.number !== work.number) {
      const refused = { ...answer, kind: 'refused', reason: 'not_handled' } as const;
      if (work.type !== 'idle' && answer.number <= requests) shell.answers.keep(ref.hex, refused);
      return;
    }
    attempt(batch, shell.queuedItem(ref, before.queueCursor), () => {
      shell.takeQueued(ref, before.queueCursor);
      shell.outputs.dropped(out, shell.hand, ref.key, 'not_handled');
    });
    const after = shell.putAside(before, answer.at);
    shell.save(ref, before, after);
    shell.busy.ready(ref.hex, after);
  }

  /** Named anonymous ids of this partition go to the other person; what lanes know of identifiers goes stale. */
  #split(decision: IdentityDecision): void {
    const shell = this.#shell;
    const { workspace, person_id: from, other_person_id: to, fact_number: asOf } = decision;
    if (from === null || to === null) return;
    assert(asOf !== null, 'a split is a fact');
    const split = { from: from as PersonId, to: to as PersonId, asOf };
    for (const anonymousId of anonymousIdsIn(decision.detail)) {
      const key = laneKey(workspace as Workspace, { anonymousId, identifier: null, messageId: '' });
      if (partitionOf(key, this.#partitions) !== this.#partition) continue;
      const ref = shell.find(key);
      const before = shell.lanes.get(ref.hex);
      shell.save(ref, before, shell.relink(before, workspace as Workspace, split));
    }
  }

  /** By what has been read, less what may still come late; never past what a busy lane still needs. */
  #expire(time: number): void {
    const hourOf = (reached: number): number => Math.floor((reached - holdMsMax) / HOUR_MS);
    const read = Math.min(this.#latest, time);
    if (hourOf(read) <= this.#expiredHour) return;
    const hour = hourOf(Math.min(read, this.#shell.busy.storedFrom()));
    if (hour <= this.#expiredHour) return;
    this.#expiredHour = hour;
    this.#shell.events.expire(hour * HOUR_MS - waitingMs - graceMs);
  }
}

/** Once it waits in a lane it is too late: what is released is larger than what was kept. */
function tooLarge({ valueStart, valueEnd }: InputRecord): UnusableRecord {
  const text = `could not take an event of ${String(valueEnd - valueStart)} bytes: the limit is ${String(eventRecordBytesMax)}`;
  return new UnusableRecord('record_too_large', text);
}

function isAnswer(kind: IdentityDecision['kind']): kind is Answer['kind'] {
  return kind === 'granted' || kind === 'resolved' || kind === 'refused' || kind === 'passed';
}

function keyOf({ bytes, keyStart, keyEnd }: InputRecord): LaneKey {
  return bytes.toString('utf8', keyStart, keyEnd) as LaneKey; // ingest made it with laneKey
}

function answerOf(decision: IdentityDecision, kind: Answer['kind'], at: number): Answer {
  const { request_number: number, claimed_at: claimedAt, reason } = decision;
  const personId = decision.person_id as PersonId | null; // identity's
  const conflicts = identifiersIn(decision.detail, 'conflicts').map((identifier) => identifier.kind);
  const { known_as_of: asOf, known_id: id, known_email: email } = decision;
  const known = asOf === null ? undefined : { asOf, id, email };
  return { kind, number, personId, claimedAt, reason, conflicts, at, known, asOf: asOf ?? 0 };
}
