/**
 * One look at a person at one logical time: marks are counted, memberships follow, triggers lead to entries. The look
 * works on copies of what the person's state has and hands back a new state with the effects. Pure.
 */
import { evaluate, type Evidence, type Verdict } from '../../rules/evaluate.ts';
import {
  PatternSteps,
  patternStepsALookMax,
  unmetered,
  type PatternTests,
} from '../../rules/pattern-steps.ts';
import { remember } from '../../rules/memory.ts';
import type { Related } from '../../rules/relationships.ts';
import type { Mark, Marks } from '../../rules/windows.ts';
import type { CountedCondition } from '../../rules/condition.ts';
import type { Effect } from './effects.ts';
import { entryEvidence, type EntryEvidence } from './entry-evidence.ts';
import { JourneyLook } from './journey-look.ts';
import type { Person, RuleState } from './state.ts';
import type { Subject } from './subject.ts';
import { unmet } from './unmet.ts';
import {
  segmentKey,
  type JourneyRule,
  type ManualRule,
  type Rule,
  type SegmentRule,
  type WorkspaceRules,
} from './workspace-rules.ts';

export interface SegmentTurn {
  readonly rule: SegmentRule | ManualRule;
  readonly change: 'entered' | 'left';
}

export interface LookOptions {
  readonly personId: string;
  readonly rules: WorkspaceRules;
  /** ms. Never before the person's last look, so that a late record does not turn time back. */
  readonly now: number;
  readonly attribute: (path: string) => unknown;
  readonly relationships: () => readonly Related[];
  /** ms; Infinity: not yet seen. */
  readonly firstSeenAt: number;
  readonly heldTriggers: Subject['heldTriggers'];
  /** What is looked at; absent: nothing that happened to the visitor. */
  readonly cause?: { readonly messageId: string; readonly anonymousId: string | null };
}

const NO_MARKS: Marks = [];

export class Look {
  readonly effects: Effect[] = [];
  /** Every pattern that is asked in this look is asked here. */
  readonly patterns = new PatternSteps();
  readonly #options: LookOptions;
  readonly journeys: JourneyLook;
  readonly #ruleStates: Map<string, RuleState>;
  readonly #isApart: boolean;
  #touched = false;

  constructor(person: Person, options: LookOptions) {
    this.#options = options;
    this.#ruleStates = new Map(Object.entries(person.rules));
    this.#isApart = person.apart !== undefined;
    const { effects } = this;
    this.journeys = new JourneyLook(person, {
      ...{ ...options, effects, unmet: (rule) => this.unmetFilter(rule) },
      evidence: (rule, begun) => this.#entryEvidence(rule, begun),
    });
  }

