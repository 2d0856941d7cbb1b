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
import type { DefinitionsView } from '../runtime/definitions.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import {
  attempt,
  type BatchContext,
  type Emitter,
  type Kept,
  type Processor,
} from '../runtime/task/ports.ts';
import { LinkBook } from './decide/links.ts';
import { changesAtOf } from './decide/state-codec.ts';
import { HandledOffsets } from './handled-offsets.ts';
import { HeldRecords } from './held-records.ts';
import { MergedView } from './merged-view.ts';
import type { PastRow } from './past-book.ts';
import { Pasts, type WantedPast } from './pasts.ts';
import { PeopleStore } from './people-store.ts';
import { PersonRecords } from './person-records.ts';
import { RulesCache } from './rules-cache.ts';
import { TimerAdoption } from './timer-adoption.ts';
import { TimerIndex } from './timers.ts';
import { isWhole, wholeOf } from './transfer-state.ts';
import type { Seen } from './seen.ts';
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
/** Timers of a partition that run in a batch, so that very many at once hold up no record. */
export const timersABatchMax = 500;
const NOTHING = Buffer.alloc(0);

const none: ReadonlySet<string> = new Set();

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
  readonly #codecs: Codecs;
  readonly #view = new MergedView();
  readonly #rules: RulesCache;
  /** undefined: rules have no past. */
  readonly #pasts: Pasts | undefined;
  readonly #links: LinkBook;
  readonly #watermarks: Watermarks;
  readonly #timers: TimerIndex;
  readonly #adoption: TimerAdoption;
  readonly #held: HeldRecords;
  readonly #records: PersonRecords;
  readonly #offsets: HandledOffsets;
  #definitions: DefinitionsView | undefined;

  constructor({ partition, partitions, store, codecs, hasPasts }: TriggerParts) {
    this.#rules = new RulesCache((workspace) => this.#pasts?.openOf(workspace) ?? none);
    this.#people = new PeopleStore(store, codecs, (personKey, from, to) => {
      this.#timers.move(personKey, from, to);
      this.#held.looked(personKey, to);
    });
    this.#codecs = codecs;
    this.#links = new LinkBook(store);
    this.#watermarks = new Watermarks(partitions, store);
    this.#offsets = new HandledOffsets(store);
    this.#timers = new TimerIndex(store);
    this.#adoption = new TimerAdoption(store, this.#timers);
    this.#held = new HeldRecords(store, (personKey) => this.#people.changesAt(personKey));
    this.#pasts = hasPasts ? this.#openPasts({ partition, partitions, store, codecs }) : undefined;
    this.#records = new PersonRecords({
      ...(this.#pasts && { pasts: this.#pasts }),
      people: this.#people,
      codecs,
      view: this.#view,
      rules: this.#rules,
      links: this.#links,
      watermarks: this.#watermarks,
    });
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
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
      this.#watermarks.take(this.#view.sourcePartition, this.#view.mergedAt);
      return;
    }
    const personKey = record.bytes.toString('utf8', record.keyStart, record.keyEnd);
    const { workspace } = this.#view;
    if (this.#pasts !== undefined && this.#offsets.next(workspace) === undefined) {
      this.#pasts.meet(workspace, batch.time, out);
    }
    this.#offsets.handled(workspace, record.offset);
    this.#take(personKey, source, out);
  }

  onBatchEnd(batch: BatchContext, out: Emitter): void {
    this.#use(batch, out);
    this.#adoption.step();
    if (this.#links.people > 0) this.#drainParked(batch, out);
    this.#runTimers(batch, out);
    if (this.#held.anyReady) this.#drainHeld(batch, out);
    this.#pasts?.step(out);
    this.takeUnits();
    this.#offsets.endBatch();
  }

  wantsBatch(_time: number, definitions: DefinitionsView): boolean {
    if (this.#pasts?.wants(definitions.offset) === true) return true;
    return this.#links.drainable || this.#held.anyReady || this.#adoption.pending || this.#isDue;
  }

  takeUnits(): number {
    const steps = this.#people.patternSteps;
    this.#people.patternSteps = 0;
    return Math.ceil(steps / patternStepsAUnit);
  }

  pendingSince(): undefined {
    return undefined; // no watermark is made of this service's inputs
  }
  receivedAt(): undefined {
    return undefined;
  }

  status() {
    return {
      unsettled:
        this.#links.people + this.#held.people + (this.#isDue ? 1 : 0) + (this.#pasts?.unsettled ?? 0),
      parked_records: this.#links.parked,
      held_records: this.#held.records,
      watermark: this.#watermarks.time,
      unreadable_definitions: this.#rules.unreadable,
      unusable_patterns: this.#rules.unusablePatterns,
    };
  }

  /** A person as they are now, for who asks why; undefined: the definitions have not been read yet. */
  seen(workspace: string, personId: string): Seen | undefined {
    if (this.#definitions === undefined) return undefined;
    this.#rules.use(this.#definitions);
    const personKey = `${workspace}:${personId}`;
    const rules = this.#rules.of(workspace);
    const readTo = this.#watermarks.time;
    const person = this.#people.person(personKey);
    return {
      subject: this.#people.subject({ workspace, personId, personKey }, person, { rules, readTo }),
      rules,
      readTo,
      offset: this.#offsets.next(workspace) ?? 0,
      definitionsOffset: this.#definitions.offset,
    };
  }

  /** What the reader of the past is to read. */
  wantedPasts(): readonly WantedPast[] {
    if (this.#definitions === undefined) return [];
    this.#rules.use(this.#definitions);
    return this.#pasts?.wanted() ?? [];
  }

  /** How far the past of a rule is in, in this partition. */
  pastOf(workspace: string, ruleKey: string): PastRow | undefined {
    if (this.#definitions === undefined) return undefined;
    this.#rules.use(this.#definitions);
    const rule = this.#rules.of(workspace).rulesByKey.get(ruleKey);
    return rule && this.#pasts?.progress(workspace, ruleKey, rule.version);
  }

  #openPasts(parts: Pick<TriggerParts, 'partition' | 'partitions' | 'store' | 'codecs'>): Pasts {
    return new Pasts({
      ...parts,
      rulesOf: (workspace) => this.#rules.of(workspace),
      changed: (workspace) => {
        this.#rules.changed(workspace);
      },
      next: (workspace) => this.#offsets.next(workspace),
      workspaces: () => this.#offsets.workspaces(),
      take: (workspace, past, out) => {
        const { personId } = past;
        this.#records.takePast({ workspace, personId, personKey: `${workspace}:${personId}` }, past, out);
      },
      refresh: (personKey, out) => {
        this.#records.refresh(personKey, out);
      },
    });
  }

  #use({ definitions, time }: BatchContext, out: Emitter): void {
    this.#definitions = definitions;
    this.#rules.use(definitions);
    this.#pasts?.takeUp(definitions.offset, time, out);
  }

  get #isDue(): boolean {
    return this.#timers.due(this.#watermarks.time) !== undefined;
  }

  /** A record of a person's stream, own or forwarded; the view shows it. */
  #take(personKey: string, source: Source, out: Emitter): void {
    if (!this.#parks(personKey, source)) this.#inItsTime(personKey, source, out);
  }

  /** Parks a record of a person to whom a merge is outstanding. */
  #parks(personKey: string, source: Source): boolean {
    if (!this.#links.has(personKey)) return false;
    const queue = this.#links.queueFor(personKey, source.forwardedFact);
    if (queue === undefined) return false;
    const { originPartition, originOffset } = source;
    this.#links.park(personKey, queue, { originPartition, originOffset, value: valueOf(source) });
    return true;
  }

  /** Holds a record back that a timer comes before. */
  #inItsTime(personKey: string, source: Source, out: Emitter): void {
    const { mergedAt } = this.#view;
    const stored = this.#people.stored(personKey);
    const changesAt = stored === undefined ? Infinity : changesAtOf(stored);
    const readTo = this.#watermarks.time;
    const waits = changesAt < mergedAt && changesAt > readTo;
    if (!waits && !this.#held.isBehind(personKey, { mergedAt, changesAt, readTo })) {
      this.#records.handle(personKey, stored, source, out);
      return;
    }
    const { originPartition, originOffset, forwardedFact } = source;
    const place = { originPartition, originOffset, forwardedFact };
    this.#held.hold(personKey, { ...place, mergedAt, value: valueOf(source) });
  }

  #drainParked(batch: BatchContext, out: Emitter): void {
    this.#links.drain(drainRecordsMax, (personKey, parked) => {
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
      return 1 + Math.floor(this.takeUnits() / unitsADrainedRecord);
    });
  }

  #drainHeld(batch: BatchContext, out: Emitter): void {
    this.#held.drain(drainRecordsMax, (personKey, held) => {
      const { originPartition, originOffset, value } = held;
      const name = `held ${personKey} ${String(originPartition)} ${String(originOffset)}`;
      attempt(batch, keptOf(name, personKey, held), () => {
        const source = { ...held, bytes: value, start: 0, end: value.length };
        this.#view.take(this.#codecs.MergedEvent, source);
        if (this.#parks(personKey, source)) return;
        this.#records.handle(personKey, this.#people.stored(personKey), source, out);
      });
    });
    this.takeUnits(); // of no record that the shell is about to take
  }

  /** A bounded slice of what is due: however many they are, records are taken between. */
  #runTimers(batch: BatchContext, out: Emitter): void {
    const until = this.#watermarks.time;
    for (let ran = 0; ran < timersABatchMax; ran += 1) {
      const timer = this.#timers.due(until);
      if (timer === undefined) break;
      const { personKey, at } = timer;
      this.#timers.move(personKey, at, Infinity);
      const queue = this.#links.has(personKey) ? this.#links.queueFor(personKey, null) : undefined;
      if (queue !== undefined) {
        // Before the state of a person who has been merged is here, nobody can say what time has changed.
        this.#links.park(personKey, queue, { originPartition: -1, originOffset: at, value: NOTHING });
        continue;
      }
      const kept = { originOffset: -1, value: Buffer.from(personKey) };
      attempt(batch, keptOf(`timer ${personKey} ${String(at)}`, personKey, kept), () =>
        this.#records.lookAgain(personKey, at, out),
      );
    }
    this.takeUnits();
  }

  #takeTransfer(transfer: Transfer, { time }: BatchContext, out: Emitter): void {
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
    } else if (transfer.kind === 'past' && state !== null) {
      this.#pasts?.onMessage(workspace, state, time, out);
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
