/**
 * The turn of each record of a person's stream: after the state of whoever was merged into the person (links.ts), and
 * after the timers before it (held-records.ts). What is not in its turn waits in the store; at the end of a batch a bounded
 * part of what may go on does, and of the timers that are due.
 *
 * What becomes of somebody must not depend on where batches begin (cuts.test.ts). So whatever of a person could go on does
 * before anything else is decided about them; while they wait for a merge no time passes for them; and what waited for one
 * comes as if all of it had come at one moment: time passes behind it, and not between it as far as it happens to be read.
 */
import type { Codecs } from '../../schemas/codec.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import { attempt, type BatchContext, type Emitter, type Kept } from '../runtime/task/ports.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import type { LinkBook, Parked } from './decide/links.ts';
import { changesAtOf } from './decide/state-codec.ts';
import { DueTimers } from './due-timers.ts';
import { Forwarding } from './forwarding.ts';
import { HeldRecords, type HeldRecord } from './held-records.ts';
import type { MergedView } from './merged-view.ts';
import type { PeopleStore } from './people-store.ts';
import type { PersonRecords } from './person-records.ts';
import type { Timer, TimerIndex } from './timers.ts';
import type { Source } from './transfers.ts';
import type { Watermarks } from './watermarks.ts';

/**
 * Parked records of a workspace handled in a batch, so that a long queue cannot hold up its partition; one that took many
 * steps of patterns counts as so many.
 */
const drainRecordsMax = 5_000;
const unitsADrainedRecord = 10;
/** Of one that is not dear: as many as run in a batch are the share of a workspace. */
const unitsATimer = 50;

const NOTHING = Buffer.alloc(0);

export interface TurnsParts {
  readonly store: KeyedStore;
  readonly codecs: Codecs;
  readonly view: MergedView;
  readonly people: PeopleStore;
  readonly links: LinkBook;
  readonly timers: TimerIndex;
  readonly watermarks: Watermarks;
  /** Handles what is in its turn; asked for when it is needed. */
  readonly records: () => PersonRecords;
}

export class Turns {
  readonly #parts: TurnsParts;
  readonly #held: HeldRecords;
  readonly #due: DueTimers;
  /** What is forwarded to people of this partition. */
  readonly forwarding: Forwarding;
  /** The batch that was seen last: it tells how far a workspace has come whose records wait for its share. */
  #batch: BatchContext | undefined;

