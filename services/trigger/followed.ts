/**
 * Whose records are forwarded to a person, and how far those have come. A watermark says of a partition what has been read
 * there; what somebody does who was merged into a person is read in another partition and comes from there, by way of others
 * where several were merged one into the other. So a timer of the person that fell due by the watermark of their own partition
 * could run before the record that prevents it.
 *
 * Hence a timer of such a person asks first: each who was merged into them is asked, in their partition, whether everything
 * that was received before a moment has been forwarded; they ask those who were merged into them, and answer behind it on
 * the same topic. Nobody else waits, and nothing is sent while no timer is due.
 *
 * A person is one of: not here (nobody was merged into them lately), quiet (timers up to `to` may run), asking (a timer
 * is due beyond it, and those of `asked` have not answered).
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { WorkspaceCounts, type CountBounds } from '../runtime/workspace-counts.ts';

/** For how long after a merge lanes may still send to who was merged; an identify or a pause of ten minutes ends it. */
const followedMs = 86_400_000;
/** Of one person, the newest; those before them are not waited for. */
const followedMax = 16;
/** Questions that wait in a partition for it to have read so far. */
const questionsMax = 20_000;
/** Of one partition: people into whom somebody was merged lately; beyond it their timers do not ask. */
const usual: CountBounds = { max: 50_000, ofWorkspaceMax: 25_000, reservedMin: 1_000 };
const forgottenABatchMax = 1_000;
const LOAD_ROWS = 1_000;

interface Followed {
  /** Who was merged into the person, and when, ms; the newest last. */
  readonly from: readonly (readonly [personId: string, at: number])[];
  /** Everything of theirs that was received before has come, ms. */
  readonly to: number;
  /** Who has not answered yet whether all is there up to then, ms. */
  readonly asked?: { readonly to: number; readonly of: readonly string[] };
}

/** Somebody into whom the person was merged waits to hear that all was forwarded that was received before `to`, ms. */
export interface Question {
  readonly personKey: string;
  readonly by: string;
  readonly to: number;
  /** How many were asked on the way, this one included; 0 of an answer. */
  readonly hops: number;
}

export class FollowedBook {
  readonly #store: KeyedStore;
  readonly #rows = new Map<string, Followed>();
  readonly #questions = new Map<string, Question>();
  readonly #counts: WorkspaceCounts;
  #asking = 0;

  constructor(store: KeyedStore, bounds = usual) {
    this.#store = store;
    this.#counts = new WorkspaceCounts(bounds);
    for (const [key, value] of rowsOf(store, 'f:', 'f;')) this.#hold(key, value as Followed); // written by #put
    for (const [key, value] of rowsOf(store, 'fa:', 'fa;')) this.#questions.set(key, value as Question); // written by question
  }

  get people(): number {
    return this.#rows.size;
  }
  /** Of others, that wait. */
  get questions(): number {
    return this.#questions.size;
  }
  /** Somebody waits for an answer. */
  get unsettled(): number {
    return this.#asking + this.#questions.size;
  }

  /** Timers of the person up to then may run, ms; Infinity: whatever was read. */
  to(personKey: string): number {
    return this.#rows.get(personKey)?.to ?? Infinity;
  }

