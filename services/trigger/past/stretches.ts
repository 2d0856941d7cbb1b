/**
 * What a partition is told of the past of its rules: each person's events counted by the same code that counts what comes,
 * in stretches that a record may hold.
 */
import { matchersOf, type CountedCondition } from '../../rules/condition.ts';
import { marksOf, remember } from '../../rules/memory.ts';
import type { Marks } from '../../rules/windows.ts';
import { placeOf, type PastMarks, type PastMessage } from '../past-messages.ts';
import type { WantedPast } from '../wanted-past.ts';
import type { PastEvent, PastQuestion, PastSource } from './source.ts';

export const stretchCharsMax = 150_000;
export const stretchPeopleMax = 1_000;

/** @param factsTo as of PastQuestion. */
export async function* stretches(
  wanted: WantedPast,
  source: PastSource,
  factsTo: number,
): AsyncGenerator<PastMessage> {
  const { rules } = wanted;
  const versions = Object.fromEntries(rules.map(({ key, version }) => [key, version]));
  const after = rules.reduce(
    (least, rule) => (rule.after < least ? rule.after : least),
    rules[0]?.after ?? '',
  );
  const read = await source.read({ ...questionOf(wanted, after), factsTo });
  const { people: of, asOf, asOfFact, events } = read;
  let [from, people, chars] = [after, 0, 0];
  let found: PastMarks[] = [];
  const cut = (to: string): PastMessage => {
    const known = { asOf, asOfFact };
    const stretch = { type: 'stretch', rules: versions, from, to, people, of, ...known, found } as const;
    [from, people, chars, found] = [to, 0, 0, []];
    return stretch;
  };
  let last = after;
  for await (const person of eachPerson(events)) {
    for (const marks of marksOfPerson(wanted, person)) {
      if (placeOf(marks) <= after) continue;
      found.push(marks);
      chars += JSON.stringify(marks).length;
      if (chars >= stretchCharsMax) yield cut(placeOf(marks));
    }
    people += 1;
    last = endOf(person);
    if (people >= stretchPeopleMax) yield cut(last);
  }
  if (people > 0) yield cut(last);
  yield { type: 'end', rules: versions, from };
}

function questionOf(
  { workspace, partition, rules }: WantedPast,
  after: string,
): Omit<PastQuestion, 'factsTo'> {
  return {
    workspace,
    partition,
    fence: Math.max(...rules.map(({ fence }) => fence)),
    names: namesOf(rules),
    from: after.split('\0')[0] ?? '',
  };
}

/** Of the events that may count; null: any. */
export function namesOf(rules: WantedPast['rules']): readonly string[] | null {
  const matchers = rules.flatMap(({ conditions }) => conditions.flatMap((each) => matchersOf(each)));
  const named = matchers.flatMap(({ name }) => name ?? []);
  return matchers.some(({ name }) => name === null) ? null : [...new Set(named)];
}

/** Events of one written person together. */
async function* eachPerson(events: AsyncIterable<PastEvent>): AsyncGenerator<readonly PastEvent[]> {
  let person: PastEvent[] = [];
  for await (const event of events) {
    const [first] = person;
    if (first !== undefined && first.writtenId !== event.writtenId) {
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
