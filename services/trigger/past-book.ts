/**
 * How far the past of each rule has been taken in, of one partition, in the keyed store (`b:`).
 *
 * A rule is first met when the definitions that have it come into force here; where this partition's records of the
 * workspace go on then is its fence. What lies before it is past, and comes from ClickHouse; what lies behind is counted as
 * it comes. A record keeps its place on events.merged however often it is forwarded, so each partition tells the others its
 * fences: a record of a partition whose fence is not known here was read there before, and is past.
 *
 *   open    nothing of it may turn yet
 *   ready   the past of every partition is in, or there was none here when the rule was met
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { ReadAs } from './past-messages.ts';
import type { Placing } from './wanted-past.ts';

export interface PastRow {
  readonly workspace: string;
  readonly rule: string;
  readonly version: number;
  /** By partition: where its past ends. */
  readonly fences: Readonly<Record<string, number>>;
  /** Partitions whose past is told. */
  readonly over: readonly number[];
  /** Up to where this partition's own is told; see placeOf. */
  readonly after: string;
  readonly people: number;
  readonly of: number;
  /** When it was met, ms; null: the rule is not in force here yet. */
  readonly since: number | null;
  /** When it was met: time had been passed up to then, ms. Absent: it was met by an earlier version. */
  readonly readTo?: number;
  readonly ready: boolean;
}

/** `behind`: this version of the rule has not been met here yet; `none`: it has, and has no past. */
export type PastHere = PastRow | 'behind' | 'none';

const LOAD_ROWS = 1_000;
const PREFIX = 'b:';
const END = 'b;';

export class PastBook {
  readonly #store: KeyedStore;
  /** By workspace, then by rule and version. */
  readonly #rows = new Map<string, Map<string, PastRow>>();

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = PREFIX; ;) {
      const found = store.scan(from, END, LOAD_ROWS);
      for (const [, value] of found) this.#hold(JSON.parse(value.toString()) as PastRow); // written by put
      const last = found.at(-1);
      if (last === undefined || found.length < LOAD_ROWS) break;
      from = `${last[0]}\0`;
    }
  }

  get workspaces(): readonly string[] {
    return [...this.#rows.keys()];
  }

  rows(workspace: string): readonly PastRow[] {
    return [...(this.#rows.get(workspace)?.values() ?? [])];
  }

  row(workspace: string, rule: string, version: number): PastRow | undefined {
    return this.#rows.get(workspace)?.get(nameOf(rule, version));
  }

  put(row: PastRow): void {
    this.#hold(row);
    this.#store.put(keyOf(row), Buffer.from(JSON.stringify(row)));
  }

  forget({ workspace, rule, version }: PastRow): void {
    const rows = this.#rows.get(workspace);
    rows?.delete(nameOf(rule, version));
    if (rows?.size === 0) this.#rows.delete(workspace);
    this.#store.delete(keyOf({ workspace, rule, version }));
  }

  /** Whether a record is counted for the rule as it comes. A rule that is not in the book has no past. */
  counts(
    workspace: string,
    at: { readonly rule: string; readonly version: number },
    origin: Origin,
  ): boolean {
    const row = this.row(workspace, at.rule, at.version);
    if (row === undefined) return true;
    const fence = row.fences[String(origin.partition)];
    return fence !== undefined && origin.offset >= fence;
  }

  #hold(row: PastRow): void {
    const rows = this.#rows.get(row.workspace) ?? new Map<string, PastRow>();
    this.#rows.set(row.workspace, rows.set(nameOf(row.rule, row.version), row));
  }
}

/** Place on events.merged. */
export interface Origin {
  readonly partition: number;
  readonly offset: number;
}

/** Where and when the rule was met, by all partitions in their order. */
export function metBy(
  { fences, since, readTo = 0 }: PastRow,
  partitions: number,
): Omit<Placing, 'journeyId'> {
  const all = Array.from({ length: partitions }, (_, partition) => fences[String(partition)] ?? 0);
  return { fences: all, metAt: since ?? 0, readTo };
}

/** Deleted, or another rule by now; of one that is ahead of this partition a later one is there. */
export function isGone({ since, version }: PastRow, inForce: number | undefined): boolean {
  return since === null ? version < (inForce ?? 0) : version !== inForce;
}

/** Else it was read as a batch had it that was never committed, and is read again. */
export function isAsRead({ rule, fences, readTo }: PastRow, told: ReadAs, partition: number): boolean {
  const fence = told.fences?.[rule];
  if (fence !== undefined && fence !== fences[String(partition)]) return false;
  return told.readTo === undefined || told.readTo === (readTo ?? 0);
}

function nameOf(rule: string, version: number): string {
  return `${rule} ${String(version)}`;
}
function keyOf({ workspace, rule, version }: Pick<PastRow, 'workspace' | 'rule' | 'version'>): string {
  return `${PREFIX}${workspace}:${nameOf(rule, version)}`;
}