  /** Somebody was merged into the person. What they were asked before is asked anew, of this one, too. */
  follow(personKey: string, from: string, at: number): void {
    const before = this.#rows.get(personKey);
    if (before === undefined && !this.#counts.hasRoom(personKey)) return;
    const others = (before?.from ?? []).filter(([personId]) => personId !== from);
    const all = [...others, [from, at] as const].slice(-followedMax);
    this.#put(personKey, { from: all, to: Math.min(before?.to ?? Infinity, at - 1) });
  }

  /**
   * Whom to ask before a timer beyond `to` may run; undefined: nobody any more, it may.
   * @param to everything that was received before was read here, ms.
   */
  ask(personKey: string, to: number): readonly string[] | undefined {
    const row = this.#rows.get(personKey);
    if (row === undefined) return undefined;
    if (row.asked !== undefined) return [];
    const from = row.from.filter(([, at]) => at > to - followedMs);
    if (from.length === 0) {
      this.forget(personKey);
      return undefined;
    }
    const of = from.map(([personId]) => personId);
    this.#put(personKey, { from, to: row.to, asked: { to, of } });
    return of;
  }

  /** One of those who were asked has answered. True when it was the last. */
  answered(personKey: string, by: string, to: number): boolean {
    const row = this.#rows.get(personKey);
    if (row?.asked?.to !== to) return false; // asked anew since
    const of = row.asked.of.filter((personId) => personId !== by);
    this.#put(personKey, of.length === 0 ? { from: row.from, to } : { ...row, asked: { to, of } });
    return of.length === 0;
  }

  /** Where there is no more room nobody waits. */
  question(question: Question): boolean {
    if (this.#questions.size >= questionsMax) return false;
    const key = keyOf(question);
    this.#questions.set(key, question);
    this.#store.put(`fa:${key}`, Buffer.from(JSON.stringify(question)));
    return true;
  }

  /** Those that can be answered, in the same order after any restart. @param isForwarded all of the person's up to then was. */
  takeAnswerable(isForwarded: (question: Question) => boolean): readonly Question[] {
    const inOrder = [...this.#questions].sort(([a], [b]) => (a < b ? -1 : 1));
    const answerable = inOrder.filter(([, question]) => isForwarded(question));
    for (const [key] of answerable) {
      this.#questions.delete(key);
      this.#store.delete(`fa:${key}`);
    }
    return answerable.map(([, question]) => question);
  }

  forget(personKey: string): void {
    const row = this.#rows.get(personKey);
    if (row === undefined) return;
    this.#rows.delete(personKey);
    this.#counts.add(personKey, -1);
    if (row.asked !== undefined) this.#asking -= 1;
    this.#store.delete(`f:${personKey}`);
  }

  /**
   * Those into whom nobody was merged lately. Returns who still waits for an answer, which was lost then. Which they are
   * depends on what is stored and on nothing else, so a replay forgets the same.
   * @param time ms; all that was received before has been read.
   */
  forgetOld(time: number): readonly string[] {
    const old = [...this.#rows].filter(([, row]) => newestOf(row) <= time - followedMs);
    const some = old.map(([personKey]) => personKey).sort();
    const forgotten = some.slice(0, forgottenABatchMax);
    const asking = forgotten.filter((personKey) => this.#rows.get(personKey)?.asked !== undefined);
    for (const personKey of forgotten) this.forget(personKey);
    return asking;
  }

  #put(personKey: string, row: Followed): void {
    const before = this.#rows.get(personKey);
    if (before === undefined) this.#counts.add(personKey, 1);
    if (before?.asked !== undefined) this.#asking -= 1;
    if (row.asked !== undefined) this.#asking += 1;
    this.#rows.set(personKey, row);
    this.#store.put(`f:${personKey}`, Buffer.from(JSON.stringify(row)));
  }

  #hold(personKey: string, row: Followed): void {
    this.#rows.set(personKey, row);
    this.#counts.add(personKey, 1);
    if (row.asked !== undefined) this.#asking += 1;
  }
}

function newestOf({ from }: Followed): number {
  return from.at(-1)?.[1] ?? 0;
}

function keyOf({ personKey, by, to }: Question): string {
  return `${personKey}:${by}:${String(to)}`;
}

function* rowsOf(store: KeyedStore, prefix: string, end: string): Generator<readonly [string, unknown]> {
  for (let from = prefix; ;) {
    const found = store.scan(from, end, LOAD_ROWS);
    for (const [key, value] of found) yield [key.slice(prefix.length), JSON.parse(value.toString())];
    const last = found.at(-1);
    if (last === undefined || found.length < LOAD_ROWS) return;
    from = `${last[0]}\0`;
  }
}
