/**
 * The trigger for one partition: each record of a person's stream meets the person's state and the workspace's rules, in
 * its turn. Most events name nothing that a rule asks about; those cost one look into the store and no parsing.
 *
 * A record's turn comes when the state of whoever was merged into the person is here (links.ts), and when the timers
 * before it have run (held-records.ts). Timers run when the watermark has passed them: everything received before has been
 * read then, however late it is read, so nothing fires that an event on its way prevents.
 */
import type { Codecs } from '../../schemas/codec.ts';
import type { Transfer } from '../../schemas/records.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import {
  attempt,
  type BatchContext,
  type Emitter,
  type Kept,
  type Processor,
} from '../runtime/task/ports.ts';
import { LinkBook, type Parked } from './decide/links.ts';
import { changesAtOf } from './decide/state-codec.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { DueTimers } from './due-timers.ts';
import { HeldRecords } from './held-records.ts';
import { MergedView } from './merged-view.ts';
import { PeopleStore } from './people-store.ts';
import { PersonRecords } from './person-records.ts';
import { RulesCache } from './rules-cache.ts';
import { TimerAdoption } from './timer-adoption.ts';
import { TimerIndex } from './timers.ts';
import { isWhole, wholeOf } from './transfer-state.ts';
import { sourceOf, type Source } from './transfers.ts';
import { Watermarks } from './watermarks.ts';

/**
 * Parked records of a workspace handled in a batch, so that a long queue cannot hold up its partition; one that took many
 * steps of patterns counts as so many.
 */
export const drainRecordsMax = 5_000;
const unitsADrainedRecord = 10;

/** About as much of the machine as a unit of share.ts, as measured. */
const patternStepsAUnit = 7;
const NOTHING = Buffer.alloc(0);

export class TriggerProcessor implements Processor {
  readonly #people: PeopleStore;
  readonly #codecs: Codecs;
  readonly #view = new MergedView();
  readonly #rules = new RulesCache();
  readonly #links: LinkBook;
  readonly #watermarks: Watermarks;
  readonly #timers: TimerIndex;
  readonly #adoption: TimerAdoption;
  readonly #held: HeldRecords;
  readonly #records: PersonRecords;
  readonly #due: DueTimers;
  /** The batch that was seen last: it tells how far a workspace has come whose records wait for its share. */
  #batch: BatchContext | undefined;

