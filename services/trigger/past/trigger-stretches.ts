/**
 * What a partition is told of the past of a journey: the history of each person as it was written there, through the code
 * that decides, as if the journey had been live, in stretches that a record may hold.
 */
import { replaySteps, type Outcome, type PersonHistory, type Replayed } from '../decide/replay.ts';
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

export interface TriggersRead {
  readonly replayed: ReplayedRules;
  readonly factsTo: number;
  /** undefined: the person is too dear. */
  readonly run: (steps: Generator<undefined, Replayed>) => Promise<Replayed | undefined>;
}

export async function* triggerStretches(
  wanted: WantedPast,
  source: PastHistories,
  { replayed, factsTo, run }: TriggersRead,
): AsyncGenerator<PastMessage> {
  const { workspace, partition, placing, rules } = wanted;
  const [asked] = rules;
  if (placing === undefined || asked === undefined) return;
  const { key, version, fence, after } = asked;
  const { journeyId, fences, metAt, readTo } = placing;
  const { by, names, triggerNames, answerNames, manual, before, live } = replayed;
  const lived: Lives = (history, to) =>
    run(replaySteps(history, { journeyId, before, live, from: -Infinity, to, readTo }));
  let [from, people, chars] = [after, 0, 0];
  let found: PastMarks[] = [];
  const read = source.histories({
    ...{ workspace, partition, fence, by, names, triggerNames, manual, fences, metAt, factsTo },
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
    for await (const marks of livedBy(page.people, key, lived)) {
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

/** @param to ms; Infinity: it goes on. */
type Lives = (history: PersonHistory, to: number) => Promise<Replayed | undefined>;

async function* livedBy(
  people: readonly WrittenPerson[],
  rule: string,
  lived: Lives,
): AsyncGenerator<PastMarks> {
  for (const person of people) yield* await marksOf(person, rule, lived);
}

async function marksOf(
  { writtenId, histories, endsAt = Infinity, leftOut }: WrittenPerson,
  rule: string,
  lived: Lives,
): Promise<readonly PastMarks[]> {
  const shared = { writtenId, rule, marks: [] };
  const isLeftOut = { pointer: '', triggers: { outcomes: [], isLeftOut: true } } as const;
  if (leftOut !== undefined) return [{ ...shared, ...isLeftOut, personId: leftOut }];
  const found: PastMarks[] = [];
  for (const history of histories) {
    const { personId } = history;
    const replayed = await lived(history, endsAt);
    if (replayed === undefined) {
      found.push({ ...shared, ...isLeftOut, personId });
      continue;
    }
    const { outcomes, subject } = replayed;
    const state = Object.values(subject.person?.journeys.byId ?? {})[0]; // of the only journey that it was asked of
    const parts = partsOf(outcomes);
    for (const [part, some] of parts.entries()) {
      const isLast = part === parts.length - 1;
      const triggers = { outcomes: some, ...(isLast && state !== undefined && { state }) };
      if (some.length === 0 && triggers.state === undefined) continue;
      const pointer = String(part).padStart(PART_DIGITS, '0');
      found.push({ ...shared, personId, pointer, triggers });
    }
  }
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
