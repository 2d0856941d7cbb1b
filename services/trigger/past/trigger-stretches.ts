/**
 * What a partition is told of the past of a journey: the history of each person as it was written there, through the code
 * that decides, as if the journey had been live, in stretches that a record may hold.
 */
import { setImmediate as turn } from 'node:timers/promises';
import {
  replaySteps,
  type Outcome,
  type PersonHistory,
  type Replayed,
  type ReplayedRange,
} from '../decide/replay.ts';
import type { ReplayedRules } from '../decide/replayed-rules.ts';
import { triggerAgeMsMax } from '../decide/trigger-age.ts';
import { placeOf, type PastMarks, type PastMessage } from '../past-messages.ts';
import { readAs, type WantedPast } from '../wanted-past.ts';
import type { PastHistories, WrittenPerson } from './source.ts';
import { stretchCharsMax } from './stretches.ts';

/** Of the outcomes of one person in one of them. */
const partCharsMax = 50_000;
/** Behind every number of a part. */
const PART_DIGITS = 7;
/** Without a turn for what comes, whose process it is. */
const sliceMs = 5;

export async function* triggerStretches(
  wanted: WantedPast,
  source: PastHistories,
  { replayed, factsTo }: { readonly replayed: ReplayedRules; readonly factsTo: number },
): AsyncGenerator<PastMessage> {
  const { workspace, partition, placing, rules } = wanted;
  const [asked] = rules;
  if (placing === undefined || asked === undefined) return;
  const { key, version, fence, after } = asked;
  const { journeyId, readTo } = placing;
  const { by, names, triggerNames, answerNames, manual, before, live } = replayed;
  const living = new Living({ journeyId, before, live, from: -Infinity, to: Infinity, readTo });
  let [from, people, chars] = [after, 0, 0];
  let found: PastMarks[] = [];
  const read = source.histories({
    ...{ workspace, partition, fence, by, names, triggerNames, manual, factsTo },
    ...(answerNames !== undefined && { answers: { names: answerNames, since: readTo - triggerAgeMsMax } }),
    from: after.split('\0')[0] ?? '',
  });
  for await (const page of read) {
    const { of, asOf, asOfFact } = page;
    const cut = (to: string): PastMessage => {
      const told = { rules: { [key]: version }, from, to, people, of, asOf, asOfFact, found };
      [from, people, chars, found] = [to, 0, 0, []];
      return { type: 'stretch', ...told, ...readAs(wanted) };
    };
    for await (const marks of living.marks(page.people, key)) {
      if (placeOf(marks) <= after) continue; // told before
      found.push(marks);
      chars += JSON.stringify(marks).length;
      if (chars >= stretchCharsMax) yield cut(placeOf(marks));
    }
    people = page.people.length;
    yield cut(`${page.people.at(-1)?.writtenId ?? ''}\0\uffff`);
  }
  yield { type: 'end', rules: { [key]: version }, from, ...readAs(wanted) };
}

interface Lived {
  readonly history: PersonHistory;
  readonly replayed: Replayed;
}

/** Decides as a replay does, and what else the process has to do comes between. */
class Living {
  readonly #range: ReplayedRange;
  #sliceBegan = performance.now();

  constructor(range: ReplayedRange) {
    this.#range = range;
  }

  async *marks(people: readonly WrittenPerson[], rule: string): AsyncGenerator<PastMarks> {
    for (const person of people) {
      const lived: Lived[] = [];
      for (const history of person.histories) lived.push(await this.#of(history));
      yield* marksOf(person, rule, lived);
    }
  }

  async #of(history: PersonHistory): Promise<Lived> {
    const steps = replaySteps(history, this.#range);
    for (;;) {
      const { done, value } = steps.next();
      if (performance.now() - this.#sliceBegan > sliceMs) {
        await turn();
        this.#sliceBegan = performance.now();
      }
      if (done === true) return { history, replayed: value };
    }
  }
}

function marksOf(
  { writtenId, leftOut }: Pick<WrittenPerson, 'writtenId' | 'leftOut'>,
  rule: string,
  lived: readonly Lived[],
): readonly PastMarks[] {
  if (leftOut !== undefined) {
    const triggers = { outcomes: [], isLeftOut: true } as const;
    return [{ writtenId, personId: leftOut, rule, pointer: '', marks: [], triggers }];
  }
  const found = lived.flatMap(({ history, replayed: { outcomes, subject } }): PastMarks[] => {
    const state = Object.values(subject.person?.journeys.byId ?? {})[0]; // of the only journey that it was asked of
    const parts = partsOf(outcomes);
    return parts.flatMap((some, part): PastMarks[] => {
      const isLast = part === parts.length - 1;
      const triggers = { outcomes: some, ...(isLast && state !== undefined && { state }) };
      if (some.length === 0 && triggers.state === undefined) return [];
      const pointer = String(part).padStart(PART_DIGITS, '0');
      return [{ writtenId, personId: history.personId, rule, pointer, marks: [], triggers }];
    });
  });
  return found.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** One at least, since what has begun is told with the last. */
function partsOf(outcomes: readonly Outcome[]): readonly (readonly Outcome[])[] {
  const parts: Outcome[][] = [[]];
  let chars = 0;
  for (const outcome of outcomes) {
    const size = JSON.stringify(outcome).length;
    if (chars + size > partCharsMax && chars > 0) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)?.push(outcome);
    chars += size;
  }
  return parts;
}