  constructor(parts: TurnsParts) {
    const { store, codecs, timers, people } = parts;
    this.#parts = parts;
    this.#held = new HeldRecords(store, (personKey) => this.#changesAt(personKey));
    this.forwarding = new Forwarding({
      ...{ store, codecs, people, timers, readTo: (workspace) => this.readTo(workspace) },
      waits: (personKey) => this.#waits(personKey),
    });
    this.#due = new DueTimers(store, timers, {
      readTo: (workspace) => this.readTo(workspace),
      rests: (workspace) => this.#rests(workspace),
    });
  }

  begin(batch: BatchContext): void {
    if (batch.sequence !== this.#batch?.sequence) this.#wentOn.clear();
    this.#batch = batch;
  }

  /** A record of a person's stream, own or forwarded; the view shows it. */
  take(personKey: string, source: Source, out: Emitter): void {
    if (this.goOn(personKey, out)) this.#parts.view.take(this.#parts.codecs.MergedEvent, source);
    if (this.#parks(personKey, source, out)) return;
    this.#inItsTime(personKey, source, { readTo: this.readToOf(personKey) }, out);
  }

  /**
   * What of the person could go on does, before anything else is decided about them: so much of a workspace in a batch, and
   * what is beyond goes on at the ends of batches. @returns whether the view may show another record now.
   */
  goOn(personKey: string, out: Emitter): boolean {
    const { links } = this.#parts;
    if (links.people === 0 && this.#held.people === 0) return false;
    const workspace = workspaceIn(personKey);
    if (!this.#waits(personKey) || this.#batch === undefined || this.#rests(workspace)) return false;
    let left = this.#wentOn.get(workspace) ?? drainRecordsMax;
    left = links.drainOf(personKey, left, this.#handlingParked(this.#batch, out));
    left = this.#goOnHeld(personKey, { left, batch: this.#batch }, out);
    this.#wentOn.set(workspace, left);
    return true;
  }
  /** What is left of the batch for those of whom something else comes, by workspace. */
  readonly #wentOn = new Map<string, number>();

  /** Records of the person wait, own ones or forwarded ones. */
  #waits(personKey: string): boolean {
    return this.#parts.links.has(personKey) || this.#held.firstAt(personKey) !== Infinity;
  }

  /** Timers and records that wait, in their order, up to where nobody can say yet what comes next. */
  #goOnHeld(
    personKey: string,
    { left: budget, batch }: { readonly left: number; readonly batch: BatchContext },
    out: Emitter,
  ): number {
    let left = budget;
    while (left > 0 && !this.#parts.links.stands(personKey)) {
      left = this.#held.drainOf(personKey, left, this.#handlingHeld(batch, out));
      const at = this.#changesAt(personKey);
      const dueTo = this.dueTo(personKey);
      if (at > dueTo || this.#held.firstAt(personKey) === Infinity) break;
      const kept = { originOffset: -1, value: Buffer.from(personKey) };
      const passed = attempt(batch, keptOf(`due ${personKey} ${String(at)}`, personKey, kept), () => {
        this.#parts.records().passTo(personKey, at, out);
      });
      if (!passed) break;
      left -= 1;
    }
    return left;
  }

  /** The person was looked at, and changes by itself at this time, ms. */
  looked(personKey: string, changesAt: number): void {
    this.#held.looked(personKey, this.#parts.links.stands(personKey) ? -Infinity : changesAt);
  }

  /** When the person next changes, ms; -Infinity: not before a state has come, nor does anything else happen to them. */
  #changesAt(personKey: string): number {
    return this.#parts.links.stands(personKey) ? -Infinity : this.#parts.people.changesAt(personKey);
  }

  /** The end of a batch. */
  end(batch: BatchContext, out: Emitter): void {
    if (this.#parts.links.people > 0) this.#drainParked(batch, out);
    this.#runTimers(batch, out);
    if (this.#held.anyReady) this.#drainHeld(batch, out);
    this.forwarding.step(this.#parts.watermarks.time, batch.sequence, out);
  }

  get wantsBatch(): boolean {
    return this.#parts.links.drainable || this.#held.anyReady || this.#isDue;
  }

  get unsettled(): number {
    return this.#parts.links.people + this.#held.people + this.forwarding.unsettled + (this.#isDue ? 1 : 0);
  }
  get heldRecords(): number {
    return this.#held.records;
  }

  /**
   * What is due by then has happened to the person about whom something is decided, ms: of a record that has waited what was
   * due before it, and no more, since what comes after it may wait behind it; else what comes before those that wait.
   */
  dueTo(personKey: string, workspace = workspaceIn(personKey)): number {
    const readTo = this.readToOf(personKey, workspace);
    if (this.#waitedAt !== Infinity) return Math.min(readTo, this.#waitedAt - 1);
    const { links } = this.#parts;
    if (links.stands(personKey)) return Math.min(readTo, links.standsAt(personKey) - 1);
    return this.#held.people === 0 ? readTo : Math.min(readTo, this.#held.firstAt(personKey) - 1);
  }
  /** When the record that is handled was merged, if it has waited, ms. */
  #waitedAt = Infinity;

  #afterWaiting(handle: () => void): void {
    this.#waitedAt = this.#parts.view.mergedAt;
    try {
      handle();
    } finally {
      this.#waitedAt = Infinity;
    }
  }

  /** Everything of the person's that was received before it has been read, also of those who were merged into them, ms. */
  readToOf(personKey: string, workspace = workspaceIn(personKey)): number {
    return Math.min(this.readTo(workspace), this.forwarding.to(personKey));
  }

  /** Everything of the workspace that was received before it has been handled, ms. */
  readTo(workspace: string): number {
    return this.#batch?.standsAt?.(workspace) ?? this.#parts.watermarks.of(workspace);
  }

  get #isDue(): boolean {
    return this.#due.any(this.#parts.watermarks.time);
  }

  #rests(workspace: string): boolean {
    return this.#batch?.rests?.(workspace) === true;
  }

  #park(personKey: string, queue: string, parked: Parked, out: Emitter): void {
    const facts = this.#parts.links.park(personKey, queue, parked);
    this.#parts.records().tellNotAwaited(personKey, facts, this.#parts.watermarks.time, out);
  }

  /** Parks a record of a person to whom a merge is outstanding. */
  #parks(personKey: string, source: Source, out: Emitter): boolean {
    if (!this.#parts.links.has(personKey)) return false;
    const queue = this.#parts.links.queueFor(personKey, source.forwardedFact);
    if (queue === undefined) return false;
    const { originPartition, originOffset } = source;
    this.#park(personKey, queue, { originPartition, originOffset, value: valueOf(source) }, out);
    return true;
  }

  /** Holds a record back that a timer comes before. @param readTo no timer before it waits for anything, ms. */
  #inItsTime(personKey: string, source: Source, { readTo }: { readonly readTo: number }, out: Emitter): void {
    const { mergedAt } = this.#parts.view;
    let stored = this.#parts.people.stored(personKey);
    let changesAt = changesAtIn(stored);
    if (changesAt <= readTo && changesAt < mergedAt) {
      // What is due happens first: the timer after it may come before the record, too.
      this.#parts.records().passTo(personKey, Math.min(readTo, mergedAt - 1), out);
      stored = this.#parts.people.stored(personKey);
      changesAt = changesAtIn(stored);
    }
    const waits = changesAt < mergedAt && changesAt > readTo;
    if (!waits && !this.#held.isBehind(personKey, { mergedAt, changesAt, readTo })) {
      this.#parts.records().handle(personKey, stored, source, out);
      return;
    }
    const { originPartition, originOffset, forwardedFact } = source;
    const place = { originPartition, originOffset, forwardedFact };
    const held = this.#held.hold(personKey, { ...place, mergedAt, value: valueOf(source) });
    if (held === 'held') return;
    this.#parts.records().tellTimerNotAwaited(personKey, out);
    if (held === 'now') this.#parts.records().handle(personKey, stored, source, out);
  }

  #drainParked(batch: BatchContext, out: Emitter): void {
    const budgetOf = (workspace: string): number => (this.#rests(workspace) ? 0 : drainRecordsMax);
    this.#parts.links.drain(budgetOf, this.#handlingParked(batch, out));
  }

  #handlingParked(batch: BatchContext, out: Emitter): (personKey: string, parked: Parked) => number {
    return (personKey, parked) => {
      const { originPartition, originOffset, value } = parked;
      const name = `parked ${personKey} ${String(originPartition)} ${String(originOffset)}`;
      attempt(batch, keptOf(name, personKey, parked), () => {
        if (value.length === 0) {
          // Behind all that waited with it: it runs with the others that are due.
          this.#parts.timers.move(personKey, Infinity, originOffset);
          return;
        }
        const source = { ...parked, bytes: value, start: 0, end: value.length, forwardedFact: null };
        this.#parts.view.take(this.#parts.codecs.MergedEvent, source);
        this.#afterWaiting(() => {
          this.#inItsTime(personKey, source, { readTo: -Infinity }, out);
        });
      });
      this.#held.looked(personKey, this.#changesAt(personKey));
      return this.#costOf(personKey);
    };
  }

  #drainHeld(batch: BatchContext, out: Emitter): void {
    const budgetOf = (workspace: string): number => (this.#rests(workspace) ? 0 : drainRecordsMax);
    this.#held.drain(budgetOf, this.#handlingHeld(batch, out));
  }

  #handlingHeld(batch: BatchContext, out: Emitter): (personKey: string, held: HeldRecord) => number {
    return (personKey, held) => {
      const { originPartition, originOffset, value } = held;
      const name = `held ${personKey} ${String(originPartition)} ${String(originOffset)}`;
      attempt(batch, keptOf(name, personKey, held), () => {
        const source = { ...held, bytes: value, start: 0, end: value.length };
        this.#parts.view.take(this.#parts.codecs.MergedEvent, source);
        if (this.#parks(personKey, source, out)) return;
        this.#afterWaiting(() => {
          this.#parts.records().handle(personKey, this.#parts.people.stored(personKey), source, out);
        });
      });
      return this.#costOf(personKey);
    };
  }

  #costOf(personKey: string): number {
    const cost = 1 + Math.floor(this.#parts.people.takeUnits() / unitsADrainedRecord);
    return this.#rests(workspaceIn(personKey)) ? Infinity : cost;
  }

  /** A bounded slice of what is due: however many they are, records are taken between. */
  #runTimers(batch: BatchContext, out: Emitter): void {
    this.#parts.people.takeUnits();
    const early: Timer[] = [];
    this.#due.run(this.#parts.watermarks.time, batch.sequence, (timer) => {
      const { personKey, at } = timer;
      const queue = this.#parts.links.has(personKey)
        ? this.#parts.links.queueFor(personKey, null)
        : undefined;
      if (queue !== undefined) {
        // Before the state of a person who has been merged is here, nobody can say what time has changed.
        this.#park(personKey, queue, { originPartition: -1, originOffset: at, value: NOTHING }, out);
        return 1;
      }
      if (this.#held.comesBefore(personKey, at)) {
        early.push(timer);
        return 1;
      }
      if (this.forwarding.holdsBack(personKey, at, out)) return 1;
      const kept = { originOffset: -1, value: Buffer.from(personKey) };
      attempt(batch, keptOf(`timer ${personKey} ${String(at)}`, personKey, kept), () =>
        this.#parts.records().lookAgain(personKey, at, out),
      );
      return 1 + Math.floor(this.#parts.people.takeUnits() / unitsATimer);
    });
    for (const { personKey, at } of early) this.#parts.timers.move(personKey, Infinity, at);
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

/** ms; Infinity: nobody is there, or never. */
function changesAtIn(stored: Buffer | undefined): number {
  return stored === undefined ? Infinity : changesAtOf(stored);
}
