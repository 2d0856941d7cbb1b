/**
 * The past of rules, of one partition: which rules are met, what the reader and other partitions say of them, and a look at
 * everybody once the past of a rule is in. The book says where each rule is (past-book.ts).
 */
import type { Codecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import { placingKey, type Rule, type WorkspaceRules } from './decide/workspace-rules.ts';
import { ApartBook } from './apart-book.ts';
import { isAsRead, isGone, metBy, PastBook, type Origin, type PastRow } from './past-book.ts';
import {
  decodePast,
  encodePast,
  placeOf,
  type PastMessage,
  type PastOfPerson,
  type ToldApart,
} from './past-messages.ts';
import { hasPast, isPlacing, type Apart, type WantedPast } from './wanted-past.ts';

/** People looked at in a batch once a past is in; fewer where a look is dear. */
export const refreshedABatchMax = 500;
const refreshedUnitsABatchMax = 25_000;

export interface PastsParts {
  readonly partition: number;
  readonly partitions: number;
  readonly store: KeyedStore;
  readonly codecs: Codecs;
  readonly rulesOf: (workspace: string) => WorkspaceRules;
  /** What is open has changed: rules are to be compiled anew. */
  readonly changed: (workspace: string) => void;
  /** One past the last record of the workspace that is handled; undefined: none. */
  readonly next: (workspace: string) => number | undefined;
  /** Everything of the workspace that was received before it has been handled, ms. */
  readonly readTo: (workspace: string) => number;
  /** Workspaces of which a record has been handled. */
  readonly workspaces: () => readonly string[];
  readonly take: (workspace: string, past: PastOfPerson, out: Emitter) => void;
  readonly takeApart: (workspace: string, personId: string, told: ToldApart, out: Emitter) => void;
  readonly refresh: (personKey: string, out: Emitter) => void;
  /** Units of share.ts that looks took since this was last asked. */
  readonly takeUnits: () => number;
}

const TAKEN = 'c:definitions';
const SWEEP = 'c:sweep:';
/** Whose people were looked at last. */
const SWEPT = 'c:swept';
/** Workspaces whose people are looked at, one after the other. */
const sweepsMax = 100_000;
const none: ReadonlySet<string> = new Set();

export class Pasts {
  readonly #parts: PastsParts;
  readonly #book: PastBook;
  readonly #apart: ApartBook;
  /** Offset of the definitions whose rules have been met. */
  #takenTo: number;
  readonly #open = new Map<string, ReadonlySet<string>>();
  /** Workspaces whose people are looked at, with where to go on. */
  readonly #sweeps: Map<string, string>;

  constructor(parts: PastsParts) {
    this.#parts = parts;
    this.#book = new PastBook(parts.store);
    this.#apart = new ApartBook(parts.store);
    const sweeps = parts.store.scan(SWEEP, 'c:sweep;', sweepsMax);
    this.#sweeps = new Map(sweeps.map(([key, from]) => [key.slice(SWEEP.length), from.toString()]));
    this.#takenTo = Number(parts.store.get(TAKEN)?.toString() ?? '-1');
  }

  wants(definitionsOffset: number): boolean {
    return definitionsOffset !== this.#takenTo || this.#sweeps.size > 0;
  }

  get unsettled(): number {
    const open = this.#book.workspaces.reduce((sum, workspace) => sum + this.openOf(workspace).size, 0);
    return open + this.#sweeps.size + this.#apart.size;
  }

  /** Of somebody who was taken apart. */
  readAgain(apart: Apart): void {
    this.#apart.put(apart);
  }

  /** Keys of the rules of which nothing may turn yet. The same set until it is another. */
  openOf(workspace: string): ReadonlySet<string> {
    const known = this.#open.get(workspace);
    if (known !== undefined) return known;
    const rows = this.#book.rows(workspace).filter(({ since, ready }) => since !== null && !ready);
    const open = rows.length === 0 ? none : new Set(rows.map(({ rule }) => rule));
    this.#open.set(workspace, open);
    return open;
  }

  counts(workspace: string, { key: rule, version }: Rule, origin: Origin): boolean {
    return this.#book.counts(workspace, { rule, version }, origin);
  }

  /** Up to when time had been passed when the journey was met, ms; -Infinity: it takes nobody of before. */
  placedTo(workspace: string, journeyId: string): number {
    const rule = this.#parts.rulesOf(workspace).rulesByKey.get(placingKey(journeyId));
    const row = rule && this.#book.row(workspace, rule.key, rule.version);
    return row === undefined || row.since === null ? -Infinity : (row.readTo ?? -Infinity);
  }

  progress(workspace: string, rule: string, version: number): PastRow | undefined {
    return this.#book.row(workspace, rule, version);
  }

  /** Whether the rules of these definitions have been met. */
  hasTaken(definitionsOffset: number): boolean {
    return this.#takenTo === definitionsOffset;
  }

  /** Before anything is handled under these definitions. */
  takeUp(definitionsOffset: number, time: number, out: Emitter): void {
    if (definitionsOffset === this.#takenTo) return;
    const workspaces = new Set([...this.#parts.workspaces(), ...this.#book.workspaces]);
    for (const workspace of [...workspaces].sort()) {
      this.meet(workspace, time, out);
    }
    this.#takenTo = definitionsOffset;
    this.#parts.store.put(TAKEN, Buffer.from(String(definitionsOffset)));
  }

  /** Rules of the workspace that this partition has not met. */
  meet(workspace: string, time: number, out: Emitter): void {
    const { rulesOf, next, partition, changed, readTo } = this.#parts;
    const rules = [...rulesOf(workspace).rulesByKey.values()].filter(hasPast);
    const inForce = new Map(rules.map(({ key, version }) => [key, version]));
    const offset = next(workspace) ?? 0;
    const gone = this.#book.rows(workspace).filter((row) => isGone(row, inForce.get(row.rule)));
    for (const row of gone) this.#book.forget(row);
    const met = rules.filter(
      ({ key, version }) => (this.#book.row(workspace, key, version)?.since ?? null) === null,
    );
    if (met.length > 0) {
      for (const { key: rule, version } of met) {
        const ahead = this.#book.row(workspace, rule, version) ?? newRow(workspace, rule, version);
        const fences = { ...ahead.fences, [String(partition)]: offset };
        this.#put({ ...ahead, fences, since: time, readTo: readTo(workspace), ready: offset === 0 });
      }
      const of = met.map(({ key: rule, version }) => ({ rule, version, offset }));
      this.#tellAll(workspace, { type: 'fences', partition, of }, out);
      for (const { key, version } of met) this.#lookIfReady(workspace, key, version);
    }
    if (met.length === 0 && gone.length === 0) return;
    this.#open.delete(workspace);
    changed(workspace);
  }

  onMessage(workspace: string, state: string, time: number, out: Emitter): void {
    const message = decodePast(state);
    switch (message.type) {
      case 'fences':
        this.#onFences(workspace, message, time, out);
        return;
      case 'over':
        for (const [rule, version] of Object.entries(message.rules)) {
          const row = this.#book.row(workspace, rule, version);
          if (row === undefined) continue;
          this.#put({ ...row, over: [...new Set([...row.over, message.partition])] });
          this.#lookIfReady(workspace, rule, version);
        }
        return;
      case 'stretch':
        this.#onStretch(workspace, message, out);
        return;
      case 'end':
        this.#onEnd(workspace, message, out);
        return;
      case 'for': {
        const { found, version, asOf, asOfFact } = message;
        this.#parts.take(workspace, { ...found, version, ...knownAs({ asOf, asOfFact }) }, out);
        return;
      }
      case 'apart': {
        const { told } = message;
        if (this.#apart.heeds(workspace, told)) this.#parts.takeApart(workspace, told.personId, told, out);
        return;
      }
      case 'apart_for':
        this.#parts.takeApart(workspace, message.personId, message.told, out);
        return;
    }
  }

  /** For a person of whichever partition. */
  sendOn(workspace: string, { version, asOf, asOfFact, ...found }: PastOfPerson, out: Emitter): void {
    const { personId } = found;
    const message = { type: 'for', version, ...knownAs({ asOf, asOfFact }), found } as const;
    const value = encodePast(this.#parts.codecs, workspace, personId, message);
    out.emit('triggerTransfers', `${workspace}:${personId}`, value);
  }

  /** What this partition's reader is to read: fences of all are known, so that none is behind the reading. */
  wanted(): readonly WantedPast[] {
    const { partition, rulesOf } = this.#parts;
    return [...this.#wantedOfRules(), ...this.#apart.wanted(partition, rulesOf)];
  }

  #wantedOfRules(): readonly WantedPast[] {
    const { partition, partitions, rulesOf } = this.#parts;
    return this.#book.workspaces.flatMap((workspace) => {
      const { rulesByKey } = rulesOf(workspace);
      const rules = this.#book.rows(workspace).flatMap((row) => {
        const fence = row.fences[String(partition)] ?? 0;
        const rule = rulesByKey.get(row.rule);
        const isWanted = row.since !== null && fence > 0 && !row.over.includes(partition);
        if (!isWanted || rule?.version !== row.version || !this.#knowsAllFences(row)) return [];
        const asked = {
          key: row.rule,
          version: row.version,
          fence,
          after: row.after,
          conditions: rule.events,
        };
        return [{ rule, row, asked }];
      });
      const counted = rules.filter(({ rule }) => !isPlacing(rule)).map(({ asked }) => asked);
      const placing = rules.flatMap(({ rule, row, asked }) => {
        if (!isPlacing(rule)) return [];
        const { journeyId } = rule;
        return [{ workspace, partition, placing: { journeyId, ...metBy(row, partitions) }, rules: [asked] }];
      });
      return [...(counted.length === 0 ? [] : [{ workspace, partition, rules: counted }]), ...placing];
    });
  }

  /** Looks at a few of those who have not been looked at since a past is in. */
  step(out: Emitter): void {
    const { store, refresh, takeUnits } = this.#parts;
    // In turn, by what is stored: a workspace that edits on and on begins anew each time, and a replay goes as it went.
    const names = [...this.#sweeps.keys()].sort();
    const last = store.get(SWEPT)?.toString() ?? '';
    const workspace = names.find((name) => name > last) ?? names[0];
    const from = workspace === undefined ? undefined : this.#sweeps.get(workspace);
    if (workspace === undefined || from === undefined) return;
    store.put(SWEPT, Buffer.from(workspace));
    const people = store.scan(from, `p:${workspace};`, refreshedABatchMax);
    takeUnits();
    let [looked, units] = [0, 0];
    while (looked < people.length && units < refreshedUnitsABatchMax) {
      refresh((people[looked]?.[0] ?? '').slice(2), out);
      units += takeUnits();
      looked += 1;
    }
    const isAll = looked === people.length && people.length < refreshedABatchMax;
    const end = isAll ? undefined : people[looked - 1]?.[0];
    if (end === undefined) {
      this.#sweeps.delete(workspace);
      store.delete(sweepKey(workspace));
    } else this.#sweep(workspace, `${end}\0`);
  }

  #sweep(workspace: string, from: string): void {
    this.#sweeps.set(workspace, from);
    this.#parts.store.put(sweepKey(workspace), Buffer.from(from));
  }

  #onFences(
    workspace: string,
    { partition, of }: Extract<PastMessage, { readonly type: 'fences' }>,
    time: number,
    out: Emitter,
  ): void {
    for (const { rule, version, offset } of of) {
      const row = this.#book.row(workspace, rule, version) ?? newRow(workspace, rule, version);
      const over = offset === 0 ? [...row.over, partition] : row.over;
      this.#put({ ...row, fences: { ...row.fences, [String(partition)]: offset }, over });
      this.#lookIfReady(workspace, rule, version);
    }
    this.meet(workspace, time, out);
  }

  #onStretch(
    workspace: string,
    told: Extract<PastMessage, { readonly type: 'stretch' }>,
    out: Emitter,
  ): void {
    const { to, people, of, found, asOf, asOfFact } = told;
    const known = { asOf, asOfFact };
    const rows = this.#rowsAt(workspace, told).filter(({ after }) => after < to);
    const byRule = new Map(rows.map((row) => [row.rule, row]));
    for (const marks of found) {
      const row = byRule.get(marks.rule);
      if (row === undefined || placeOf(marks) <= row.after) continue;
      const past = { ...marks, version: row.version, ...knownAs(known) };
      const owner = partitionOf(`${workspace}:${marks.personId}`, this.#parts.partitions);
      if (owner === this.#parts.partition) this.#parts.take(workspace, past, out);
      else this.sendOn(workspace, past, out);
    }
    for (const row of rows) this.#put({ ...row, after: to, people: row.people + people, of });
  }

  #onEnd(workspace: string, told: Extract<PastMessage, { readonly type: 'end' }>, out: Emitter): void {
    const { partition } = this.#parts;
    const rows = this.#rowsAt(workspace, told);
    if (rows.length === 0) return;
    for (const row of rows) this.#put({ ...row, over: [...row.over, partition] });
    const ended = Object.fromEntries(rows.map(({ rule, version }) => [rule, version]));
    this.#tellAll(workspace, { type: 'over', partition, rules: ended }, out);
    for (const { rule, version } of rows) this.#lookIfReady(workspace, rule, version);
  }

  /** Rows that the reader goes on with: it left nothing out, and the partition's past is not over. */
  #rowsAt(workspace: string, told: Extract<PastMessage, { readonly from: string }>): readonly PastRow[] {
    const { partition } = this.#parts;
    return Object.entries(told.rules).flatMap(([rule, version]) => {
      const row = this.#book.row(workspace, rule, version);
      const isNext = row !== undefined && told.from <= row.after && !row.over.includes(partition);
      return isNext && isAsRead(row, told, partition) ? [row] : [];
    });
  }

  #lookIfReady(workspace: string, rule: string, version: number): void {
    const row = this.#book.row(workspace, rule, version);
    if (row === undefined || row.since === null || row.ready || !this.#knowsAllFences(row)) return;
    const isIn = (partition: string) => row.fences[partition] === 0 || row.over.includes(Number(partition));
    if (!Object.keys(row.fences).every(isIn)) return;
    this.#put({ ...row, ready: true });
    this.#open.delete(workspace);
    this.#parts.changed(workspace);
    this.#sweep(workspace, `p:${workspace}:`);
  }

  #knowsAllFences({ fences }: PastRow): boolean {
    return Object.keys(fences).length === this.#parts.partitions;
  }

  #tellAll(workspace: string, message: PastMessage, out: Emitter): void {
    const value = encodePast(this.#parts.codecs, workspace, '', message);
    for (let to = 0; to < this.#parts.partitions; to += 1) {
      if (to !== this.#parts.partition) out.emitTo('triggerTransfers', to, `${workspace}:`, value);
    }
  }

  #put(row: PastRow): void {
    this.#book.put(row);
  }
}

function knownAs({ asOf, asOfFact }: { readonly asOf: number; readonly asOfFact?: number | undefined }) {
  return asOfFact === undefined ? { asOf } : { asOf, asOfFact };
}
function newRow(workspace: string, rule: string, version: number): PastRow {
  const nothing = { fences: {}, over: [], after: '', people: 0, of: 0 };
  return { workspace, rule, version, ...nothing, since: null, ready: false };
}
function sweepKey(workspace: string): string {
  return `${SWEEP}${workspace}`;
}
