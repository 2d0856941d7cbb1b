/**
 * The trigger for one partition: each record of a person's stream meets the person's state and the workspace's rules, in
 * its turn. Most events name nothing that a rule asks about; those cost one look into the store and no parsing.
 *
 * A record's turn comes when the state of whoever was merged into the person is here (links.ts), and when the timers
 * before it have run (held-records.ts). Timers run when the watermark has passed them: everything received before has been
 * read then, however late it is read, so nothing fires that an event on its way prevents.
 */
import type { Codecs } from '../../schemas/codec.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import type { Transfer } from '../../schemas/records.ts';
import type { DefinitionsView } from '../runtime/definitions.ts';
import { readUnits } from '../rules/paths.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import { attempt, type BatchContext, type Emitter, type Processor } from '../runtime/task/ports.ts';
import { LinkBook } from './decide/links.ts';
import { objectWord } from './decide/objects.ts';
import { HandledOffsets } from './handled-offsets.ts';
import type { Adoption } from './adoption.ts';
import { linkAdoption } from './link-adoption.ts';
import { MergedView } from './merged-view.ts';
import { ObjectBook } from './object-book.ts';
import type { PastHere } from './past-book.ts';
import { Pasts } from './pasts.ts';
import { PeopleStore } from './people-store.ts';
import { PersonRecords } from './person-records.ts';
import { RulesCache } from './rules-cache.ts';
import { timerAdoption } from './timer-adoption.ts';
import { TimerIndex } from './timers.ts';
import { isWhole, wholeOf } from './transfer-state.ts';
import type { Seen } from './seen.ts';
import { questionIn, sourceOf } from './transfers.ts';
import { Turns } from './turns.ts';
import { hasPast, type WantedPast } from './wanted-past.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { Watermarks } from './watermarks.ts';

const none: ReadonlySet<string> = new Set();
/** Of one whose look is not dear: as many as are told of objects in a batch are the share of a workspace. */
const unitsAToldPerson = 50;

export interface TriggerParts {
  readonly partition: number;
  readonly partitions: number;
  readonly store: KeyedStore;
  readonly codecs: Codecs;
  /** Rules take what was before them from a reader of the past; else they count from when they are met. */
  readonly hasPasts: boolean;
}

export class TriggerProcessor implements Processor {
  readonly #people: PeopleStore;
  readonly #objects: ObjectBook;
  readonly #linkAdoption: Adoption;
  readonly #partition: number;
  readonly #codecs: Codecs;
  readonly #view = new MergedView();
  readonly #rules: RulesCache;
  /** undefined: rules have no past. */
  readonly #pasts: Pasts | undefined;
  readonly #links: LinkBook;
  readonly #watermarks: Watermarks;
  readonly #timers: TimerIndex;
  readonly #timerAdoption: Adoption;
  readonly #records: PersonRecords;
  readonly #offsets: HandledOffsets;
  readonly #turns: Turns;
  #definitions: DefinitionsView | undefined;
  /** As the record in hand began: questions are parsed between records, too. */
  #readBefore = readUnits();

