/**
 * What a journey's triggers of before it was there led to, placed by the time of each: entries and skips as if it had been
 * live, and stalls that have begun and are not up. What the person has entered since counts: an entry of before that the
 * frequency does not allow beside it is skipped and says so. Pure.
 */
import type { SkipReason } from '../../../schemas/skip-reasons.ts';
import { mayEnter } from '../../rules/frequency.ts';
import type { PastOfPerson } from '../past-messages.ts';
import { entriesPerPeriodMax } from '../../rules/limits.ts';
import type { JsonObject } from '../../rules/paths.ts';
import type { Effect } from './effects.ts';
import { lookAt } from './look-at.ts';
import { caughtUp } from './pass-time.ts';
import { JourneyStates } from './journey-states.ts';
import type { Outcome } from './replay.ts';
import { isOfBeforeSplit } from './take-apart.ts';
import {
  answersTo,
  hasRoom,
  joinJourneys,
  newRun,
  passesOf,
  runOf,
  runsOf,
  withRun,
  type JourneyState,
  type Run,
} from './runs.ts';
import { skipStallsBeyond } from './stalls-beyond.ts';
import type { Person } from './state.ts';
import type { Decision, Subject } from './subject.ts';
import type { JourneyRule, PlacingRule } from './workspace-rules.ts';

/** undefined: the journey is another by now, or does not run. */
export function decideTriggers(asked: Subject, person: Person, past: PastOfPerson): Decision | undefined {
  const { rule: key, version, triggers, asOf } = past;
  const placing = asked.rules.rulesByKey.get(key) as PlacingRule | undefined; // its key is that of no other kind
  const rule = placing?.version === version ? asked.rules.journeys.get(placing.journeyId) : undefined;
  if (rule?.journey.state !== 'running' || triggers === undefined) return undefined;
  const { subject, effects, patternSteps } = caughtUp({ ...asked, person });
  const before = subject.person ?? person;
  if (isOfBeforeSplit(before, past) || triggers.isLeftOut === true) {
    const cause = { at: asOf, messageId: null, anonymousId: null };
    const leftOut = { type: 'left_out', what: 'rules', names: [key], ...cause } as const;
    return { person: before, effects: [...effects, leftOut], patternSteps };
  }
  const { byId } = before.journeys;
  const placed = place(rule, before.journeys.stateOf(rule.id), triggers.outcomes);
  const state = triggers.state === undefined ? placed.state : withStalls(rule, placed.state, triggers.state);
  const journeys = state === undefined ? before.journeys : JourneyStates.of({ ...byId, [rule.id]: state });
  const next = due(subject, { ...before, journeys }, { rule, theirs: triggers.state });
  return {
    person: next.person,
    effects: [...effects, ...placed.effects, ...next.effects],
    patternSteps,
  };
}

function place(
  rule: JourneyRule,
  own: JourneyState | undefined,
  outcomes: readonly Outcome[],
): { readonly state: JourneyState | undefined; readonly effects: readonly Effect[] } {
  let state = own;
  const effects: Effect[] = [];
  // Of all else the fence says whose it is; a segment turns by time, and by hand, on either side of it.
  const mayBeKnown = rule.journey.trigger.type === 'segment';
  for (const outcome of outcomes) {
    const { key, at } = outcome;
    const isEntry = outcome.type === 'journey_entered';
    const isHeldOut = !isEntry && (outcome.reason === 'held_out' || outcome.reason === 'global_holdout');
    if (!isEntry && !isHeldOut) {
      effects.push(outcome);
      continue;
    }
    const run = runOf(state, key) ?? newRun;
    const passes = passesOf(runOf(state, key));
    if (mayBeKnown && passesOf(runOf(own, key)).includes(at)) continue; // it was decided as it came
    const refused = neighbour(rule, passes, at);
    if (refused !== undefined) {
      const detail = { mode: rule.journey.frequency.mode, last_at: new Date(refused).toISOString() };
      effects.push(skipped(rule, outcome, { reason: 'frequency', detail }));
      continue;
    }
    if (!hasRoom(state, key, at)) {
      effects.push(skipped(rule, outcome, { reason: 'key_limit', detail: null }));
      continue;
    }
    const placed = isEntry && isAssigned(rule, run) ? skipped(rule, outcome, HELD_OUT) : outcome;
    effects.push(placed);
    state = withRun(state, key, passed(rule, run, passes, placed), at);
  }
  return { state, effects };
}

