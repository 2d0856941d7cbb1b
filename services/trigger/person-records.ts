/**
 * What a record of a person's stream does to the person, once nothing has to come before it: the state is read, a decider
 * asked, and what it says is kept and written.
 */
import type { Codecs } from '../../schemas/codec.ts';
import { assert } from '../runtime/errors.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import { decideEvent, type PersonEvent } from './decide/decide.ts';
import type { LinkBook } from './decide/links.ts';
import { decideAbsorb, decideDeparture, type Change, type Moved } from './decide/merge.ts';
import { passTime } from './decide/pass-time.ts';
import { decideSplit } from './decide/split.ts';
import { decideApart } from './decide/take-apart.ts';
import { decideObjects, type ObjectCause } from './decide/take-object.ts';
import { decidePast, decideRefresh } from './decide/take-past.ts';
import { decideTriggers } from './decide/take-triggers.ts';
import { newPerson, type Person } from './decide/state.ts';
import { changesAtOf, decodePerson, firstSeenOf, isAlive, stampOf } from './decide/state-codec.ts';
import type { Decision, Subject } from './decide/subject.ts';
import type { Forwarding } from './forwarding.ts';
import type { MergedView } from './merged-view.ts';
import { emitEffect, whoseOf, type Whose } from './outputs.ts';
import { encodePast, type PastOfPerson, type ToldApart } from './past-messages.ts';
import type { Pasts } from './pasts.ts';
import type { PeopleStore } from './people-store.ts';
import type { RulesCache } from './rules-cache.ts';
import { wholeOf } from './transfer-state.ts';
import { TransferWriter, type Source } from './transfers.ts';
import { knownOf, ViewedEvent } from './viewed-event.ts';
import { isWatched } from './decide/watchers.ts';

/** Numbers that a row names; the rest are counted. */
const factsToldMax = 100;
/** Types of what a visitor does; the others say something of the person. */
const HAPPENS: ReadonlySet<string> = new Set(['event', 'page', 'screen']);

export interface PersonRecordsParts {
  readonly people: PeopleStore;
  readonly codecs: Codecs;
  /** Shows the record in hand. */
  readonly view: MergedView;
  readonly rules: RulesCache;
  readonly links: LinkBook;
  /** What is due by then happens to the person before what is handled, ms. */
  readonly dueTo: (personKey: string, workspace: string) => number;
  /** Everything of the person's that was received before it has been read, ms. */
  readonly readTo: (personKey: string) => number;
  /** Whose records come to the person from now on. */
  readonly followed: Pick<Forwarding, 'follow' | 'forget'>;
  /** Absent: rules have no past. */
  readonly pasts?: Pick<Pasts, 'counts' | 'sendOn' | 'readAgain'>;
}

export class PersonRecords {
  readonly #parts: PersonRecordsParts;
  readonly #transfers: TransferWriter;

  constructor(parts: PersonRecordsParts) {
    this.#parts = parts;
    this.#transfers = new TransferWriter(parts.codecs);
  }

