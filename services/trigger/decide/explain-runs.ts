/**
 * What a person has of a journey whose key makes a run of each of its values: what `explain` and a rehearsal say of the runs,
 * so that nobody takes the run without a value for all of them. Pure.
 */
import { eventText } from '../../rules/says.ts';
import { heldOutSince } from './admission.ts';
import { firings } from './armed-stall.ts';
import { touchedAt, type JourneyState, type Run } from './runs.ts';
import type { JourneyRule } from './workspace-rules.ts';

/** Told in an answer, of up to journeyKeysMax. */
export const runsToldMax = 20;
/** Told in its sentence. */
const runsSaidMax = 3;

export interface ArmedTold {
  /** Message id of the newest event that began it. */
  readonly event: string | null;
  /** ISO 8601 */
  readonly fires_at: string;
}
export interface ExplainedRun {
  /** A value of the journey's key. */
  readonly key: string;
  readonly entries: number;
  /** ISO 8601, likewise below. */
  readonly last_entered_at: string | null;
  readonly held_out_at: string | null;
  /** It waits for something not to come. */
  readonly stall?: ArmedTold;
  /** What is to be said of it first. */
  readonly says: string;
}

/** The stall of a run that is under way; undefined: none is. */
export function armedOf({ stall, triggerKey }: JourneyRule, run: Run | undefined): ArmedTold | undefined {
  const armed = run?.stall;
  if (stall === undefined || armed?.trigger !== triggerKey) return undefined;
  const [next] = firings(stall, armed);
  return next === undefined ? undefined : { event: next.begun[0] ?? null, fires_at: timeOf(next.at) };
}

/** Those with a value, what something happened to last first. */
export function keyedRuns(
  rule: JourneyRule,
  state: JourneyState | undefined,
): { readonly told: readonly ExplainedRun[]; readonly inAll: number } {
  const runs = Object.entries(state?.keys ?? {}).sort(
    ([a, one], [b, other]) => touchedAt(other) - touchedAt(one) || (a < b ? -1 : 1),
  );
  return { told: runs.slice(0, runsToldMax).map(([key, run]) => told(rule, key, run)), inAll: runs.length };
}

/** What the answer is about, of a journey with a key. @param isKnown something is kept of the run that is asked for. */
export function runsSay(
  keyName: string,
  asked: string | null,
  { isKnown, told: runs, inAll }: ReturnType<typeof keyedRuns> & { readonly isKnown: boolean },
): string {
  if (asked !== null && isKnown) return '';
  const known = runs.slice(0, runsSaidMax).map(({ key, says }) => `${key} ${says}`);
  const more = inAll > known.length ? `, and ${String(inAll - known.length)} more` : '';
  const all = inAll === 0 ? `no ${keyName} of this person is known` : `known are: ${known.join('; ')}${more}`;
  if (asked !== null) return `nothing is known of the ${keyName} ${asked}; ${all}; `;
  const ask = inAll === 0 ? '' : ' (key= asks for one of them)';
  return `each ${keyName} has a run of its own, and this is about a trigger without one; ${all}${ask}; `;
}

function told(rule: JourneyRule, key: string, run: Run): ExplainedRun {
  const { entries, lastEnteredAt, heldOutAt } = run;
  const stall = armedOf(rule, run);
  return {
    key,
    entries,
    last_entered_at: lastEnteredAt === null ? null : timeOf(lastEnteredAt),
    held_out_at: heldOutAt === null ? null : timeOf(heldOutAt),
    ...(stall === undefined ? {} : { stall }),
    says: says(rule, run, stall),
  };
}

function says({ stall }: JourneyRule, run: Run, armed: ArmedTold | undefined): string {
  if (armed !== undefined && stall !== undefined)
    return `waits, and fires at ${armed.fires_at} if no ${eventText(stall.without)} comes`;
  if (run.lastEnteredAt !== null) return `entered at ${timeOf(run.lastEnteredAt)}`;
  const heldOut = heldOutSince(run);
  return heldOut === null ? 'has not entered, and waits for nothing' : `held out since ${timeOf(heldOut)}`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