  constructor({ partition, partitions, store, codecs, hasPasts }: TriggerParts) {
    this.#rules = new RulesCache({
      openOf: (workspace) => this.#pasts?.openOf(workspace) ?? none,
      placedTo: (workspace, journeyId) => this.#pasts?.placedTo(workspace, journeyId) ?? -Infinity,
    });
    this.#partition = partition;
    this.#objects = new ObjectBook(store);
    this.#linkAdoption = linkAdoption(store, this.#objects);
    this.#people = new PeopleStore(store, codecs, this.#objects, {
      moved: (personKey, from, to) => {
        this.#timers.move(personKey, from, to);
      },
      looked: (personKey, changesAt) => {
        this.#turns.looked(personKey, changesAt);
      },
    });
    this.#codecs = codecs;
    this.#links = new LinkBook(store);
    this.#watermarks = new Watermarks(partitions, store);
    this.#offsets = new HandledOffsets(store);
    this.#timers = new TimerIndex(store);
    this.#timerAdoption = timerAdoption(store, this.#timers);
    this.#turns = new Turns({
      ...{ store, codecs, view: this.#view, people: this.#people, links: this.#links },
      ...{ timers: this.#timers, watermarks: this.#watermarks, records: () => this.#records },
    });
    this.#pasts = hasPasts ? this.#openPasts({ partition, partitions, store, codecs }) : undefined;
    this.#records = new PersonRecords({
      ...(this.#pasts && { pasts: this.#pasts }),
      people: this.#people,
      codecs,
      view: this.#view,
      rules: this.#rules,
      links: this.#links,
      followed: this.#turns.forwarding,
      dueTo: (personKey, workspace) => this.#turns.dueTo(personKey, workspace),
      readTo: (personKey) => this.#turns.readToOf(personKey),
    });
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    this.#readBefore = readUnits();
    this.#use(batch, out);
    if (record.topic === 'triggerTransfers') {
      const transfer = this.#codecs.Transfer.decode(record.bytes, record.valueStart, record.valueEnd);
      this.#takeTransfer(transfer, batch, out);
      return;
    }
    const source = {
      bytes: record.bytes,
      start: record.valueStart,
      end: record.valueEnd,
      originPartition: record.partition,
      originOffset: record.offset,
      forwardedFact: null,
    };
    this.#view.take(this.#codecs.MergedEvent, source); // throws when it cannot be read, and the shell puts the record aside
    if (this.#view.kind === 'watermark') {
      this.#watermarks.take(this.#view.sourcePartition, this.#view.workspace, this.#view.mergedAt);
      return;
    }
    if (this.#view.kind === 'object') {
      this.#takeObject(out);
      return;
    }
    const personKey = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
    const { workspace } = this.#view;
    if (this.#pasts !== undefined && this.#offsets.next(workspace) === undefined) {
      this.#pasts.meet(workspace, batch.time, out);
    }
    this.#offsets.handled(workspace, record.offset);
    this.#turns.take(personKey, source, out);
  }

  onBatchEnd(batch: BatchContext, out: Emitter): void {
    this.#use(batch, out);
    this.#timerAdoption.step();
    this.#linkAdoption.step();
    this.#turns.end(batch, out);
    this.#tellOfObjects(batch, out);
    this.#pasts?.step(out);
    this.takeUnits();
    this.#offsets.endBatch();
  }

  wantsBatch(_time: number, definitions: DefinitionsView): boolean {
    // After a start, before anything comes: what was being read is gone on with.
    this.#definitions ??= definitions;
    if (this.#pasts?.wants(definitions.offset) === true) return true;
    if (this.#objects.pending > 0 || this.#linkAdoption.pending) return true;
    return this.#turns.wantsBatch || this.#timerAdoption.pending;
  }

  /** Patterns that were tested, and JSON that was read. */
  takeUnits(): number {
    const read = readUnits() - this.#readBefore;
    this.#readBefore = readUnits();
    return this.#people.takeUnits() + read;
  }

  /** Of a record that waits: everything of its workspace received before it and before this time has come before it. */
  mark({ bytes, keyStart, keyEnd }: InputRecord): number {
    return this.#watermarks.of(workspaceIn(bytes.toString('utf8', keyStart, keyEnd)));
  }

  pendingSince(): undefined {
    return undefined; // no watermark is made of this service's inputs
  }
  receivedAt(): undefined {
    return undefined;
  }

  status() {
    return {
      unsettled: this.#turns.unsettled + this.#objects.pending + (this.#pasts?.unsettled ?? 0),
      parked_records: this.#links.parked,
      held_records: this.#turns.heldRecords,
      watermark: this.#watermarks.lowest,
      unreadable_definitions: this.#rules.unreadable,
      unusable_patterns: this.#rules.unusablePatterns,
    };
  }

  /** Those in force; undefined: they have not been read yet. */
  get definitions(): DefinitionsView | undefined {
    return this.#definitions;
  }

  /** A person as they are now, for who asks why; undefined: the definitions have not been read yet. */
  seen(workspace: string, personId: string): Seen | undefined {
    const definitions = this.#definitions;
    if (definitions === undefined) return undefined;
    this.#rules.use(definitions);
    const personKey = `${workspace}:${personId}`;
    const rules = this.#rules.of(workspace);
    const readTo = this.#turns.readTo(workspace);
    return {
      subject: this.#people.peekSubject({ personId, personKey }, { rules, readTo }),
      rules,
      readTo,
      offset: this.#offsets.next(workspace) ?? 0,
      definitionsOffset: definitions.offset,
    };
  }

  /** What the reader of the past is to read. */
  wantedPasts(): readonly WantedPast[] {
    if (this.#definitions === undefined) return [];
    this.#rules.use(this.#definitions);
    return this.#pasts?.wanted() ?? [];
  }

  /** How far the past of a rule is in, in this partition. */
  pastOf(workspace: string, ruleKey: string, version: number): PastHere {
    if (this.#definitions === undefined) return 'behind';
    this.#rules.use(this.#definitions);
    const rule = this.#rules.of(workspace).rulesByKey.get(ruleKey);
    if (rule === undefined) return this.#isUnreadable(workspace, ruleKey, version) ? 'none' : 'behind';
    if (rule.version !== version) return 'behind';
    if (this.#pasts === undefined || !hasPast(rule)) return 'none';
    const row = this.#pasts.progress(workspace, ruleKey, version);
    return row ?? (this.#pasts.hasTaken(this.#definitions.offset) ? 'none' : 'behind');
  }

  /** It is here, and this version of the product cannot read it. */
  #isUnreadable(workspace: string, ruleKey: string, version: number): boolean {
    const kind = ruleKey.startsWith('s:') ? 'segment' : 'journey';
    const stored = this.#definitions?.get(kind, workspace, ruleKey.slice(2));
    return stored?.ruleVersion === version || stored?.placedVersion === version;
  }

  #openPasts(parts: Pick<TriggerParts, 'partition' | 'partitions' | 'store' | 'codecs'>): Pasts {
    return new Pasts({
      ...parts,
      rulesOf: (workspace) => this.#rules.of(workspace),
      changed: (workspace) => {
        this.#rules.changed(workspace);
      },
      next: (workspace) => this.#offsets.next(workspace),
      readTo: (workspace) => this.#turns.readTo(workspace),
      workspaces: () => this.#offsets.workspaces(),
      take: (workspace, past, out) => {
        const { personId } = past;
        const personKey = `${workspace}:${personId}`;
        this.#turns.goOn(personKey, out);
        this.#records.takePast({ workspace, personId, personKey }, past, out);
      },
      takeApart: (workspace, personId, told, out) => {
        const personKey = `${workspace}:${personId}`;
        this.#turns.goOn(personKey, out);
        this.#records.takeApart({ workspace, personId, personKey }, told, out);
      },
      refresh: (personKey, out) => {
        this.#turns.goOn(personKey, out);
        this.#records.refresh(personKey, out);
      },
      takeUnits: () => this.#people.takeUnits(),
    });
  }

  #use(batch: BatchContext, out: Emitter): void {
    const { definitions, time } = batch;
    this.#definitions = definitions;
    this.#turns.begin(batch);
    this.#rules.use(definitions);
    this.#pasts?.takeUp(definitions.offset, time, out);
  }

  /** The view shows it. Each partition has it; the first tells where there is no room. */
  #takeObject(out: Emitter): void {
    const { workspace, receivedAt: at, messageId, mergedAt } = this.#view;
    const word = objectWord(this.#view.details().properties);
    const isIndexed = !this.#linkAdoption.pending;
    if (word === undefined || this.#objects.take(workspace, word, { at, messageId }, isIndexed)) return;
    if (this.#partition > 0) return;
    const detail = JSON.stringify({ object: word.object });
    const row = { reason: 'limit_exceeded', stage: 'trigger', at: mergedAt, detail } as const;
    const value = this.#codecs.DroppedEvent.encode(
      droppedEvent({ workspace, message_id: messageId, ...row }),
    );
    out.emit('eventsDropped', `${workspace}:`, value);
  }

  /** Some of those who belong to objects of which something was said by itself. */
  #tellOfObjects(batch: BatchContext, out: Emitter): void {
    this.#objects.forget(this.#watermarks.time);
    if (this.#objects.pending === 0 || this.#linkAdoption.pending) return;
    this.#people.takeUnits();
    this.#objects.tell(batch.sequence, (personKey, cause) => {
      const name = `object ${personKey} ${cause.messageId}`;
      const kept = { name, topic: 'eventsMerged', offset: -1, key: personKey } as const;
      attempt(batch, { ...kept, value: () => Buffer.from(personKey) }, () => {
        this.#turns.goOn(personKey, out);
        this.#records.objectsChanged(personKey, cause, out);
      });
      return 1 + Math.floor(this.#people.takeUnits() / unitsAToldPerson);
    });
  }

  #takeTransfer(transfer: Transfer, { time }: BatchContext, out: Emitter): void {
    const { workspace, person_id: personId, fact_number: factNumber, state, record } = transfer;
    const personKey = `${workspace}:${personId}`;
    if (transfer.kind === 'record' && record !== null) {
      const source = sourceOf(transfer, record);
      this.#view.take(this.#codecs.MergedEvent, source);
      this.#turns.take(personKey, source, out);
    } else if (transfer.kind === 'state' && state !== null && factNumber !== null) {
      if (!isWhole(this.#links.addText(personKey, factNumber, state))) return;
      this.#turns.goOn(personKey, out);
      const waiting = this.#links.arrived(personKey, factNumber);
      if (waiting === undefined) return;
      const moved = wholeOf(this.#links.takeTexts(personKey, factNumber));
      const { at, known = null } = waiting;
      const change = { at, known, from: transfer.from_person_id };
      this.#records.absorb({ workspace, personId, personKey }, moved, change, out);
    } else if (transfer.kind === 'past' && state !== null) {
      this.#pasts?.onMessage(workspace, state, time, out);
    } else if (transfer.kind === 'question') this.#turns.forwarding.asked(questionIn(transfer), out);
    else if (transfer.kind === 'answer') this.#turns.forwarding.answered(questionIn(transfer));
  }
}