  constructor(partitions: number, store: KeyedStore, codecs: Codecs) {
    this.#people = new PeopleStore(store, codecs, (personKey, from, to) => {
      this.#timers.move(personKey, from, to);
      this.#held.looked(personKey, to);
    });
    this.#codecs = codecs;
    this.#links = new LinkBook(store);
    this.#watermarks = new Watermarks(partitions, store);
    this.#timers = new TimerIndex(store);
    this.#adoption = new TimerAdoption(store, this.#timers);
    this.#held = new HeldRecords(store, (personKey) => this.#people.changesAt(personKey));
    this.#due = new DueTimers(store, this.#timers, {
      readTo: (workspace) => this.#readTo(workspace),
      rests: (workspace) => this.#rests(workspace),
    });
    this.#records = new PersonRecords({
      people: this.#people,
      codecs,
      view: this.#view,
      rules: this.#rules,
      links: this.#links,
      readTo: (workspace) => this.#readTo(workspace),
    });
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    this.#batch = batch;
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
      forwardedFact: null,
    };
    this.#view.take(this.#codecs.MergedEvent, source); // throws when it cannot be read, and the shell puts the record aside
    if (this.#view.kind === 'watermark') {
      this.#watermarks.take(this.#view.sourcePartition, this.#view.mergedAt);
      return;
    }
    const personKey = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
    this.#take(personKey, source, out);
  }

  onBatchEnd(batch: BatchContext, out: Emitter): void {
    this.#batch = batch;
    this.#rules.use(batch.definitions);
    this.#adoption.step();
    if (this.#links.people > 0) this.#drainParked(batch, out);
    this.#runTimers(batch, out);
    if (this.#held.anyReady) this.#drainHeld(batch, out);
  }

  wantsBatch(): boolean {
    return this.#links.drainable || this.#held.anyReady || this.#adoption.pending || this.#isDue;
  }

  takeUnits(): number {
    const steps = this.#people.patternSteps;
    this.#people.patternSteps = 0;
    return Math.ceil(steps / patternStepsAUnit);
  }

  /** Of a record that waits: everything received before it and before this time has come before it. */
  mark(): number {
    return this.#watermarks.time;
  }

  pendingSince(): undefined {
    return undefined; // no watermark is made of this service's inputs
  }
  receivedAt(): undefined {
    return undefined;
  }

  status() {
    return {
      unsettled: this.#links.people + this.#held.people + (this.#isDue ? 1 : 0),
      parked_records: this.#links.parked,
      held_records: this.#held.records,
      watermark: this.#watermarks.time,
      unreadable_definitions: this.#rules.unreadable,
      unusable_patterns: this.#rules.unusablePatterns,
    };
  }

  get #isDue(): boolean {
    return this.#due.any(this.#watermarks.time);
  }

  #rests(workspace: string): boolean {
    return this.#batch?.rests?.(workspace) === true;
  }

  /** Everything of the workspace that was received before it has been handled, ms. */
  #readTo(workspace: string): number {
    return this.#batch?.standsAt?.(workspace) ?? this.#watermarks.time;
  }

  /** A record of a person's stream, own or forwarded; the view shows it. */
  #take(personKey: string, source: Source, out: Emitter): void {
    if (!this.#parks(personKey, source, out)) this.#inItsTime(personKey, source, out);
  }

  #park(personKey: string, queue: string, parked: Parked, out: Emitter): void {
    const facts = this.#links.park(personKey, queue, parked);
    this.#records.tellNotAwaited(personKey, facts, this.#watermarks.time, out);
  }

  /** Parks a record of a person to whom a merge is outstanding. */
  #parks(personKey: string, source: Source, out: Emitter): boolean {
    if (!this.#links.has(personKey)) return false;
    const queue = this.#links.queueFor(personKey, source.forwardedFact);
    if (queue === undefined) return false;
    const { originPartition, originOffset } = source;
    this.#park(personKey, queue, { originPartition, originOffset, value: valueOf(source) }, out);
    return true;
  }

  /** Holds a record back that a timer comes before. */
  #inItsTime(personKey: string, source: Source, out: Emitter): void {
    const { mergedAt } = this.#view;
    const stored = this.#people.stored(personKey);
    const changesAt = stored === undefined ? Infinity : changesAtOf(stored);
    const readTo = this.#readTo(workspaceIn(personKey));
    const waits = changesAt < mergedAt && changesAt > readTo;
    if (!waits && !this.#held.isBehind(personKey, { mergedAt, changesAt, readTo })) {
      this.#records.handle(personKey, stored, source, out);
      return;
    }
    const { originPartition, originOffset, forwardedFact } = source;
    const place = { originPartition, originOffset, forwardedFact };
    const held = this.#held.hold(personKey, { ...place, mergedAt, value: valueOf(source) });
    if (held === 'held') return;
    this.#records.tellTimerNotAwaited(personKey, out);
    if (held === 'now') this.#records.handle(personKey, stored, source, out);
  }

  #drainParked(batch: BatchContext, out: Emitter): void {
    const budgetOf = (workspace: string): number => (this.#rests(workspace) ? 0 : drainRecordsMax);
    this.#links.drain(budgetOf, (personKey, parked) => {
      const { originPartition, originOffset, value } = parked;
      const name = `parked ${personKey} ${String(originPartition)} ${String(originOffset)}`;
      attempt(batch, keptOf(name, personKey, parked), () => {
        if (value.length === 0) {
          this.#records.lookAgain(personKey, originOffset, out);
          return;
        }
        const source = { ...parked, bytes: value, start: 0, end: value.length, forwardedFact: null };
        this.#view.take(this.#codecs.MergedEvent, source);
        this.#inItsTime(personKey, source, out);
      });
      const cost = 1 + Math.floor(this.takeUnits() / unitsADrainedRecord);
      return this.#rests(workspaceIn(personKey)) ? Infinity : cost;
    });
  }

  #drainHeld(batch: BatchContext, out: Emitter): void {
    const budgetOf = (workspace: string): number => (this.#rests(workspace) ? 0 : drainRecordsMax);
    this.#held.drain(budgetOf, (personKey, held) => {
      const { originPartition, originOffset, value } = held;
      const name = `held ${personKey} ${String(originPartition)} ${String(originOffset)}`;
      attempt(batch, keptOf(name, personKey, held), () => {
        const source = { ...held, bytes: value, start: 0, end: value.length };
        this.#view.take(this.#codecs.MergedEvent, source);
        if (this.#parks(personKey, source, out)) return;
        this.#records.handle(personKey, this.#people.stored(personKey), source, out);
      });
      const cost = 1 + Math.floor(this.takeUnits() / unitsADrainedRecord);
      return this.#rests(workspaceIn(personKey)) ? Infinity : cost;
    });
  }

  /** A bounded slice of what is due: however many they are, records are taken between. */
  #runTimers(batch: BatchContext, out: Emitter): void {
    this.#due.run(this.#watermarks.time, batch.sequence, ({ personKey, at }) => {
      const queue = this.#links.has(personKey) ? this.#links.queueFor(personKey, null) : undefined;
      if (queue !== undefined) {
        // Before the state of a person who has been merged is here, nobody can say what time has changed.
        this.#park(personKey, queue, { originPartition: -1, originOffset: at, value: NOTHING }, out);
        return;
      }
      const kept = { originOffset: -1, value: Buffer.from(personKey) };
      attempt(batch, keptOf(`timer ${personKey} ${String(at)}`, personKey, kept), () =>
        this.#records.lookAgain(personKey, at, out),
      );
    });
    this.takeUnits();
  }

  #takeTransfer(transfer: Transfer, out: Emitter): void {
    const { workspace, person_id: personId, fact_number: factNumber, state, record } = transfer;
    const personKey = `${workspace}:${personId}`;
    if (transfer.kind === 'record' && record !== null) {
      const source = sourceOf(transfer, record);
      this.#view.take(this.#codecs.MergedEvent, source);
      this.#take(personKey, source, out);
    } else if (transfer.kind === 'state' && state !== null && factNumber !== null) {
      if (!isWhole(this.#links.addText(personKey, factNumber, state))) return;
      const waiting = this.#links.arrived(personKey, factNumber);
      if (waiting === undefined) return;
      const moved = wholeOf(this.#links.takeTexts(personKey, factNumber));
      const { at, known = null } = waiting;
      this.#records.absorb({ workspace, personId, personKey }, moved, { at, known }, out);
    }
  }
}

function valueOf({ bytes, start, end }: Source): Buffer {
  return bytes.subarray(start, end);
}

function keptOf(
  name: string,
  key: string,
  { originOffset, value }: { readonly originOffset: number; readonly value: Buffer },
): Kept {
  return { name, topic: 'eventsMerged', offset: originOffset, key, value: () => value };
}
