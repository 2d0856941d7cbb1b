/**
 * Why a person is in a segment, and what a journey would do with them: the state as decided, every condition with what it
 * rests on, from the conditions, marks and admission that decide. Nothing of it is kept. Pure.
 */
import { explain, type ExplainedCondition } from '../../rules/explain.ts';
import { nextChange } from '../../rules/next-change.ts';
import { admit } from './admission.ts';
import { armedOf, keyedRuns, runsSay, type ArmedTold, type ExplainedRun } from './explain-runs.ts';
import { journeySays } from './journey-says.ts';
import { Look } from './look.ts';
import { caughtUp } from './pass-time.ts';
import { attributeAt } from './profile.ts';
import { hasRoom, runKeyOf, runOf } from './runs.ts';
import { segmentSays } from './segment-says.ts';
import { newPerson, type Person } from './state.ts';
import type { Subject } from './subject.ts';
import type { JourneyRule, ManualRule, SegmentRule } from './workspace-rules.ts';

export interface ExplainedRule {
  readonly id: string;
  /** Of the definition. */
  readonly version: number;
}
export interface ExplainedSegment {
  readonly person_id: string;
  readonly rule: ExplainedRule;
  /** Whether the person is a member. */
  readonly result: boolean;
  /** Member since, ISO 8601. */
  readonly since?: string;
  /** When the membership changes if nothing more happens, ISO 8601. */
  readonly changes_at?: string;
  /** The same in a sentence. */
  readonly says: string;
  /** In the order in which they are written; none of a manual segment. */
  readonly conditions: readonly ExplainedCondition[];
}
export interface ExplainedJourney {
  readonly person_id: string;
  readonly rule: ExplainedRule;
  readonly state: 'draft' | 'running' | 'stopped';
  /** Which of the person's runs; null: the one without a key, as all are of a journey that has none. */
  readonly key: string | null;
  /** Of a key that is asked for: something is kept of it. */
  readonly key_known?: boolean;
  /** Of a journey with a key: runs of its values, newest first, and how many there are. */
  readonly keys?: readonly ExplainedRun[];
  readonly keys_in_all?: number;
  /** Whether a trigger at this moment would lead to an entry; not whether there is one. */
  readonly result: boolean;
  /** The same in a sentence, and what there is to say of its reason. */
  readonly says: string;
  /** Why not: a code of schemas/skip-reasons.ts, or `not_running`. */
  readonly reason?: string;
  readonly detail?: unknown;
  /** Of the filters. */
  readonly conditions: readonly ExplainedCondition[];
  readonly entries: number;
  readonly last_entered_at: string | null;
  readonly held_out_at: string | null;
  /** Of a journey that waits for something not to come: what it rests on, and when it fires. */
  readonly stall?: ArmedTold;
}

/** @param now ms; what is due by then has happened. */
export function explainSegment(
  subject: Subject,
  rule: SegmentRule | ManualRule,
  now: number,
): ExplainedSegment {
  const { look, person } = lookAt(subject, now);
  const entered = person.rules.get(rule.key)?.since;
  const since = entered === undefined ? undefined : timeOf(entered);
  const isOpen = subject.rules.open.has(rule.key);
  const shared = {
    person_id: subject.personId,
    rule: { id: rule.id, version: rule.definitionVersion },
    result: since !== undefined,
    ...(since === undefined ? {} : { since }),
  };
  if ('manual' in rule) {
    const says = segmentSays({ isManual: true, since, changesAt: undefined, isOpen });
    return { ...shared, says, conditions: [] };
  }
  const evidence = look.evidenceOf(rule);
  // Of the segment as a whole: it also waits for its past, and for the rest of a release.
  const change = nextChange({ type: 'segment', pointer: '', segmentId: rule.id }, evidence);
  const changesAt = Number.isFinite(change) ? timeOf(change) : undefined;
  return {
    ...shared,
    ...(changesAt === undefined ? {} : { changes_at: changesAt }),
    says: segmentSays({ isManual: false, since, changesAt, isOpen }),
    conditions: explain(rule.when, evidence).conditions,
  };
}

/**
 * @param now ms; what is due by then has happened. @param key of the run that is asked about.
 * @param asIfRunning as a rehearsal asks: what the journey would do, whatever its state.
 */
export function explainJourney(
  subject: Subject,
  rule: JourneyRule,
  {
    now,
    key: asked,
    asIfRunning = false,
  }: { readonly now: number; readonly key: string | null; readonly asIfRunning?: boolean },
): ExplainedJourney {
  const { look, person } = lookAt(subject, now);
  const { filters, state, key: keyName } = rule.journey;
  const key = keyName === null || asked === null ? null : runKeyOf(asked); // as a trigger with this value means it
  const runs = person.journeys.stateOf(rule.id);
  const run = runOf(runs, key);
  const admission = admit({
    rule,
    personId: subject.personId,
    key,
    run,
    hasRoom: hasRoom(runs, key, now),
    now: Math.max(now, person.evaluatedAt),
    globalHoldout: subject.rules.globalHoldout,
    unmet: () => look.unmetFilter(rule),
  });
  const isIdle = state !== 'running' && !asIfRunning;
  const stall = armedOf(rule, run);
  const keyed = keyedRuns(rule, runs);
  const isKnown = key === null || run !== undefined;
  const about =
    keyName !== null
      ? runsSay(keyName, key, { ...keyed, isKnown })
      : asked === null
        ? ''
        : 'the journey has no key, so the person has one run and this is about it; ';
  const refused = isIdle
    ? { reason: 'not_running' }
    : admission.type === 'entered'
      ? undefined
      : { reason: admission.reason, ...(admission.detail === null ? {} : { detail: admission.detail }) };
  return {
    person_id: subject.personId,
    rule: { id: rule.id, version: rule.definitionVersion },
    state,
    key,
    ...(key === null ? {} : { key_known: isKnown }),
    result: refused === undefined,
    ...refused,
    says: `${about}${journeySays({ rule, run, admission, isIdle, isArmed: stall !== undefined })}`,
    conditions: filters === null ? [] : explain(filters, look.evidenceOf(rule)).conditions,
    entries: run?.entries ?? 0,
    last_entered_at: timeOrNull(run?.lastEnteredAt),
    held_out_at: timeOrNull(run?.heldOutAt),
    ...(stall === undefined ? {} : { stall }),
    ...(keyName === null ? {} : { keys: keyed.told, keys_in_all: keyed.inAll }),
  };
}

/** As the next record would find the person: time and new definitions have had their effect. */
function lookAt(asked: Subject, now: number): { readonly look: Look; readonly person: Person } {
  const { subject } = caughtUp({ ...asked, readTo: Math.max(asked.readTo, now) });
  const { personId, rules, heldTriggers } = subject;
  const before = subject.person ?? { ...newPerson, stamp: rules.stamp };
  const { firstSeenAt } = before;
  const options = {
    personId,
    rules,
    now: Math.max(before.evaluatedAt, now),
    attribute: (path: string) => attributeAt(subject.profile(), personId, firstSeenAt, path),
    relationships: () => subject.profile().relationships ?? [],
    firstSeenAt,
    heldTriggers,
  };
  const look = new Look(before, options);
  if (before.stamp !== rules.stamp) look.catchUpWithDefinitions();
  return { look, person: look.finish(before) };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
function timeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : timeOf(ms);
}
