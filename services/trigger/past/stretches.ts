/**
 * What partitions are told of the past of their rules: each person's events counted by the same code that counts what comes,
 * in stretches that a record may hold. Partitions that want the same are read at once, since what they are in has no order
 * by partition, and is gone through whole for however few.
 */
import { matchersOf, type CountedCondition } from '../../rules/condition.ts';
import { marksOf, remember } from '../../rules/memory.ts';
import type { Marks } from '../../rules/windows.ts';
import { placeOf, type PastMarks, type PastMessage } from '../past-messages.ts';
import { fenceOf, type WantedPast } from '../wanted-past.ts';
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
  for await (const person of eachPerson(read.events)) {
    const stretch = byPartition.get(person[0]?.partition ?? -1);
    if (stretch !== undefined) yield* stretch.take(person);
  }
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

  constructor(wanted: WantedPast, { people, asOf, asOfFact }: PastRead) {
    this.#wanted = wanted;
    this.#versions = Object.fromEntries(wanted.rules.map(({ key, version }) => [key, version]));
    this.#after = afterOf(wanted);
    this.#known = { of: people.get(wanted.partition) ?? 0, asOf, asOfFact };
    this.#from = this.#last = this.#after;
  }

  *take(person: readonly PastEvent[]): Generator<Told> {
    const end = endOf(person);
    if (end <= this.#after) return; // told before
    for (const marks of marksOfPerson(this.#wanted, person)) {
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
    yield { partition, message: { type: 'end', rules: this.#versions, from: this.#from } };
  }

  #cut(to: string): Told {
    const { partition } = this.#wanted;
    const stretch = { from: this.#from, to, people: this.#people, found: this.#found, ...this.#known };
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

/** Events of one written person on one partition together. */
async function* eachPerson(events: AsyncIterable<PastEvent>): AsyncGenerator<readonly PastEvent[]> {
  let person: PastEvent[] = [];
  for await (const event of events) {
    const [first] = person;
    if (first !== undefined && (first.writtenId !== event.writtenId || first.partition !== event.partition)) {
      yield person;
      person = [];
    }
    person.push(event);
  }
  if (person.length > 0) yield person;
}

function marksOfPerson({ rules }: WantedPast, events: readonly PastEvent[]): readonly PastMarks[] {
  const found = rules.flatMap(({ key, fence, conditions }) => {
    const past = events.filter(({ offset }) => offset < fence);
    return conditions.flatMap((condition) => marksAt(key, condition, past));
  });
  return found.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** By whose the events are. */
function marksAt(rule: string, condition: CountedCondition, events: readonly PastEvent[]): PastMarks[] {
  const byPerson = new Map<string, PastMarks>();
  for (const { writtenId, personId, event } of events) {
    const marks = counted(condition, byPerson.get(personId)?.marks ?? [], event);
    if (marks.length === 0) continue;
    byPerson.set(personId, { writtenId, personId, rule, pointer: condition.pointer, marks });
  }
  return [...byPerson.values()];
}

/** The marks of somebody who has done this, too. */
export function counted(condition: CountedCondition, before: Marks, event: PastEvent['event']): Marks {
  return marksOf(condition, event).reduce<Marks>((marks, mark) => remember(condition, marks, mark), before);
}

function endOf(person: readonly PastEvent[]): string {
  return `${person[0]?.writtenId ?? ''}\0\uffff`;
}
