/**
 * Why a person is in a segment, and what a journey would do with them: the state as decided, every condition with what it
 * rests on, from the conditions, marks and admission that decide. Nothing of it is kept. Pure.
 */
import { explain, type ExplainedCondition } from '../../rules/explain.ts';
import { nextChange } from '../../rules/next-change.ts';
import { admit } from './admission.ts';
import { firings } from './armed-stall.ts';
import { journeySays } from './journey-says.ts';
import { Look } from './look.ts';
import { caughtUp } from './pass-time.ts';
import { attributeAt } from './profile.ts';
import { hasRoom, runOf } from './runs.ts';
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
  /** In the order in which they are written; none of a manual segment. */
  readonly conditions: readonly ExplainedCondition[];
}
export interface ExplainedJourney {
  readonly person_id: string;
  readonly rule: ExplainedRule;
  readonly state: 'draft' | 'running' | 'stopped';
  /** Which of the person's runs; null: the one without a key. */
  readonly key: string | null;
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
  readonly stall?: { readonly event: string | null; readonly fires_at: string };
}

/** @param now ms; what is due by then has happened. */
export function explainSegment(
  subject: Subject,
  rule: SegmentRule | ManualRule,
  now: number,
): ExplainedSegment {
  const { look, person } = lookAt(subject, now);
  const since = person.rules.get(rule.key)?.since;
  const shared = {
    person_id: subject.personId,
    rule: { id: rule.id, version: rule.definitionVersion },
    result: since !== undefined,
    ...(since === undefined ? {} : { since: timeOf(since) }),
  };
  if ('manual' in rule) return { ...shared, conditions: [] };
  const evidence = look.evidenceOf(rule);
  const changesAt = nextChange(rule.when, evidence);
  return {
    ...shared,
    ...(Number.isFinite(changesAt) ? { changes_at: timeOf(changesAt) } : {}),
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
    key,
    asIfRunning = false,
  }: { readonly now: number; readonly key: string | null; readonly asIfRunning?: boolean },
): ExplainedJourney {
  const { look, person } = lookAt(subject, now);
  const { filters, state } = rule.journey;
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
  const stall = stallOf(rule, person, key);
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
    result: refused === undefined,
    ...refused,
    says: journeySays({ rule, run, admission, isIdle, isArmed: stall.stall !== undefined }),
    conditions: filters === null ? [] : explain(filters, look.evidenceOf(rule)).conditions,
    entries: run?.entries ?? 0,
    last_entered_at: timeOrNull(run?.lastEnteredAt),
    held_out_at: timeOrNull(run?.heldOutAt),
    ...stall,
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

function stallOf(
  rule: JourneyRule,
  { journeys }: Person,
  key: string | null,
): Pick<ExplainedJourney, 'stall'> {
  const armed = runOf(journeys.stateOf(rule.id), key)?.stall;
  if (rule.stall === undefined || armed?.trigger !== rule.triggerKey) return {};
  const [next] = firings(rule.stall, armed);
  return next === undefined ? {} : { stall: { event: next.begun[0] ?? null, fires_at: timeOf(next.at) } };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
function timeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : timeOf(ms);
}
