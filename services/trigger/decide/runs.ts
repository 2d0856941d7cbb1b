/**
 * What a person has of one journey: of the run that has no key, and of each value of the journey's key by itself (spec D.1,
 * *Frequency*; contract, *Definitions*). Kept whatever becomes of the definition, so that `once` is once. Pure.
 */
import { createHash } from 'node:crypto';
import { ExactNumber } from '../../runtime/exact-json.ts';
import { distinctValueCharsMax, entriesPerPeriodMax } from '../../rules/limits.ts';
import type { Stall } from '../../rules/condition.ts';
import type { JourneyRule } from './rule-kinds.ts';
import {
  answered,
  answersOf,
  isWaiting,
  joinStalls,
  withAnswer,
  type Answer,
  type ArmedStall,
} from './armed-stall.ts';

export interface Run {
  readonly entries: number;
  /** ms */
  readonly lastEnteredAt: number | null;
  /** When the person was first left out for comparison, ms. */
  readonly heldOutAt: number | null;
  /** When the person entered or was held out, latest first; as many as the frequency goes by, and one at least. */
  readonly passedAt?: readonly number[];
  /** Of a journey that a stall triggers. */
  readonly stall?: ArmedStall;
}
export interface JourneyState extends Run {
  /** By the value of the journey's key; at most journeyKeysMax. */
  readonly keys?: Readonly<Record<string, Run>>;
  /** What may still answer a stall, latest first. */
  readonly answers?: readonly Answer[];
  /** The trigger that they answer: what answers one says nothing of another. Absent: nobody noted which. */
  readonly answersTo?: string;
}

/** Values of a journey's key that are kept of a person. */
export const journeyKeysMax = 100;
/** One that nothing happened to for so long makes room for another. */
export const journeyKeyMs = 30 * 86_400_000;

export const newRun: Run = { entries: 0, lastEnteredAt: null, heldOutAt: null };

export function runOf(state: JourneyState | undefined, key: string | null): Run | undefined {
  if (state === undefined || key === null) return state;
  return state.keys !== undefined && Object.hasOwn(state.keys, key) ? state.keys[key] : undefined;
}

/** Every run with its key. */
export function runsOf(state: JourneyState): (readonly [key: string | null, run: Run])[] {
  const { keys = {}, entries, lastEnteredAt, heldOutAt, passedAt, stall } = state;
  const own = { entries, lastEnteredAt, heldOutAt, ...(passedAt && { passedAt }), ...(stall && { stall }) };
  return [[null, own], ...Object.entries(keys)];
}

/** Whether another value of the key can be kept. */
export function hasRoom(state: JourneyState | undefined, key: string | null, now: number): boolean {
  if (key === null || runOf(state, key) !== undefined) return true;
  return Object.keys(state?.keys ?? {}).length < journeyKeysMax || forgettable(state, now) !== undefined;
}

/** There must be room for it. */
export function withRun(
  state: JourneyState | undefined,
  key: string | null,
  run: Run,
  now: number,
): JourneyState {
  const before: JourneyState = state ?? newRun;
  const { keys } = before;
  if (key === null) return { ...run, ...(keys && { keys }), ...answersIn(before) };
  const others = Object.entries(before.keys ?? {}).filter(([other]) => other !== key);
  const forgotten = others.length < journeyKeysMax ? undefined : forgettable(state, now);
  const kept = others.filter(([other]) => other !== forgotten);
  return { ...before, keys: Object.fromEntries([...kept, [key, run]]) };
}

/** The key that nothing has happened to for longest, if that is long enough and no stall of it is still to fire. */
function forgettable(state: JourneyState | undefined, now: number): string | undefined {
  const runs = Object.entries(state?.keys ?? {})
    .filter(([, { stall }]) => stall === undefined || !isWaiting(stall))
    .map(([key, run]) => ({ key, at: touchedAt(run) }));
  const oldest = runs.reduce((a, b) => (b.at < a.at ? b : a), { key: '', at: Infinity });
  return now - oldest.at >= journeyKeyMs ? oldest.key : undefined;
}

