/**
 * On-site messages for one partition: each visitor's events, claims and calls in the order of their logs. What was shown to
 * somebody lies in the partition's store with everything else, so it is as durable as the record that caused it.
 */
import { hash } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import { canonicalIdentifier } from '../../schemas/lanes.ts';
import type { CollectedEvent, IdentityDecision, InAppTransfer, MergedEvent } from '../../schemas/records.ts';
import { assert } from '../runtime/errors.ts';
import type { DefinitionsView } from '../runtime/definitions.ts';
import { PatternSteps } from '../rules/pattern-steps.ts';
import { readUnits } from '../rules/paths.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import { patternStepsAUnit } from '../runtime/pattern.ts';
import type { HashWindow, PartitionStores } from '../runtime/store/ports.ts';
import type { BatchContext, Emitter, Processor } from '../runtime/task/ports.ts';
import { contentReport } from './decide/content-report.ts';
import { conversionsOf } from './decide/decide-conversions.ts';
import { decideCall } from './decide/decide-call.ts';
import { exposedOf } from './decide/exposed.ts';
import { foldEvent, type VisitorEvent } from './decide/fold-event.ts';
import { newPerson, withExposure, withOrder, type PersonDecision } from './decide/person.ts';
import type { Visitor } from './decide/visitor.ts';
import type { WorkspaceMessages } from './decide/workspace-messages.ts';
import { Outputs, type Whose } from './outputs.ts';
import { callOf } from './requests.ts';
import { RulesCache } from './rules-cache.ts';
import { VisitorMoves } from './visitor-moves.ts';
import { VisitorsStore } from './visitors-store.ts';

/** About as much of the machine as a unit of share.ts: what is stored of a visitor, read or written. */
const TOUCHED_BYTES_A_UNIT = 20;

export class InAppProcessor implements Processor {
  readonly #visitors: VisitorsStore;
  readonly #moves: VisitorMoves;
  readonly #duplicates: HashWindow;
  readonly #codecs: Codecs;
  readonly #outputs: Outputs;
  readonly #rules = new RulesCache();
  #handled = 0;
  /** As the record in hand began: polls and questions are parsed between records, too. */
  #readBefore = readUnits();
  /** Of rules, since units were last asked for. */
  #steps = 0;

  constructor(stores: PartitionStores, codecs: Codecs) {
    assert(stores.duplicates !== undefined, 'the service asks for a window of duplicates');
    this.#visitors = new VisitorsStore(stores.keyed);
    this.#moves = new VisitorMoves(this.#visitors);
    this.#duplicates = stores.duplicates;
    this.#codecs = codecs;
    this.#outputs = new Outputs(codecs);
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    this.#rules.use(batch.definitions);
    this.#readBefore = readUnits();
    const { bytes, valueStart, valueEnd } = record;
    const key = bytes.toString('utf8', record.keyStart, record.keyEnd);
    this.#handled += 1;
    switch (record.topic) {
      case 'eventsCollected':
        this.#onEvent(key, this.#codecs.CollectedEvent.decode(bytes, valueStart, valueEnd), out);
        return;
      case 'identityDecisions':
        this.#onDecision(this.#codecs.IdentityDecision.decode(bytes, valueStart, valueEnd), out);
        return;
      case 'eventsMerged':
        this.#onMerged(key, this.#codecs.MergedEvent.decode(bytes, valueStart, valueEnd), out);
        return;
      case 'inAppTransfers':
        this.#onTransfer(key, this.#codecs.InAppTransfer.decode(bytes, valueStart, valueEnd), out);
        return;
      default:
        this.#onRequest(key, record, out);
    }
  }

  /** Who asked is told that there will be no answer. */
  onPutAside(record: InputRecord, _batch: BatchContext, out: Emitter): void {
    if (record.topic !== 'inAppRequests') return;
    const request = this.#codecs.InAppRequest.decode(record.bytes, record.valueStart, record.valueEnd);
    const key = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
    this.#outputs.answer(request, { taken: false, reason: 'not_handled', variant: null }, key, out);
  }

  onBatchEnd(batch: BatchContext): void {
    this.#rules.use(batch.definitions);
    this.#visitors.expire(batch.time);
    this.#moves.step();
  }

  wantsBatch(time: number, definitions: DefinitionsView): boolean {
    this.#rules.use(definitions);
    return this.#moves.any || this.#visitors.hasDue(time);
  }