/** The entry beside which the frequency does not allow one at this time. */
function neighbour(
  { journey: { frequency } }: JourneyRule,
  passes: readonly number[],
  at: number,
): number | undefined {
  const earlier = passes.filter((one) => one <= at);
  const later = passes.filter((one) => one > at);
  const [last = null] = earlier;
  if (!mayEnter(frequency, last, at, earlier)) return last ?? undefined;
  return later.find(
    (one) => !mayEnter(frequency, at, one, [at, ...earlier, ...later.filter((other) => other < one)]),
  );
}

function passed(rule: JourneyRule, run: Run, passes: readonly number[], outcome: Outcome): Run {
  const passedAt = [...passes, outcome.at].sort((a, b) => b - a).slice(0, passesKept(rule.journey));
  if (outcome.type === 'journey_entered') {
    const lastEnteredAt = Math.max(outcome.at, run.lastEnteredAt ?? -Infinity);
    return { ...run, passedAt, entries: run.entries + 1, lastEnteredAt };
  }
  const heldOutAt = Math.min(outcome.at, run.heldOutAt ?? Infinity);
  return outcome.reason === 'held_out' ? { ...run, passedAt, heldOutAt } : { ...run, passedAt };
}

const HELD_OUT = { reason: 'held_out', detail: null } as const;

/** Held out, as whoever they were when they were: the two groups would mix (admission.ts). */
function isAssigned({ journey: { holdout } }: JourneyRule, { entries, heldOutAt }: Run): boolean {
  return holdout > 0 && entries === 0 && heldOutAt !== null;
}

function skipped(
  rule: JourneyRule,
  { key, at, triggerMessageId }: Pick<Outcome, 'key' | 'at' | 'triggerMessageId'>,
  why: { readonly reason: SkipReason; readonly detail: JsonObject | null },
): Outcome {
  const whose = { type: 'journey_skipped', journeyId: rule.id, key, at, triggerMessageId } as const;
  return { ...whose, ruleVersion: rule.definitionVersion, ...why };
}

/** More than the next trigger goes by: what another has passed who is the same person today may be told yet. */
function passesKept({ frequency }: JourneyRule['journey']): number {
  const isAnyApart = frequency.mode === 'every_rematch' && frequency.gapMs === 0;
  return isAnyApart || frequency.mode === 'once' ? 1 : entriesPerPeriodMax;
}

/** Who passed has been told entry by entry; what has begun goes on. */
function withStalls(
  rule: JourneyRule,
  own: JourneyState | undefined,
  theirs: JourneyState,
): JourneyState | undefined {
  const { stall, triggerKey } = rule;
  if (stall === undefined) return own;
  const begun = runsOf(theirs).flatMap(([key, run]) =>
    run.stall?.trigger === triggerKey ? [[key, { ...newRun, stall: run.stall }] as const] : [],
  );
  const keys = Object.fromEntries(begun.flatMap(([key, run]) => (key === null ? [] : [[key, run]])));
  const unkeyed = begun.find(([key]) => key === null)?.[1] ?? newRun;
  const answers = answersTo(theirs, triggerKey);
  return joinJourneys(own ?? newRun, { ...unkeyed, keys, answers }, rule);
}

/** When the person has to be looked at next is another now. */
function due(
  subject: Subject,
  person: Person,
  { rule, theirs }: { readonly rule: JourneyRule; readonly theirs: JourneyState | undefined },
): Pick<Decision, 'person' | 'effects'> {
  const look = lookAt(subject, person);
  if (theirs !== undefined) {
    skipStallsBeyond(look.journeys, rule, person.journeys.stateOf(rule.id), theirs);
  }
  look.journeys.joinedStalls();
  return { person: { ...look.finish(person), stamp: person.stamp }, effects: look.effects };
}
