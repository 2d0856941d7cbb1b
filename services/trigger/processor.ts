/**
 * The trigger for one partition: each record of a person's stream meets the person's state and the workspace's rules.
 * Most events name nothing that a rule asks about; those cost one look into the store and no parsing.
 */
import type { Codecs } from '../../schemas/codec.ts';
import type { Transfer } from '../../schemas/records.ts';
import { assert } from '../runtime/errors.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import {
  attempt,
  type BatchContext,
  type Emitter,
  type Kept,
  type Processor,
} from '../runtime/task/ports.ts';
import { decideEvent, type PersonEvent, type Subject } from './decide/decide.ts';
import { LinkBook } from './decide/links.ts';
import { decideAbsorb, decideDeparture, movedState, type Change, type Moved } from './decide/merge.ts';
import { MergedView } from './merged-view.ts';
import { emitEffect, type Whose } from './outputs.ts';
import { PeopleStore } from './people-store.ts';
import type { Known } from './decide/profile.ts';
import { decideSplit } from './decide/split.ts';
import { changesAtOf, decodePerson, firstSeenOf, isAlive, stampOf, type Person } from './decide/state.ts';
import { encodeMoved, isWhole, wholeOf } from './transfer-state.ts';
import { Watermarks } from './watermarks.ts';
import { watchersFor } from './decide/workspace-rules.ts';
import { RulesCache } from './rules-cache.ts';

/** Parked records handled in a batch, so that a long queue cannot hold up its partition. */
export const drainRecordsMax = 5_000;

/** A value of events.merged and where it came from. */
interface Source {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly originPartition: number;
  readonly originOffset: number;
}

export class TriggerProcessor implements Processor {
  readonly #people: PeopleStore;
  readonly #codecs: Codecs;
  readonly #view = new MergedView();
  readonly #rules = new RulesCache();
  readonly #links: LinkBook;
  readonly #watermarks: Watermarks;

  constructor(partitions: number, store: KeyedStore, codecs: Codecs) {
    this.#people = new PeopleStore(store, codecs);
    this.#codecs = codecs;
    this.#links = new LinkBook(store);
    this.#watermarks = new Watermarks(partitions, store);
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    this.#rules.use(batch.definitions);
    if (record.topic === 'triggerTransfers') {
      this.#takeTransfer(this.#codecs.Transfer.decode(record.bytes, record.valueStart, record.valueEnd), out);
      return;
    }
    const source = {
      bytes: record.bytes,
      start: record.valueStart,
      end: record.valueEnd,
      originPartition: record.partition,
      originOffset: record.offset,
    };
    this.#view.take(this.#codecs.MergedEvent, source); // throws when it cannot be read, and the shell puts the record aside
    if (this.#view.kind === 'watermark') {
      this.#watermarks.take(this.#view.sourcePartition, this.#view.mergedAt);
      return;
    }
    const personKey = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
    this.#take(personKey, source, null, out);
  }