  /** What the person's state is after the look: the same object when the look has changed nothing. */
  finish(person: Person): Person {
    const { now, rules } = this.#options;
    this.#saySkipped();
    if (!this.#touched && !this.journeys.touched && person.stamp === rules.stamp) return person;
    let next = this.journeys.changesAt;
    for (const { changesAt } of this.#ruleStates.values()) next = Math.min(next, changesAt ?? Infinity);
    return {
      ...person,
      stamp: rules.stamp,
      changesAt: next,
      evaluatedAt: now,
      rules: Object.fromEntries(this.#ruleStates),
      ...this.journeys.state,
    };
  }

  /** What time and definitions have changed since the last look, which was under `stamp`. */
  catchUp(stamp: number): void {
    this.catchUpWithTime();
    if (stamp !== this.#options.rules.stamp) this.catchUpWithDefinitions();
  }

  /** Memberships that time alone has ended or begun since the last look. */
  catchUpWithTime(): void {
    const { now } = this.#options;
    const due = [...this.#ruleStates].filter(
      ([, { changesAt }]) => changesAt !== undefined && changesAt <= now,
    );
    if (due.length > 0) this.startJourneysOf(this.turnSegments(new Set(due.map(([key]) => key)), null), null);
    this.journeys.passTime();
  }

  /**
   * New, changed and deleted definitions. A changed rule starts clean: what was counted for another version is
   * forgotten. People who turn out to be in a segment become members; journeys start for them only where the journey
   * says so, because nothing happened that a marketer would call a trigger.
   */
  catchUpWithDefinitions(): void {
    const { rules } = this.#options;
    for (const [key, state] of this.#ruleStates) {
      const rule = rules.rulesByKey.get(key);
      if (rule === undefined || isOtherManual(rule, state)) this.#forget(key, state);
      else if (rule.version !== state.version) this.#keep(key, cleared(state, rule.version));
    }
    this.journeys.forgetStalls();
    const turns = this.turnSegments(this.allSegments(), null);
    this.startJourneysOf(turns, null, { only: ({ journey }) => journey.includeCurrent === true });
  }

  allSegments(): ReadonlySet<string> {
    return new Set(this.#options.rules.segmentsByKey.keys());
  }

  segmentsThatUseProfile(): ReadonlySet<string> {
    const { segments } = this.#options.rules;
    return new Set(segments.filter(({ usesProfile }) => usesProfile).map(({ key }) => key));
  }

  count(rule: Rule, condition: CountedCondition, mark: Mark): void {
    const state = this.#stateOf(rule);
    const { now } = this.#options;
    const marks = remember(condition, state.marks[condition.pointer] ?? NO_MARKS, mark);
    const isOver = mark[0] + answerableMs(condition) <= now;
    const notBefore = isOver ? { notBefore: now + 1 } : {};
    this.#keep(rule.key, { ...state, ...notBefore, marks: { ...state.marks, [condition.pointer]: marks } });
  }

  /** What a person did before the rule was there counts, too. */
  joinPast(rule: Rule, pointer: string, join: (own: Marks) => Marks): void {
    const state = this.#stateOf(rule);
    const marks = join(state.marks[pointer] ?? NO_MARKS);
    this.#keep(rule.key, { ...state, marks: { ...state.marks, [pointer]: marks } });
  }

  /** Looks at these segments and at those that refer to one that turns. */
  turnSegments(keys: ReadonlySet<string>, causeMessageId: string | null): readonly SegmentTurn[] {
    const { rules, now } = this.#options;
    const pending = new Set(keys);
    const turns: SegmentTurn[] = [];
    for (const rule of rules.segments) {
      if (pending.size === 0) break;
      if (!pending.delete(rule.key)) continue;
      const before = this.#stateOf(rule);
      if (rules.open.has(rule.key) || (this.#isApart && rules.counting.has(rule.key))) {
        this.#putOff(rule, before);
        continue;
      }
      const was = before.since !== undefined;
      const { result, changesAt } = this.#verdictOf(rule, before);
      const next = {
        version: before.version,
        marks: before.marks,
        ...(result ? { since: before.since ?? now } : {}),
        ...(Number.isFinite(changesAt) ? { changesAt } : {}),
        ...(before.notBefore === undefined || before.notBefore <= now ? {} : { notBefore: before.notBefore }),
      };
      const isOther = (['since', 'changesAt', 'notBefore'] as const).some(
        (what) => next[what] !== before[what],
      );
      if (isOther) this.#keep(rule.key, next);
      if (result === was) continue;
      const change = result ? 'entered' : 'left';
      turns.push({ rule, change });
      this.#segmentChanged(rule.id, change, causeMessageId, rule.definitionVersion);
      for (const key of rules.dependents.get(rule.id) ?? []) pending.add(key);
    }
    return turns;
  }

  /** Puts the person into a manual segment or takes them out. What turns because of it is told too, in its order. */
  setMember(rule: ManualRule, isMember: boolean, causeMessageId: string | null): readonly SegmentTurn[] {
    const { rules, now } = this.#options;
    if ((this.#stateOf(rule).since !== undefined) === isMember) return [];
    const change = isMember ? 'entered' : 'left';
    if (isMember) this.#keep(rule.key, { version: rule.version, marks: {}, since: now });
    else {
      this.#ruleStates.delete(rule.key);
      this.#touched = true;
    }
    this.#segmentChanged(rule.id, change, causeMessageId, rule.definitionVersion);
    const dependents = new Set(rules.dependents.get(rule.id) ?? []);
    return [{ rule, change }, ...this.turnSegments(dependents, causeMessageId)];
  }

  /** Nobody enters by a stall that was over when it was merged, before all that was merged with it has been read. */
  #verdictOf(rule: SegmentRule, { since, notBefore = -Infinity }: RuleState): Verdict {
    this.patterns.spend(rule.steps);
    const verdict = evaluate(rule.when, this.#evidence(rule));
    if (!verdict.result || since !== undefined || this.#options.now >= notBefore) return verdict;
    return { result: false, changesAt: Math.min(verdict.changesAt, notBefore) };
  }

  /** Triggers of these turns, in their order. `held`: anonymous id whose identify they wait for. */
  startJourneysOf(
    turns: readonly SegmentTurn[],
    messageId: string | null,
    { only, held }: { readonly only?: (rule: JourneyRule) => boolean; readonly held?: string | null } = {},
  ): void {
    for (const { rule, change } of turns) {
      for (const journey of this.#options.rules.bySegment.get(rule.id) ?? []) {
        const { trigger } = journey.journey;
        if (trigger.type !== 'segment' || trigger.on !== change) continue;
        if (only !== undefined && !only(journey)) continue;
        this.journeys.start(journey, { messageId, key: null }, held ?? null);
      }
    }
  }

  /** Pointer of the filter that does not hold; null: they hold. */
  unmetFilter(rule: JourneyRule): string | null {
    const { filters } = rule.journey;
    this.patterns.spend(rule.steps);
    return filters === null ? null : unmet(filters, this.#evidence(rule));
  }

  /** What the rule's conditions rest on, as the look leaves it. Tests of patterns take nothing of the look's steps. */
  evidenceOf(rule: Rule): Evidence {
    const { marks } = this.#stateOf(rule);
    return new LookEvidence(this.#options, this.#ruleStates, { marks, patterns: unmetered });
  }

  #entryEvidence(rule: JourneyRule, begun: readonly string[]): EntryEvidence | null {
    const { rules, cause } = this.#options;
    const { trigger } = rule.journey;
    const segment =
      trigger.type === 'segment' ? rules.segmentsByKey.get(segmentKey(trigger.segmentId)) : undefined;
    const ofSegment = segment && { segment: segment.id, rule: segment, evidence: this.#evidence(segment) };
    const ofFilters = { rule, evidence: this.#evidence(rule) };
    const asked = [...(ofSegment === undefined ? [] : [ofSegment]), ofFilters];
    return entryEvidence({ anonymousId: cause?.anonymousId ?? null, begun, rules: asked });
  }

  /** What is due waits for the past: then the rule is looked at whole. */
  #putOff({ key }: SegmentRule, { version, marks, since, changesAt }: RuleState): void {
    if (changesAt === undefined || changesAt > this.#options.now) return;
    this.#keep(key, { version, marks, ...(since === undefined ? {} : { since }) });
  }

  #forget(key: string, state: RuleState): void {
    this.#ruleStates.delete(key);
    this.#touched = true;
    if (state.since !== undefined) this.#segmentChanged(key.slice(2), 'left', null, state.version);
  }

  #segmentChanged(
    segmentId: string,
    change: 'entered' | 'left',
    causeMessageId: string | null,
    ruleVersion: number,
  ): void {
    const at = this.#options.now;
    this.effects.push({ type: 'segment_changed', segmentId, change, at, causeMessageId, ruleVersion });
  }

  #keep(key: string, state: RuleState): void {
    this.#ruleStates.set(key, state);
    this.#touched = true;
  }

  #stateOf(rule: Rule): RuleState {
    return this.#ruleStates.get(rule.key) ?? { version: rule.version, marks: {} };
  }

  #evidence(rule: Rule): Evidence {
    const { patterns } = this;
    return new LookEvidence(this.#options, this.#ruleStates, { marks: this.#stateOf(rule).marks, patterns });
  }

  #saySkipped(): void {
    const { skipped } = this.patterns;
    if (skipped === 0) return;
    const { now: at, cause } = this.#options;
    const detail = JSON.stringify({ tests_not_made: skipped, steps_max: patternStepsALookMax });
    const { messageId = null, anonymousId = null } = cause ?? {};
    const reason = 'patterns_too_costly';
    this.effects.push({ type: 'dropped', reason, at, messageId, anonymousId, detail });
  }
}

/** A class, because a look at a rule makes one and closures cost more. */
class LookEvidence implements Evidence {
  readonly now: number;
  readonly firstSeenAt: number;
  readonly patterns: PatternTests;
  readonly #options: LookOptions;
  readonly #ruleStates: ReadonlyMap<string, RuleState>;
  readonly #marks: RuleState['marks'];

  constructor(
    options: LookOptions,
    ruleStates: ReadonlyMap<string, RuleState>,
    { marks, patterns }: { readonly marks: RuleState['marks']; readonly patterns: PatternTests },
  ) {
    this.now = options.now;
    this.firstSeenAt = options.firstSeenAt;
    this.patterns = patterns;
    this.#options = options;
    this.#ruleStates = ruleStates;
    this.#marks = marks;
  }

  marks(pointer: string): Marks {
    return this.#marks[pointer] ?? NO_MARKS;
  }
  attribute(path: string): unknown {
    return this.#options.attribute(path);
  }
  relationships(): readonly Related[] {
    return this.#options.relationships();
  }
  inSegment(segmentId: string): boolean {
    return this.#ruleStates.get(segmentKey(segmentId))?.since !== undefined;
  }
}

/** Deleted and made anew, or one of a rule before: whoever was in that was never put into this. */
function isOtherManual(rule: Rule, { version }: RuleState): boolean {
  return 'manual' in rule && rule.version !== version;
}

function cleared(state: RuleState, version: number): RuleState {
  return { version, marks: {}, ...(state.since === undefined ? {} : { since: state.since }) };
}

/** For how long after an event another may answer it, ms; Infinity where none can. */
function answerableMs(condition: CountedCondition): number {
  if (condition.type === 'stall') return condition.forMs;
  return condition.type === 'sequence' && condition.without !== null ? condition.without.forMs : Infinity;
}
