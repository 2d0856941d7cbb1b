/**
 * What partitions are told of the past of their rules: each person's events counted by the same code that counts what comes,
 * in stretches that a record may hold. Partitions that want the same are read at once, since what they are in has no order
 * by partition, and is gone through whole for however few.
 */
import { matchersOf, type CountedCondition } from '../../rules/condition.ts';
import { marksOf as eventMarks, remember } from '../../rules/memory.ts';
import type { Marks } from '../../rules/windows.ts';
import { placeOf, type PastMarks, type PastMessage } from '../past-messages.ts';
import { fenceOf, readAs, type WantedPast } from '../wanted-past.ts';
import type { PastEvent, PastRead, PastSource, SharedQuestion } from './source.ts';

export const stretchCharsMax = 150_000;
export const stretchPeopleMax = 1_000;

export interface Told {
  readonly partition: number;
  readonly message: PastMessage;
}

/** @param wanted the same rules of several partitions of a workspace. @param factsTo as of PastQuestion. */
export async function* stretches(
  wanted: readonly WantedPast[],
  source: PastSource,
  factsTo: number,
): AsyncGenerator<Told> {
  const [first] = wanted;
  if (first === undefined) return;
  const { workspace, rules } = first;
  const parts = wanted.map(partOf);
  const read = await source.read({ workspace, names: namesOf(rules), parts, factsTo });
  const byPartition = new Map(wanted.map((one) => [one.partition, new Stretch(one, read)]));
  let open: Stretch | undefined;
  for await (const event of read.events) {
    const stretch = byPartition.get(event.partition);
    if (open !== undefined && (open !== stretch || !open.isOf(event))) yield* open.person();
    open = stretch;
    stretch?.take(event);
  }
  if (open !== undefined) yield* open.person();
  for (const stretch of byPartition.values()) yield* stretch.end();
}

/** What the rules of a partition have been told of. */
function afterOf({ rules }: WantedPast): string {
  return rules.reduce((least, rule) => (rule.after < least ? rule.after : least), rules[0]?.after ?? '');
}

function partOf(wanted: WantedPast): SharedQuestion['parts'][number] {
  const from = afterOf(wanted).split('\0')[0] ?? '';
  return { partition: wanted.partition, fence: fenceOf(wanted), from };
}

/** What is next told to a partition. */
class Stretch {
  readonly #wanted: WantedPast;
  readonly #versions: Readonly<Record<string, number>>;
  readonly #after: string;
  readonly #known: { readonly of: number; readonly asOf: number; readonly asOfFact: number };
  #found: PastMarks[] = [];
  #from: string;
  #last: string;
  #people = 0;
  #chars = 0;
  readonly #counts: readonly Count[];
  /** Whose events come; undefined: nobody's have, or they are told already. */
  #writtenId: string | undefined;

  constructor(wanted: WantedPast, { people, asOf, asOfFact }: PastRead) {
    this.#wanted = wanted;
    this.#counts = countsOf(wanted);
    this.#versions = Object.fromEntries(wanted.rules.map(({ key, version }) => [key, version]));
    this.#after = afterOf(wanted);
    this.#known = { of: people.get(wanted.partition) ?? 0, asOf, asOfFact };
    this.#from = this.#last = this.#after;
  }

  /** Of the person of whom the last was. */
  isOf({ writtenId }: PastEvent): boolean {
    return writtenId === this.#writtenId;
  }

  /** Events are counted as they come: somebody may have more of them than there is memory. */
  take({ writtenId, personId, offset, event }: PastEvent): void {
    this.#writtenId = writtenId;
    for (const { fence, condition, byPerson } of this.#counts) {
      if (offset >= fence) continue;
      const before = byPerson.get(personId);
      const marks = counted(condition, before ?? [], event);
      if (marks.length > 0 && marks !== before) byPerson.set(personId, marks);
    }
  }

  /** All of the person has come. */
  *person(): Generator<Told> {
    const writtenId = this.#writtenId ?? '';
    const end = endOf(writtenId);
    const found = marksOf(writtenId, this.#counts);
    this.#writtenId = undefined;
    for (const { byPerson } of this.#counts) byPerson.clear();
    if (end <= this.#after) return; // told before
    for (const marks of found) {
      if (placeOf(marks) <= this.#after) continue;
      this.#found.push(marks);
      this.#chars += JSON.stringify(marks).length;
      if (this.#chars >= stretchCharsMax) yield this.#cut(placeOf(marks));
    }
    this.#people += 1;
    this.#last = end;
    if (this.#people >= stretchPeopleMax) yield this.#cut(end);
  }

  *end(): Generator<Told> {
    if (this.#people > 0) yield this.#cut(this.#last);
    const { partition } = this.#wanted;
    const as = readAs(this.#wanted);
    yield { partition, message: { type: 'end', rules: this.#versions, from: this.#from, ...as } };
  }

  #cut(to: string): Told {
    const { partition } = this.#wanted;
    const stretch = {
      from: this.#from,
      to,
      people: this.#people,
      found: this.#found,
      ...this.#known,
      ...readAs(this.#wanted),
    };
    [this.#from, this.#people, this.#chars, this.#found] = [to, 0, 0, []];
    return { partition, message: { type: 'stretch', rules: this.#versions, ...stretch } };
  }
}

/** Of the events that may count; null: any. */
export function namesOf(rules: WantedPast['rules']): readonly string[] | null {
  const matchers = rules.flatMap(({ conditions }) => conditions.flatMap((each) => matchersOf(each)));
  const named = matchers.flatMap(({ name }) => name ?? []);
  return matchers.some(({ name }) => name === null) ? null : [...new Set(named)];
}

/** What a condition counts of the person whose events come. */
interface Count {
  readonly rule: string;
  readonly fence: number;
  readonly condition: CountedCondition;
  /** By whose the events are. */
  readonly byPerson: Map<string, Marks>;
}

function countsOf({ rules }: WantedPast): readonly Count[] {
  return rules.flatMap(({ key: rule, fence, conditions }) =>
    conditions.map((condition) => ({ rule, fence, condition, byPerson: new Map<string, Marks>() })),
  );
}

function marksOf(writtenId: string, counts: readonly Count[]): readonly PastMarks[] {
  const found = counts.flatMap(({ rule, condition: { pointer }, byPerson }) =>
    [...byPerson].map(([personId, marks]): PastMarks => ({ writtenId, personId, rule, pointer, marks })),
  );
  return found.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** The marks of somebody who has done this, too. */
export function counted(condition: CountedCondition, before: Marks, event: PastEvent['event']): Marks {
  return eventMarks(condition, event).reduce<Marks>(
    (marks, mark) => remember(condition, marks, mark),
    before,
  );
}

function endOf(writtenId: string): string {
  return `${writtenId}\0\uffff`;
}