  /** What is known of somebody is read and written whole, so the longer it is the dearer each record; so is what they send, and rules are asked. */
  takeUnits(): number {
    const read = readUnits() - this.#readBefore;
    this.#readBefore = readUnits();
    const steps = this.#steps;
    this.#steps = 0;
    const touched = Math.ceil(this.#visitors.takeTouchedBytes() / TOUCHED_BYTES_A_UNIT);
    return touched + read + Math.ceil(steps / patternStepsAUnit);
  }

  pendingSince(): undefined {
    return undefined; // no watermark is made of this service's inputs
  }
  receivedAt(): undefined {
    return undefined;
  }

  status() {
    return { unsettled: 0, handled: this.#handled, unreadable_definitions: this.#rules.unreadable };
  }

  /** For polls, which change nothing: the visitor as of the last record, committed or not. */
  visitor(lane: string, anonymousId: string): Visitor {
    return this.#visitors.peek(lane, anonymousId);
  }

  /** undefined: the definitions have not been read yet. */
  messages(workspace: string): WorkspaceMessages | undefined {
    return this.#rules.isReady ? this.#rules.of(workspace) : undefined;
  }

  #onEvent(lane: string, collected: CollectedEvent, out: Emitter): void {
    const { workspace, anonymous_id: anonymousId } = collected;
    const event = visitorEvent(collected);
    if (anonymousId === null || event === undefined || this.#isRepeat(lane, collected)) return;
    const before = this.#visitors.visitor(lane, anonymousId);
    if (before.hasWithdrawn) {
      // Nothing of theirs is kept but that; who they are is no secret of the message's.
      if (event.namesSomebody)
        this.#visitors.keepVisitor(lane, { ...before, isIdentified: true }, event.receivedAt);
      return;
    }
    const messages = this.#rules.of(workspace);
    const whose = { workspace, anonymousId, personId: before.personId, key: lane };
    const patterns = new PatternSteps();
    this.#outputs.happened(conversionsOf(exposedOf(before), event, messages, patterns), whose, out);
    this.#steps += patterns.taken;
    const reported = contentReport(before, event, messages);
    this.#outputs.happened(reported.happened, whose, out);
    const { visitor, leftOut, patternsSkipped, steps } = foldEvent(reported.visitor, event, messages);
    this.#steps += steps;
    const of = { messageId: event.messageId, at: event.receivedAt };
    if (!this.#visitors.keepVisitorWithin(lane, visitor, event.receivedAt)) {
      // Who they are not is kept of anybody.
      const { isIdentified, isBot, lastAt } = visitor;
      this.#visitors.keepVisitor(lane, { ...before, isIdentified, isBot, lastAt }, event.receivedAt);
      this.#outputs.dropped('limit_exceeded', whose, { ...of, detail: { what: 'visitor' } }, out);
    }
    if (leftOut)
      this.#outputs.dropped('limit_exceeded', whose, { ...of, detail: { what: 'message rules' } }, out);
    if (patternsSkipped > 0) {
      this.#outputs.dropped('patterns_too_costly', whose, { ...of, detail: { tests: patternsSkipped } }, out);
    }
  }

  /** A client that sends again is counted once, as everywhere. */
  #isRepeat(lane: string, event: CollectedEvent): boolean {
    const named =
      event.identifier_kind === 'none' || event.identifier === null
        ? ''
        : canonicalIdentifier({ kind: event.identifier_kind, value: event.identifier }).value;
    const digest = hash(
      'sha256',
      JSON.stringify([lane, event.identifier_kind, named, event.message_id]),
      'buffer',
    );
    // A first word of all ones stands for an hour in the window's log.
    const high = digest.readUInt32LE(0) % 0xffff_ffff;
    return this.#duplicates.seen(high, digest.readUInt32LE(4), event.received_at);
  }

  #onDecision(decision: IdentityDecision, out: Emitter): void {
    const { kind, workspace, lane, person_id: personId, other_person_id: otherId } = decision;
    if (personId === null) return;
    if (kind === 'granted' && lane?.startsWith(`${workspace}:a:`) === true) {
      this.#onClaim(lane, { workspace, personId, at: decision.claimed_at ?? 0 }, out);
    } else if (kind === 'absorbed' && otherId !== null) {
      this.#moves.absorb(`${workspace}:${personId}`, `${workspace}:${otherId}`);
    } else if (kind === 'split' && otherId !== null) {
      const named = anonymousIdsOf(decision.detail).map((id) => `${workspace}:a:${id}`);
      this.#moves.split(named, { from: personId, to: otherId });
    } else if (kind === 'deleted') this.#moves.erase(`${workspace}:${personId}`);
  }

