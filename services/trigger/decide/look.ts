/**
 * One look at a person at one logical time: marks are counted, memberships follow, triggers lead to entries. The look
 * works on copies of what the person's state has and hands back a new state with the effects. Pure.
 */
import { evaluate, type Evidence, type Verdict } from '../../rules/evaluate.ts';
import { PatternSteps, patternStepsALookMax } from '../../rules/pattern-steps.ts';
import { isOnlyAnswer, remember } from '../../rules/memory.ts';
import type { Related } from '../../rules/relationships.ts';
import type { Mark, Marks } from '../../rules/windows.ts';
import type { CountedCondition } from '../../rules/condition.ts';
import type { Effect, SegmentCause } from './effects.ts';
import { entryEvidence, type EntryEvidence } from './entry-evidence.ts';
import { ForwardEvidence } from './forward-evidence.ts';
import { answerableMs, heldBack } from './held-back.ts';
import { JourneyLook } from './journey-look.ts';
import { LookEvidence } from './look-evidence.ts';
import { SegmentQueue } from './segment-queue.ts';
import type { Person, RuleState, RuleStates } from './state.ts';
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
const noTurns: readonly SegmentTurn[] = [];

export class Look {
  readonly effects: Effect[] = [];
  /** Every pattern that is asked in this look is asked here. */
  readonly patterns = new PatternSteps();
  readonly #options: LookOptions;
  readonly #before: Person;
  #journeys: JourneyLook | undefined;
  /** The person's own until the look changes something of them. */
  #ruleStates: RuleStates;
  #changed: Map<string, RuleState> | undefined;
  #touched = false;
  /** Rules that nobody has to stay in for what is still to be read: only what answers has come late. */
  #answered: Set<string> | undefined;

  constructor(person: Person, options: LookOptions) {
    this.#options = options;
    this.#before = person;
    this.#ruleStates = person.rules;
  }

