/**
 * When a person signed up, `created_at` in `people`: the last time that was said, as `created_at` or as `createdAt`. What
 * says no time (a word, an object, a zero, a year that no clock has) is an attribute as it was sent, and takes nothing
 * back: the time said before it is kept beside it. Removing the attribute takes it back. Pure.
 */
import { ExactNumber } from '../../runtime/exact-json.ts';
import { createdTimes } from '../../runtime/times.ts';
import type { JsonObject } from '../../rules/paths.ts';
import { compareStamps, type SaidTime, type Written } from './written.ts';

const NAMES = ['created_at', 'createdAt'] as const;
type CreatedName = (typeof NAMES)[number];

type Attributes = Readonly<Record<string, Written>>;

/** ms; null: nobody has said so, or it was taken back. */
export function createdAtOf(attributes: Attributes): number | null {
  let last: SaidTime | undefined;
  for (const name of NAMES) {
    const found = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    const said = found === undefined ? undefined : saidBy(name, found);
    if (said?.ms === undefined || said.ms === null) continue;
    if (last === undefined || compareStamps(said.by, last.by) > 0) last = said;
  }
  return last?.ms ?? null;
}

/** A late call may change it and no attribute: what it says lies behind a later value that says no time. */
export function isOtherCreatedAt(before: Attributes, after: Attributes, sent: JsonObject): boolean {
  return NAMES.some((name) => Object.hasOwn(sent, name)) && createdAtOf(before) !== createdAtOf(after);
}

/**
 * Of two writes of an attribute the later, with the time that it does not say itself; in whichever order they come.
 * @returns `later` itself where nothing is to be kept beside it.
 */
export function withSaidTime(name: string, later: Written, earlier: Written): Written {
  if (!isCreatedName(name)) return later;
  const said = saidBy(name, later);
  if (said !== undefined && said !== later.said) return later; // says it itself
  const before = saidBy(name, earlier);
  if (before === undefined || (said !== undefined && compareStamps(said.by, before.by) >= 0)) return later;
  return { value: later.value, by: later.by, said: before };
}

/** What the one who is absorbed has said fills what the survivor has not. */
export function filledFrom(name: string, ours: Written, theirs: Written): Written {
  if (!isCreatedName(name) || typeof saidBy(name, ours)?.ms === 'number') return ours;
  const said = saidBy(name, theirs);
  return typeof said?.ms === 'number' ? { value: ours.value, by: ours.by, said } : ours;
}

function isCreatedName(name: string): name is CreatedName {
  return name === 'created_at' || name === 'createdAt';
}

/** The time that a write says, else the one that is kept beside it. */
function saidBy(name: CreatedName, { value, by, said }: Written): SaidTime | undefined {
  if (value === null) return { ms: null, by };
  const read = createdTimes[name](value instanceof ExactNumber ? value.nearest : value);
  const isTime = read.type === 'time' && read.otherwise !== 'time_out_of_range';
  return isTime ? { ms: read.ms, by } : said;
}
