/**
 * What a partition is told of somebody who was taken apart: all that is theirs today, counted by the same code that counts
 * what comes, for every rule.
 */
import type { Marks } from '../../rules/windows.ts';
import type { PastMessage, ToldApart } from '../past-messages.ts';
import type { WantedPast } from '../wanted-past.ts';
import type { PastSource } from './source.ts';
import { counted, namesOf, stretchCharsMax } from './stretches.ts';

/** @param factsTo as of PastQuestion. Yields nothing while the split is not known there. */
export async function* apartMessages(
  { workspace, apart, rules }: WantedPast,
  source: PastSource,
  factsTo: number,
): AsyncGenerator<PastMessage> {
  if (apart === undefined) return;
  const { personId, clearedBy } = apart;
  const nothing = { asOf: 0, asOfFact: clearedBy, events: noEvents() };
  const read =
    rules.length === 0
      ? nothing
      : await source.person({ workspace, personId, names: namesOf(rules), factsTo });
  const { asOf, asOfFact, events } = read;
  if (asOfFact < clearedBy) return;
  const conditions = rules.flatMap(({ key, conditions: own }) =>
    own.map((condition) => ({ rule: key, condition, marks: [] as Marks })),
  );
  for await (const event of events) {
    for (const one of conditions) one.marks = counted(one.condition, one.marks, event);
  }
  const versions = Object.fromEntries(rules.map(({ key, version }) => [key, version]));
  const tell = (found: ToldApart['found'], isLast: boolean): PastMessage => ({
    type: 'apart',
    told: { personId, clearedBy, asOf, asOfFact, rules: versions, found, isLast },
  });
  let found: ToldApart['found'][number][] = [];
  let chars = 0;
  for (const { rule, condition, marks } of conditions) {
    if (marks.length === 0) continue;
    const one = { rule, pointer: condition.pointer, marks };
    const size = JSON.stringify(one).length;
    if (chars + size > stretchCharsMax && chars > 0) {
      yield tell(found, false);
      [found, chars] = [[], 0];
    }
    found.push(one);
    chars += size;
  }
  yield tell(found, true);
}

async function* noEvents(): AsyncGenerator<never> {
  // nobody asks for any
}