  /** Made when a journey is concerned: of most looks none is. */
  get journeys(): JourneyLook {
    return (this.#journeys ??= new JourneyLook(this.#before, this.#options, this));
  }

  /** What the person's state is after the look: the same object when the look has changed nothing. */
  finish(person: Person): Person {
    const { now, rules } = this.#options;
    this.#saySkipped();
    const isTouched = this.#touched || this.#journeys?.touched === true;
    if (!isTouched && person.stamp === rules.stamp) return person;
    let next = this.#journeysChangeAt();
    for (const { changesAt = Infinity } of this.#ruleStates.values()) {
      if (changesAt < next) next = changesAt;
    }
    const { journeys, held } = this.#journeys?.state ?? this.#before;
    return {
      status: person.status,
      stamp: rules.stamp,
      firstSeenAt: person.firstSeenAt,
      changesAt: next,
      evaluatedAt: now,
      identified: person.identified,
      rules: this.#ruleStates,
      journeys,
      claims: person.claims,
      held,
      absorbedBy: person.absorbedBy,
      clearedAt: person.clearedAt,
      clearedBy: person.clearedBy,
      apart: person.apart,
      timerAt: person.timerAt,
    };
  }

  /** Without a look at the journeys where it is known. */
  #journeysChangeAt(): number {
    const { journeys, held } = this.#before;
    const isUntouched = this.#journeys?.touched !== true;
    const known = isUntouched && held.length === 0 ? journeys.stallsAt(this.#options.rules.stamp) : undefined;
    return known ?? this.journeys.changesAt;
  }

  /** What time and definitions have changed since the last look, which was under `stamp`. */
  catchUp(stamp: number): void {
    this.catchUpWithTime();
    if (stamp !== this.#options.rules.stamp) this.catchUpWithDefinitions();
  }

  /** Memberships that time alone has ended or begun since the last look. */
  catchUpWithTime(): void {
    const { now, rules } = this.#options;
    const due = [...this.#ruleStates].filter(
      ([, { changesAt }]) => changesAt !== undefined && changesAt <= now,
    );
    if (due.length > 0) {
      const turns = this.turnSegments(new Set(due.map(([key]) => key)), 'time');
      this.startJourneysOf(turns, null, { only: ({ id }) => (rules.placedTo?.(id) ?? -Infinity) < now });
    }
    this.journeys.passTime();
  }

  /**
   * New, changed and deleted definitions. A changed rule starts clean: what was counted for another version is
   * forgotten. People who turn out to be in a segment become members; journeys start for them only where the journey
   * says so, because nothing happened that a marketer would call a trigger.
   */
  catchUpWithDefinitions(): void {
    const { rules } = this.#options;
    for (const [key, state] of [...this.#ruleStates]) {
      const rule = rules.rulesByKey.get(key);
      if (rule === undefined || isOtherManual(rule, state)) this.#forget(key, state);
      else if (rule.version !== state.version) this.#keep(key, cleared(state, rule.version));
    }
    this.journeys.forgetStalls();
    const turns = this.turnSegments(this.allSegments(), 'definition');
    this.startJourneysOf(turns, null, { only: ({ journey }) => journey.includeCurrent === true });
  }

  allSegments(): ReadonlySet<string> {
    return this.#options.rules.allSegments;
  }

  segmentsThatUseProfile(): ReadonlySet<string> {
    return this.#options.rules.profileSegments;
  }

  count(rule: Rule, condition: CountedCondition, mark: Mark): void {
    const state = this.#stateOf(rule);
    const { now } = this.#options;
    const marks = remember(condition, state.marks[condition.pointer] ?? NO_MARKS, mark);
    const isOver = mark[0] + answerableMs(condition) <= now;
    if (isOver && isOnlyAnswer(condition, mark) && (state.notBefore ?? now) <= now)
      (this.#answered ??= new Set()).add(rule.key);
    else if (isOver) this.#answered?.delete(rule.key);
    const notBefore = isOver ? now + 1 : state.notBefore;
    this.#keepMarks(rule.key, state, { marks: withMarks(state.marks, condition.pointer, marks), notBefore });
  }

  /** What a person did before the rule was there counts, too. */
  joinPast(rule: Rule, pointer: string, join: (own: Marks) => Marks): void {
    const state = this.#stateOf(rule);
    const marks = join(state.marks[pointer] ?? NO_MARKS);
    const { notBefore } = state;
    this.#keepMarks(rule.key, state, { marks: withMarks(state.marks, pointer, marks), notBefore });
  }

  /** Looks at these segments and at those that refer to one that turns. */
  turnSegments(
    keys: ReadonlySet<string>,
    cause: SegmentCause,
    causeMessageId: string | null = null,
  ): readonly SegmentTurn[] {
    if (keys.size === 0) return noTurns;
    const { rules, now } = this.#options;
    const queue = new SegmentQueue(rules, keys);
    const isApart = this.#before.apart !== undefined;
    const turns: SegmentTurn[] = [];
    for (let rule = queue.next(); rule !== undefined; rule = queue.next()) {
      const before = this.#stateOf(rule);
      if (rules.open.has(rule.key) || (isApart && rules.counting.has(rule.key))) {
        this.#putOff(rule, before);
        continue;
      }
      const was = before.since !== undefined;
      const { result, changesAt: at } = this.#verdictOf(rule, before);
      const since = result ? (before.since ?? now) : undefined;
      const changesAt = Number.isFinite(at) ? at : undefined;
      const isOver = before.notBefore === undefined || before.notBefore <= now;
      const notBefore = isOver ? undefined : before.notBefore;
      if (since !== before.since || changesAt !== before.changesAt || notBefore !== before.notBefore) {
        this.#keep(rule.key, { version: before.version, marks: before.marks, since, changesAt, notBefore });
      }
      if (result === was) continue;
      const change = result ? 'entered' : 'left';
      turns.push({ rule, change });
      this.#segmentChanged(rule, change, cause, causeMessageId);
      for (const key of rules.dependents.get(rule.id) ?? nobody) queue.add(key);
    }
    return turns;
  }

  /** Puts the person into a manual segment or takes them out. What turns because of it is told too, in its order. */
  setMember(
    rule: ManualRule,
    isMember: boolean,
    cause: SegmentCause,
    causeMessageId: string | null = null,
  ): readonly SegmentTurn[] {
    const { rules, now } = this.#options;
    if ((this.#stateOf(rule).since !== undefined) === isMember) return [];
    const change = isMember ? 'entered' : 'left';
    if (isMember) this.#keep(rule.key, { ...nothingOf(rule.version), since: now });
    else this.#drop(rule.key);
    this.#segmentChanged(rule, change, cause, causeMessageId);
    const dependents = new Set(rules.dependents.get(rule.id) ?? []);
    return [{ rule, change }, ...this.turnSegments(dependents, cause, causeMessageId)];
  }

  /**
   * Nobody enters by a stall that was over when it was merged, nor leaves by one, before all that was merged with it has been
   * read. What answers a stall that was told long ago ends it at once.
   */
  #verdictOf(rule: SegmentRule, { since, notBefore = -Infinity }: RuleState): Verdict {
    this.patterns.spend(rule.steps);
    const verdict = evaluate(rule.when, this.#evidence(rule));
    const isMember = since !== undefined;
    if (isMember && this.#answered?.has(rule.key) === true) return verdict;
    return heldBack(verdict, { isMember, notBefore, now: this.#options.now });
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

  /** What the rule's conditions rest on, as the look leaves it and later. Tests of patterns take nothing of its steps. */
  evidenceOf(rule: Rule): Evidence {
    const { marks } = this.#stateOf(rule);
    return new ForwardEvidence(this.#options, this.#ruleStates, { marks, apart: this.#before.apart });
  }

  /** What an entry rests on. */
  entryEvidence(rule: JourneyRule, begun: readonly string[]): EntryEvidence | null {
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
    this.#keep(key, { version, marks, since, changesAt: undefined, notBefore: undefined });
  }

  #forget(key: string, state: RuleState): void {
    this.#drop(key);
    if (state.since === undefined) return;
    this.#segmentChanged({ id: key.slice(2), definitionVersion: state.version }, 'left', 'definition', null);
  }

  #segmentChanged(
    { id: segmentId, definitionVersion: ruleVersion }: Pick<SegmentRule, 'id' | 'definitionVersion'>,
    change: 'entered' | 'left',
    cause: SegmentCause,
    causeMessageId: string | null,
  ): void {
    const at = this.#options.now;
    this.effects.push({ type: 'segment_changed', segmentId, change, at, cause, causeMessageId, ruleVersion });
  }

  #keep(key: string, state: RuleState): void {
    this.#own().set(key, state);
  }

  /** With other marks the state is looked at before it is kept for good. */
  #keepMarks(
    key: string,
    { version, since, changesAt }: RuleState,
    { marks, notBefore }: Pick<RuleState, 'marks' | 'notBefore'>,
  ): void {
    this.#own().set(key, { version, marks, since, changesAt, notBefore });
  }

  #drop(key: string): void {
    this.#own().delete(key);
  }

  /** Of the look alone, to be changed. */
  #own(): Map<string, RuleState> {
    this.#touched = true;
    if (this.#changed === undefined) this.#ruleStates = this.#changed = new Map(this.#ruleStates);
    return this.#changed;
  }

  #stateOf(rule: Rule): RuleState {
    return this.#ruleStates.get(rule.key) ?? nothingOf(rule.version);
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

/** Deleted and made anew, or one of a rule before: whoever was in that was never put into this. */
function isOtherManual(rule: Rule, { version }: RuleState): boolean {
  return 'manual' in rule && rule.version !== version;
}

const noMarks: RuleState['marks'] = {};
const nobody: readonly string[] = [];

function nothingOf(version: number): RuleState {
  return { version, marks: noMarks, since: undefined, changesAt: undefined, notBefore: undefined };
}

function cleared({ since }: RuleState, version: number): RuleState {
  return { version, marks: noMarks, since, changesAt: undefined, notBefore: undefined };
}

/** Of a rule most have marks of one condition. Property by property: objects that are spread each have a shape of their own. */
function withMarks(before: RuleState['marks'], pointer: string, marks: Marks): RuleState['marks'] {
  const after: Record<string, Marks> = {};
  for (const other in before) after[other] = before[other] ?? NO_MARKS;
  after[pointer] = marks;
  return after;
}