/** ms; when something last happened to it. */
export function touchedAt({ lastEnteredAt, heldOutAt, passedAt, stall }: Run): number {
  const armedAt = stall?.marks[0]?.[0] ?? stall?.forgottenUpTo;
  return Math.max(lastEnteredAt ?? 0, heldOutAt ?? 0, passedAt?.[0] ?? 0, armedAt ?? 0);
}

/** When the person passed a frequency, latest first. */
export function passesOf(run: Run | undefined): readonly number[] {
  if (run?.passedAt !== undefined) return run.passedAt;
  return run?.lastEnteredAt === null || run === undefined ? [] : [run.lastEnteredAt];
}

/** Which run a value means; null: none. A number and its digits are one cart, and so are equal numbers. */
export function runKeyOf(value: unknown): string | null {
  if (value instanceof ExactNumber) return shortened(value.plain);
  if (typeof value === 'string') return value === '' ? null : shortened(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function shortened(text: string): string {
  return text.length <= distinctValueCharsMax ? text : createHash('sha256').update(text).digest('base64url');
}

/** What may still answer a stall, and of which trigger. */
function answersIn({ answers, answersTo }: JourneyState): Pick<JourneyState, 'answers' | 'answersTo'> {
  return { ...(answers && { answers }), ...(answersTo === undefined ? {} : { answersTo }) };
}

/** What answers this trigger of the journey. */
export function answersTo(state: JourneyState | undefined, triggerKey: string): readonly Answer[] {
  return (state?.answersTo ?? triggerKey) === triggerKey ? (state?.answers ?? []) : [];
}

/** What happened to the person answers every stall of either. */
export function answerAll(stall: Stall, state: JourneyState): JourneyState {
  const { answers = [], keys } = state;
  const answer = (run: Run, key: string | null): Run =>
    run.stall === undefined ? run : { ...run, stall: answered(stall, run.stall, answersOf(answers, key)) };
  const runs = keys && Object.entries(keys).map(([key, run]) => [key, answer(run, key)] as const);
  return { ...answer(state, null), answers, ...(runs && { keys: Object.fromEntries(runs) }) };
}

/** Both histories count towards how often the survivor may enter. @param rule of the journey; undefined: it is no more. */
export function joinJourneys(
  ours: JourneyState | undefined,
  theirs: JourneyState,
  rule: Pick<JourneyRule, 'stall' | 'triggerKey'> | undefined,
): JourneyState {
  if (ours === undefined) return theirs;
  const keys = new Map(Object.entries(ours.keys ?? {}));
  const latestFirst = Object.entries(theirs.keys ?? {}).sort(([, a], [, b]) => touchedAt(b) - touchedAt(a));
  for (const [key, run] of latestFirst) {
    const own = keys.get(key);
    if (own !== undefined || keys.size < journeyKeysMax)
      keys.set(key, own === undefined ? run : joinRuns(own, run, rule?.triggerKey));
  }
  const joined = {
    ...joinRuns(ours, theirs, rule?.triggerKey),
    ...(keys.size === 0 ? {} : { keys: Object.fromEntries(keys) }),
  };
  if (rule?.stall === undefined) return joined;
  const { stall, triggerKey } = rule;
  const answers = answersTo(theirs, triggerKey).reduce(withAnswer, answersTo(ours, triggerKey));
  return answerAll(stall, { ...joined, answers, answersTo: triggerKey });
}

function joinRuns(a: Run, b: Run, triggerKey: string | undefined): Run {
  const passedAt = [...passesOf(a), ...passesOf(b)].sort((x, y) => y - x).slice(0, entriesPerPeriodMax);
  const stall = joinStalls(a.stall, b.stall, triggerKey);
  return {
    entries: a.entries + b.entries,
    lastEnteredAt: pick(Math.max, a.lastEnteredAt, b.lastEnteredAt),
    heldOutAt: pick(Math.min, a.heldOutAt, b.heldOutAt),
    ...(passedAt.length === 0 ? {} : { passedAt }),
    ...(stall === undefined ? {} : { stall }),
  };
}

function pick(choose: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : choose(a, b);
}