  /** The record that the view shows. @param stored the person as stored; undefined for nobody yet. */
  handle(personKey: string, stored: Buffer | undefined, source: Source, out: Emitter): void {
    if (stored !== undefined && this.#leavesNothing(stored)) return;
    this.#apply(personKey, stored && decodePerson(stored), source, out);
  }

  /** What was due at `at` happens. */
  lookAgain(personKey: string, at: number, out: Emitter): void {
    const { people } = this.#parts;
    const person = people.fired(personKey, at);
    if (person === undefined) return;
    const whose = whoseOf(personKey);
    people.settle(whose, person, passTime(this.#subject(whose, person), person, at), out);
  }

  /** Everything that is due until then happens, although no timer has run. @param until ms */
  passTo(personKey: string, until: number, out: Emitter): void {
    const { people } = this.#parts;
    const person = people.person(personKey);
    if (person === undefined || person.changesAt > until) return;
    const whose = whoseOf(personKey);
    people.settle(whose, person, passTime(this.#subject(whose, person), person, until), out);
  }

  /** The state of somebody who was merged into this person is here. */
  absorb(whose: Whose, moved: Moved, change: Change & { readonly from: string | null }, out: Emitter): void {
    const { people, followed } = this.#parts;
    const person = people.person(whose.personKey);
    const subject = this.#subject(whose, person);
    // What the survivor did since waits behind the state, and may answer what was due since.
    const readTo = Math.min(this.#parts.readTo(whose.personKey), change.at - 1);
    const asOfMerge = { ...subject, readTo };
    people.settle(whose, person, decideAbsorb(asOfMerge, moved, change), out);
    if (change.from !== null) followed.follow(whose.personKey, change.from, change.at);
  }

  /** The person's records go on without what these merges bring, which is added when it comes. */
  tellNotAwaited(personKey: string, facts: readonly number[], at: number, out: Emitter): void {
    if (facts.length === 0) return;
    const detail = JSON.stringify({ facts: facts.slice(0, factsToldMax), merges: facts.length });
    this.#tell(personKey, { reason: 'merge_not_awaited', at, detail }, out);
  }

  /** The record that the view shows was handled although a timer before it had not run. */
  tellTimerNotAwaited(personKey: string, out: Emitter): void {
    const { mergedAt: at, messageId } = this.#parts.view;
    this.#tell(personKey, { reason: 'timer_not_awaited', at, messageId, detail: '{}' }, out);
  }

  #tell(
    personKey: string,
    what: {
      readonly reason: 'merge_not_awaited' | 'timer_not_awaited';
      readonly at: number;
      readonly messageId?: string;
      readonly detail: string;
    },
    out: Emitter,
  ): void {
    const row = { type: 'dropped', messageId: null, anonymousId: null, ...what } as const;
    emitEffect(row, whoseOf(personKey), this.#parts.codecs, out);
  }

  /** What a person did before a rule was there; it follows the person into whom they were merged. */
  takePast(whose: Whose, past: PastOfPerson, out: Emitter): void {
    const { people, pasts } = this.#parts;
    const person = people.person(whose.personKey);
    if (person?.status === 'deleted') return; // nobody is left whom it could concern
    if (person !== undefined && person.absorbedBy !== null) {
      pasts?.sendOn(whose.workspace, { ...past, personId: person.absorbedBy.personId }, out);
      return;
    }
    const subject = this.#subject(whose, person);
    // All that was read of somebody may still wait for a merge: then this is the first.
    const decide = past.triggers === undefined ? decidePast : decideTriggers;
    const decision = decide(subject, person ?? { ...newPerson, stamp: subject.rules.stamp }, past);
    if (decision === undefined) return;
    people.settle(whose, person, decision, out);
    this.#readAgain(whose, decision);
  }

  /** All that somebody did who was taken apart; it follows the person into whom they were merged. */
  takeApart(whose: Whose, told: ToldApart, out: Emitter): void {
    const { people, codecs } = this.#parts;
    const { workspace } = whose;
    const person = people.person(whose.personKey);
    if (person === undefined || person.status === 'deleted') return;
    if (person.absorbedBy !== null) {
      const { personId } = person.absorbedBy;
      const value = encodePast(codecs, workspace, personId, { type: 'apart_for', personId, told });
      out.emit('triggerTransfers', `${workspace}:${personId}`, value);
      return;
    }
    const decision = decideApart(this.#subject(whose, person), person, told);
    people.settle(whose, person, decision, out);
    this.#readAgain(whose, decision);
  }

  /** The past of a rule is in. */
  refresh(personKey: string, out: Emitter): void {
    const { people, rules } = this.#parts;
    const whose = whoseOf(personKey);
    const stored = people.stored(personKey);
    if (stored === undefined || !isAlive(stored)) return;
    if (stampOf(stored) === rules.of(whose.workspace).stamp) return;
    const person = decodePerson(stored);
    people.settle(whose, person, decideRefresh(this.#subject(whose, person), person), out);
  }

  /** Something was said of an object that the person belongs to. */
  objectsChanged(personKey: string, cause: ObjectCause, out: Emitter): void {
    const { people } = this.#parts;
    const stored = people.stored(personKey);
    if (stored === undefined || !isAlive(stored)) return;
    const whose = whoseOf(personKey);
    const person = decodePerson(stored);
    const decision = decideObjects(this.#subject(whose, person), person, cause);
    if (decision !== undefined) people.settle(whose, person, decision, out);
  }

  /** What most events are: nothing of the person changes, and no rule asks about the name. */
  #leavesNothing(stored: Buffer): boolean {
    const { view } = this.#parts;
    if (view.kind !== 'event' || view.knownAsOf !== null || !isAlive(stored)) return false;
    if (!HAPPENS.has(view.type)) return false;
    const rules = this.#parts.rules.of(view.workspace);
    return (
      stampOf(stored) === rules.stamp &&
      firstSeenOf(stored) <= Math.min(view.timestamp, view.receivedAt) &&
      changesAtOf(stored) > view.mergedAt &&
      !isWatched(rules, view.type, view.name)
    );
  }

  #apply(personKey: string, person: Person | undefined, source: Source, out: Emitter): void {
    const { view, people, links } = this.#parts;
    const whose = whoseOf(personKey);
    if (person?.status === 'absorbed') {
      assert(person.absorbedBy !== null, 'an absorbed person names who absorbed it');
      this.#transfers.record(whose, person.absorbedBy, source, out);
      return;
    }
    if (person?.status === 'deleted') {
      this.#drop(whose, out);
      return;
    }
    const subject = this.#subject(whose, person);
    switch (view.kind) {
      case 'event':
        if (view.hasEvent) people.settle(whose, person, decideEvent(subject, this.#event(source)), out);
        return;
      case 'absorb': {
        const fact = { factNumber: view.factNumber ?? 0, at: view.mergedAt, known: knownOf(view) };
        this.passTo(personKey, subject.readTo, out); // no time passes while the person waits
        const absorbing = links.absorb(personKey, fact);
        const change = { ...fact, from: view.otherPersonId };
        if (absorbing.type === 'here') this.absorb(whose, wholeOf(absorbing.texts), change, out);
        if (absorbing.type === 'not_awaited') this.tellNotAwaited(personKey, [fact.factNumber], fact.at, out);
        return;
      }
      case 'split': {
        const known = knownOf(view);
        const factNumber = view.factNumber ?? known?.asOf ?? 0;
        const isReadAgain = this.#parts.pasts !== undefined;
        const split = decideSplit(subject, { at: view.mergedAt, known, factNumber, isReadAgain });
        people.settle(whose, person, split, out);
        this.#readAgain(whose, split);
        return;
      }
      case 'absorbed':
        this.#depart(whose, subject, view.otherPersonId, out);
        return;
      case 'deleted':
        this.#depart(whose, subject, null, out);
        return;
      case 'watermark':
      case 'object': // no person's
        return;
    }
  }

  /** Where the person's own past is waited for. */
  #readAgain({ workspace, personId }: Whose, { person }: Decision): void {
    const { apart, clearedBy } = person;
    if (clearedBy === undefined || apart?.includes(personId) !== true) return;
    this.#parts.pasts?.readAgain({ workspace, personId, clearedBy });
  }

  #subject(whose: Whose, person: Person | undefined): Subject {
    const { people, rules, dueTo } = this.#parts;
    const { workspace, personKey } = whose;
    const readTo = dueTo(personKey, workspace);
    return people.subject(whose, person, { rules: rules.of(workspace), readTo });
  }

  #event({ originPartition: partition, originOffset: offset }: Source): PersonEvent {
    const { view, pasts } = this.#parts;
    if (pasts === undefined) return new ViewedEvent(view, undefined);
    const { workspace } = view;
    return new ViewedEvent(view, (rule) => pasts.counts(workspace, rule, { partition, offset }));
  }

  /** `into` null: the person was deleted. */
  #depart(whose: Whose, subject: Subject, into: string | null, out: Emitter): void {
    const { view, people } = this.#parts;
    const { mergedAt: at, factNumber } = view;
    const absorbedBy = into === null ? null : { personId: into, factNumber: factNumber ?? 0 };
    const status = absorbedBy === null ? 'deleted' : 'absorbed';
    const { moved, ...decision } = decideDeparture(subject, { status, absorbedBy, at });
    if (absorbedBy !== null) this.#transfers.state(whose, absorbedBy, moved, out);
    people.settle(whose, subject.person, decision, out);
    people.forgetProfile(whose.personKey);
    if (into === null) this.#parts.followed.forget(whose.personKey);
  }

  #drop(whose: Whose, out: Emitter): void {
    const { view, codecs } = this.#parts;
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
      codecs,
      out,
    );
  }
}
