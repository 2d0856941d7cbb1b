/** A person's state as earlier versions have stored it: behind the same head JSON, the marks of rules as texts of their own. Pure. */
import type { Marks } from '../../rules/windows.ts';
import { rangesOfList } from './held-triggers.ts';
import { JourneyStates, type StatesById } from './journey-states.ts';
import { newPerson, type Person, type RuleState } from './state.ts';

/** Of versions that kept the triggers that wait in a list, and everything but the head as one JSON text. */
const FORMAT_OF_LISTS = 1;
const FORMAT_OF_JSON = 2;
/** A line of JSON for each rule, and behind all of them a text of marks for each. */
const FORMAT_OF_LINES = 3;
/** In front of the texts of the marks; JSON has none. */
const BETWEEN = '\n';

/** What is behind the head. */
export type Stored = Omit<Person, 'status' | 'stamp' | 'firstSeenAt' | 'changesAt' | 'timerAt'>;

/** As JSON said it. */
type Former = Omit<Stored, 'rules' | 'journeys' | 'clearedAt' | 'clearedBy' | 'apart'> & {
  readonly rules: Readonly<Record<string, RuleState>>;
  readonly journeys: StatesById;
  readonly clearedAt?: number;
};

/** `length`: characters of the marks' text. */
type RuleLine = readonly [
  key: string,
  version: number,
  length: number,
  since: number | null,
  changesAt: number | null,
  notBefore?: number,
];

const { evaluatedAt, identified, claims, held, absorbedBy } = newPerson;
const everybody: Omit<Former, 'rules'> = { evaluatedAt, identified, journeys: {}, claims, held, absorbedBy };

/** @param from where the head ends. */
export function readFormerState(stored: Buffer, from: number): Stored {
  const { rules, journeys, ...former } = formerOf(stored[0], stored.toString('utf8', from));
  return {
    ...former,
    rules: new Map(Object.entries(rules)),
    journeys: JourneyStates.of(journeys),
    clearedAt: former.clearedAt,
    clearedBy: undefined,
    apart: undefined,
  };
}

function formerOf(format: number | undefined, text: string): Former {
  if (format === FORMAT_OF_LINES) return ofLines(text);
  const parsed: unknown = JSON.parse(text);
  if (format === FORMAT_OF_JSON) return parsed as Former; // written by encodePerson as it was
  if (format !== FORMAT_OF_LISTS)
    throw new RangeError(`unknown format ${String(format)} of a person's state`);
  const { held, ...rest } = parsed as Omit<Former, 'held'> & {
    readonly held: Parameters<typeof rangesOfList>[0];
  }; // written by encodePerson as it was
  return { ...rest, held: rangesOfList(held) };
}

function ofLines(text: string): Former {
  const end = text.indexOf(BETWEEN);
  const [small, lines] = JSON.parse(text.slice(0, end)) as [Partial<Former>, readonly RuleLine[]]; // written by encodePerson as it was
  let from = end + BETWEEN.length;
  const rules = lines.map(([key, version, length, since, changesAt, notBefore]): [string, RuleState] => {
    const marks = JSON.parse(text.slice(from, from + length)) as Readonly<Record<string, Marks>>; // the same
    from += length;
    const line = { since: since ?? undefined, changesAt: changesAt ?? undefined, notBefore };
    return [key, { version, marks, ...line }];
  });
  return { ...everybody, ...small, rules: Object.fromEntries(rules) };
}