  onBatchEnd(batch: BatchContext, out: Emitter): void {
    this.#rules.use(batch.definitions);
    if (this.#links.people === 0) return;
    this.#links.drain(drainRecordsMax, (personKey, parked) => {
      const { originPartition, originOffset, value } = parked;
      const source = { ...parked, bytes: value, start: 0, end: value.length };
      const kept: Kept = {
        name: `parked ${personKey} ${String(originPartition)} ${String(originOffset)}`,
        topic: 'eventsMerged',
        offset: originOffset,
        key: personKey,
        value: () => value,
      };
      attempt(batch, kept, () => {
        this.#view.take(this.#codecs.MergedEvent, source);
        this.#apply(personKey, this.#people.person(personKey), source, out);
      });
    });
  }

  wantsBatch(): boolean {
    return this.#links.drainable;
  }

  pendingSince(): undefined {
    return undefined; // no watermark is made of this service's inputs
  }
  receivedAt(): undefined {
    return undefined;
  }

  status() {
    return {
      unsettled: this.#links.people,
      parked_records: this.#links.parked,
      watermark: this.#watermarks.time,
      unreadable_definitions: this.#rules.unreadable,
      unusable_patterns: this.#rules.unusablePatterns,
    };
  }

  /** A record of a person's stream, own or forwarded; the view shows it. */
  #take(personKey: string, source: Source, forwardedFact: number | null, out: Emitter): void {
    if (this.#links.has(personKey)) {
      const queue = this.#links.queueFor(personKey, forwardedFact);
      if (queue !== undefined) {
        const { bytes, start, end, originPartition, originOffset } = source;
        const value = bytes.subarray(start, end);
        this.#links.park(personKey, queue, { originPartition, originOffset, value });
        return;
      }
    }
    const stored = this.#people.stored(personKey);
    if (stored !== undefined && this.#leavesNothing(stored)) return;
    this.#apply(personKey, stored && decodePerson(stored), source, out);
  }

  /** What most events are: nothing of the person changes, and no rule asks about the name. */
  #leavesNothing(stored: Buffer): boolean {
    const view = this.#view;
    if (view.kind !== 'event' || view.knownAsOf !== null || !isAlive(stored)) return false;
    if (view.type === 'identify' || view.type === 'relate') return false;
    const rules = this.#rules.of(view.workspace);
    return (
      stampOf(stored) === rules.stamp &&
      firstSeenOf(stored) <= Math.min(view.timestamp, view.receivedAt) &&
      changesAtOf(stored) > view.mergedAt &&
      watchersFor(rules, view.type, view.name) === undefined
    );
  }

  #apply(personKey: string, person: Person | undefined, source: Source, out: Emitter): void {
    const view = this.#view;
    const { workspace } = view;
    const whose = { workspace, personKey, personId: personKey.slice(workspace.length + 1) };
    if (person?.status === 'absorbed') {
      this.#forward(whose, person, source, out);
      return;
    }
    if (person?.status === 'deleted') {
      this.#drop(whose, out);
      return;
    }
    const subject = this.#people.subject(whose, person, this.#rules.of(whose.workspace));
    switch (view.kind) {
      case 'event':
        if (view.hasEvent) this.#people.settle(whose, person, decideEvent(subject, this.#event()), out);
        return;
      case 'absorb': {
        const fact = { factNumber: view.factNumber ?? 0, at: view.mergedAt, known: this.#known() };
        const texts = this.#links.absorb(personKey, fact);
        if (texts !== undefined) this.#absorb(whose, wholeOf(texts), fact, out);
        return;
      }
      case 'split': {
        const split = decideSplit(subject, { at: view.mergedAt, known: this.#known() });
        this.#people.settle(whose, person, split, out);
        return;
      }
      case 'absorbed':
        this.#depart(whose, subject, view.otherPersonId, out);
        return;
      case 'deleted':
        this.#depart(whose, subject, null, out);
        return;
      case 'watermark':
        return;
    }
  }

  #event(): PersonEvent {
    const view = this.#view;
    let details: ReturnType<MergedView['details']> | undefined;
    return {
      type: view.type,
      name: view.name,
      messageId: view.messageId,
      anonymousId: view.anonymousId,
      timestamp: view.timestamp,
      receivedAt: view.receivedAt,
      mergedAt: view.mergedAt,
      previouslyAnonymous: view.previouslyAnonymous,
      byCioId: view.identifierKind === 'cio_id',
      known: this.#known(),
      details: () => (details ??= view.details()),
    };
  }

  #known(): Known | null {
    const { knownAsOf: asOf, knownId: id, knownEmail: email } = this.#view;
    return asOf === null ? null : { asOf, id, email };
  }

  /** `into` null: the person was deleted. */
  #depart(whose: Whose, subject: Subject, into: string | null, out: Emitter): void {
    const { mergedAt: at, factNumber } = this.#view;
    const absorbedBy = into === null ? null : { personId: into, factNumber: factNumber ?? 0 };
    if (absorbedBy !== null) {
      for (const state of encodeMoved(movedState(subject.person, subject.profile()))) {
        this.#transfer(whose, absorbedBy, { kind: 'state', state }, out);
      }
    }
    const status = absorbedBy === null ? 'deleted' : 'absorbed';
    this.#people.settle(whose, subject.person, decideDeparture(subject, { status, absorbedBy, at }), out);
    this.#people.forgetProfile(whose.personKey);
  }

  #forward(whose: Whose, person: Person, source: Source, out: Emitter): void {
    assert(person.absorbedBy !== null, 'an absorbed person names who absorbed it');
    const record = source.bytes.subarray(source.start, source.end);
    const origin = { origin_partition: source.originPartition, origin_offset: source.originOffset };
    this.#transfer(whose, person.absorbedBy, { kind: 'record', record, ...origin }, out);
  }

  #transfer(
    { workspace, personId }: Whose,
    to: NonNullable<Person['absorbedBy']>,
    what: Pick<Transfer, 'kind'> & Partial<Transfer>,
    out: Emitter,
  ): void {
    const value = this.#codecs.Transfer.encode({
      workspace,
      person_id: to.personId,
      from_person_id: personId,
      fact_number: to.factNumber,
      origin_partition: null,
      origin_offset: null,
      state: null,
      record: null,
      ...what,
    });
    out.emit('triggerTransfers', `${workspace}:${to.personId}`, value);
  }

  #takeTransfer(transfer: Transfer, out: Emitter): void {
    const { workspace, person_id: personId, fact_number: factNumber, state, record } = transfer;
    const personKey = `${workspace}:${personId}`;
    if (transfer.kind === 'record' && record !== null) {
      const source = {
        bytes: record,
        start: 0,
        end: record.length,
        originPartition: transfer.origin_partition ?? -1,
        originOffset: transfer.origin_offset ?? -1,
      };
      this.#view.take(this.#codecs.MergedEvent, source);
      this.#take(personKey, source, factNumber, out);
    } else if (transfer.kind === 'state' && state !== null && factNumber !== null) {
      this.#takeState({ workspace, personId, personKey }, factNumber, state, out);
    }
  }

  #takeState(whose: Whose, factNumber: number, state: string, out: Emitter): void {
    const { personKey } = whose;
    if (!isWhole(this.#links.addText(personKey, factNumber, state))) return;
    const waiting = this.#links.arrived(personKey, factNumber);
    if (waiting === undefined) return;
    const { at, known = null } = waiting;
    this.#absorb(whose, wholeOf(this.#links.takeTexts(personKey, factNumber)), { at, known }, out);
  }

  #absorb(whose: Whose, moved: Moved, change: Change, out: Emitter): void {
    const person = this.#people.person(whose.personKey);
    const subject = this.#people.subject(whose, person, this.#rules.of(whose.workspace));
    this.#people.settle(whose, person, decideAbsorb(subject, moved, change), out);
  }

  #drop(whose: Whose, out: Emitter): void {
    const view = this.#view;
    if (view.kind !== 'event' || !view.hasEvent) return;
    emitEffect(
      {
        type: 'dropped',
        reason: 'person_deleted',
        at: view.mergedAt,
        messageId: view.messageId,
        anonymousId: view.anonymousId,
        detail: JSON.stringify({ name: view.name, type: view.type }),
      },
      whose,
      this.#codecs,
      out,
    );
  }
}