  #onClaim(
    lane: string,
    {
      workspace,
      personId,
      at,
    }: { readonly workspace: string; readonly personId: string; readonly at: number },
    out: Emitter,
  ): void {
    const anonymousId = lane.slice(`${workspace}:a:`.length);
    const visitor = { ...this.#visitors.visitor(lane, anonymousId), isIdentified: true, personId };
    this.#visitors.keepVisitor(lane, visitor, at);
    this.#visitors.groups.link(`${workspace}:${personId}`, lane);
    for (const exposed of exposedOf(visitor)) {
      this.#outputs.exposure(personId, workspace, { ...exposed, anonymousId }, out);
    }
  }

  #onMerged(personKey: string, merged: MergedEvent, out: Emitter): void {
    const { workspace, person_id: personId, merged_at: at, event } = merged;
    if (merged.kind === 'absorbed' && merged.other_person_id !== null) {
      const person = this.#visitors.person(personKey) ?? newPerson;
      for (const exposure of person.exposures) {
        this.#outputs.exposure(merged.other_person_id, workspace, exposure, out);
      }
      this.#visitors.keepPerson(personKey, { ...newPerson, absorbedBy: merged.other_person_id }, at);
      return;
    }
    if (merged.kind === 'deleted') {
      if (this.#visitors.person(personKey) !== undefined) {
        this.#visitors.keepPerson(personKey, { ...newPerson, isDeleted: true }, at);
      }
      return;
    }
    const told = merged.kind === 'event' && event !== null ? visitorEvent(event) : undefined;
    if (told === undefined || event === null) return;
    const messages = this.#rules.of(workspace);
    if (messages.byId.size === 0) return;
    const person = this.#visitors.person(personKey) ?? newPerson;
    if (person.absorbedBy !== null || person.isDeleted) return;
    const patterns = new PatternSteps();
    const decision = withOrder(person, { ...told, anonymousId: event.anonymous_id }, messages, patterns);
    this.#steps += patterns.taken;
    if (decision !== undefined) this.#settle(decision, { workspace, personId, personKey, at }, out);
  }

  #onTransfer(personKey: string, transfer: InAppTransfer, out: Emitter): void {
    const { workspace, person_id: personId, message_id: messageId, anonymous_id: anonymousId, at } = transfer;
    if (transfer.kind !== 'exposure' || messageId === null) return;
    const person = this.#visitors.person(personKey) ?? newPerson;
    if (person.isDeleted) return;
    const { variant, version, held_out: isHeldOut, clicked: hasClicked } = transfer;
    const exposure = { anonymousId, messageId, variant, version, at, isHeldOut, hasClicked };
    if (person.absorbedBy !== null) {
      this.#outputs.exposure(person.absorbedBy, workspace, exposure, out);
      return;
    }
    const decision = withExposure(person, exposure, this.#rules.of(workspace));
    this.#settle(decision, { workspace, personId, personKey, at }, out);
  }

  #settle(
    { person, credited }: PersonDecision,
    whose: {
      readonly workspace: string;
      readonly personId: string;
      readonly personKey: string;
      readonly at: number;
    },
    out: Emitter,
  ): void {
    const { workspace, personId, personKey, at } = whose;
    this.#visitors.keepPerson(personKey, person, at);
    for (const { anonymousId, happened } of credited) {
      this.#outputs.happened([happened], { workspace, anonymousId, personId, key: personKey }, out);
    }
  }

  #onRequest(lane: string, record: InputRecord, out: Emitter): void {
    const request = this.#codecs.InAppRequest.decode(record.bytes, record.valueStart, record.valueEnd);
    const call = callOf(request);
    if (call === undefined) {
      this.#outputs.answer(request, { taken: false, reason: 'not_supported_yet', variant: null }, lane, out);
      return;
    }
    const { workspace, anonymous_id: anonymousId } = request;
    const before = this.#visitors.visitor(lane, anonymousId);
    const decision = decideCall(before, this.#rules.of(workspace), call);
    this.#steps += decision.steps ?? 0;
    const isKept =
      decision.visitor === before || this.#visitors.keepVisitorWithin(lane, decision.visitor, request.at);
    if (!isKept) {
      const full = { taken: false, reason: 'visitor_full', variant: null };
      if (call.type !== 'look') this.#outputs.answer(request, full, lane, out);
      return;
    }
    const whose: Whose = { workspace, anonymousId, personId: before.personId, key: lane };
    this.#outputs.happened(decision.happened, whose, out);
    if (call.type !== 'look') this.#outputs.answer(request, decision.answer, lane, out);
  }
}

/** undefined: nothing that a visitor did. */
function visitorEvent(event: CollectedEvent): VisitorEvent | undefined {
  const { type } = event;
  switch (type) {
    case 'marker':
    case 'relate':
    case 'membership':
    case 'withdrawal': // told by the call itself, which has an answer
    case 'consent':
    case 'object':
      return undefined;
    default:
  }
  return {
    type: type === 'traits' ? 'identify' : type, // what a visitor says of themselves is an identify that names nobody
    name: event.name,
    messageId: event.message_id,
    timestamp: event.timestamp,
    receivedAt: event.received_at,
    namesSomebody: event.identifier_kind !== 'none',
    isBot: event.bot,
    properties: event.properties,
    context: event.context,
  };
}

function anonymousIdsOf(detail: string | null): readonly string[] {
  const { anonymous_ids: ids } = JSON.parse(detail ?? '{}') as { readonly anonymous_ids?: unknown }; // identity's own
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : [];
}
