/**
 * The journeys of one look at a person: triggers lead to entries or to a row that says why not, those of a release wait for
 * the identify behind it, and stalls are armed, answered and fire. Works on a copy and hands back a new state. Pure.
 */
import type { SkipReason } from '../../../schemas/skip-reasons.ts';
import { stallMarksMax } from '../../rules/limits.ts';
import type { JsonObject } from '../../rules/paths.ts';
import type { Stall } from '../../rules/condition.ts';
import { admit } from './admission.ts';
import {
  answersOf,
  arm,
  bounded,
  fired,
  firings,
  isForgotten,
  withAnswer,
  type ArmedStall,
  type Firing,
} from './armed-stall.ts';
import type { Effect } from './effects.ts';
import { type EntryEvidence } from './entry-evidence.ts';
import { JourneyStates } from './journey-states.ts';
import {
  answerAll,
  answersTo,
  hasRoom,
  newRun,
  runOf,
  runsOf,
  withRun,
  type JourneyState,
  type Run,
} from './runs.ts';
import { dueOf, rangeFor, releasedALookMax, type HeldRange, type HeldTrigger } from './held-triggers.ts';
import type { Person } from './state.ts';
import type { JourneyRule, WorkspaceRules } from './workspace-rules.ts';

/** What asks a journey to take the person in. */
export interface Triggered {
  /** null: time did. */
  readonly messageId: string | null;
  /** Which of the person's runs is meant. */
  readonly key: string | null;
  /** Message ids of the events that began its stall, latest first; absent for none. */
  readonly begun?: readonly string[];
}

interface StallEvent {
  readonly messageId: string;
  readonly key: string | null;
  readonly time: number;
}

export interface JourneyLookOptions {
  readonly personId: string;
  readonly rules: WorkspaceRules;
  /** ms */
  readonly now: number;
  /** Those at [from, to) of a range. */
  readonly heldTriggers: (range: number, from: number, to: number) => readonly HeldTrigger[];
}

/** The look that the journeys are a part of. */
export interface WholeLook {
  readonly effects: Effect[];
  /** Pointer of the filter that does not hold; null: they hold. */
  unmetFilter(rule: JourneyRule): string | null;
  /** What an entry rests on. */
  entryEvidence(rule: JourneyRule, begun: readonly string[]): EntryEvidence | null;
}

export class JourneyLook {
  readonly #options: JourneyLookOptions;
  readonly #whole: WholeLook;
  readonly #before: JourneyStates;
  /** Those of before until something of them changes. */
  #states: Map<string, JourneyState> | undefined;
  #isChanged = false;
  #held: readonly HeldRange[];
  /** When the next armed stall fires, ms; undefined: it has to be looked for. */
  #stallsAt: number | undefined;
  touched = false;

  constructor(person: Person, options: JourneyLookOptions, whole: WholeLook) {
    this.#options = options;
    this.#whole = whole;
    this.#before = person.journeys;
    this.#held = person.held;
    this.#stallsAt = person.journeys.stallsAt(options.rules.stamp);
  }

  get state(): Pick<Person, 'journeys' | 'held'> {
    const stalls = { stamp: this.#options.rules.stamp, at: this.#nextStall() };
    const journeys = this.#isChanged
      ? JourneyStates.of(Object.fromEntries(this.#journeys), stalls)
      : this.#before.withStalls(stalls);
    return { journeys, held: this.#held };
  }

  /** When something of this is due although nothing happens, ms; Infinity for never. */
  get changesAt(): number {
    let next = this.#nextStall();
    for (const range of this.#held) next = Math.min(next, dueOf(range));
    return next;
  }

  #nextStall(): number {
    if (this.#stallsAt !== undefined) return this.#stallsAt;
    let next = Infinity;
    for (const armed of this.#armed()) next = Math.min(next, armed.next[0]?.at ?? Infinity);
    return (this.#stallsAt = next);
  }

  get #journeys(): ReadonlyMap<string, JourneyState> {
    return (this.#states ??= new Map(Object.entries(this.#before.byId)));
  }

  #set(id: string, state: JourneyState): void {
    const states = (this.#states ??= new Map(Object.entries(this.#before.byId)));
    states.set(id, state);
    this.#isChanged = true;
    this.#stallsAt = undefined;
  }

  /** @param heldFor the anonymous id whose identify it waits for; null: it waits for nothing. */
  start(rule: JourneyRule, triggered: Triggered, heldFor: string | null): void {
    const { messageId, key } = triggered;
    const { now } = this.#options;
    const range = heldFor === null ? undefined : rangeFor(this.#held, heldFor, now);
    if (range === undefined || messageId === null) {
      this.#enter(rule, triggered);
      return;
    }
    const trigger = { journeyId: rule.id, messageId, ...(key === null ? {} : { key }) };
    this.#whole.effects.push({ type: 'trigger_held', range: range.number, place: range.to, trigger });
    this.#replace(range, { ...range, to: range.to + 1 });
  }

  skip(
    { id, definitionVersion }: JourneyRule,
    { messageId, key }: Triggered,
    reason: SkipReason,
    detail: JsonObject | null,
  ): void {
    this.#whole.effects.push({
      type: 'journey_skipped',
      journeyId: id,
      key,
      at: this.#options.now,
      reason,
      triggerMessageId: messageId,
      ruleVersion: definitionVersion,
      detail,
    });
  }

  /** The identify that these triggers waited for has had its effects. */
  releaseHeld(anonymousId: string): void {
    for (const range of this.#held.filter((other) => other.anonymousId === anonymousId)) this.#release(range);
  }

  /** An event begins a stall. */
  arm(rule: JourneyRule, stall: Stall, event: StallEvent): void {
    const { messageId, key, time } = event;
    const { now } = this.#options;
    const state = this.#journeys.get(rule.id);
    if (!hasRoom(state, key, now)) {
      this.skip(rule, event, 'key_limit', null);
      return;
    }
    const run = runOf(state, key) ?? newRun;
    const before = this.#stallOf(rule, run);
    if (isForgotten(before, time)) {
      this.#skipBeyond(rule, event);
      return;
    }
    const answers = answersOf(answersTo(state, rule.triggerKey), key);
    const after = arm(stall, before, { mark: [time, messageId], answers }, now);
    if (after !== before) this.#keepStall(rule, stall, key, { ...run, stall: after });
  }

  /** What another had armed is the person's: the next fires at another time, and it may be more than one may have. */
  joinedStalls(): void {
    this.touched = true;
    for (const [id, state] of this.#journeys) {
      const rule = this.#options.rules.journeys.get(id);
      if (rule?.stall === undefined) continue;
      for (const [key, run] of runsOf(state)) {
        if ((run.stall?.marks.length ?? 0) > stallMarksMax) this.#keepStall(rule, rule.stall, key, run);
      }
    }
  }

  #keepStall(rule: JourneyRule, stall: Stall, key: string | null, run: Run): void {
    if (run.stall === undefined) return;
    const { armed, beyond } = bounded(stall, run.stall);
    this.#keep(rule, key, { ...run, stall: armed });
    for (const messageId of beyond) this.#skipBeyond(rule, { messageId, key });
  }

  #skipBeyond(rule: JourneyRule, triggered: Triggered): void {
    this.skip(rule, triggered, 'stall_limit', { stall_marks_max: stallMarksMax });
  }

  /** An event answers a stall: that of its own key, or of every key when it has none; one without a key is anybody's. */
  answer(rule: JourneyRule, stall: Stall, { messageId, key, time }: StallEvent): void {
    const state: JourneyState = this.#journeys.get(rule.id) ?? newRun;
    const { triggerKey } = rule;
    const answers = withAnswer(answersTo(state, triggerKey), [time, messageId, key]);
    this.#set(rule.id, answerAll(stall, { ...state, answers, answersTo: triggerKey }));
    this.touched = true;
  }

  /** What has waited long enough, and the stalls whose time is up. */
  passTime(): void {
    const { now } = this.#options;
    for (const range of this.#held.filter((other) => dueOf(other) <= now)) this.#release(range);
    for (const { rule, key, run, armed, next } of [...this.#armed()]) {
      const due = next.filter(({ at }) => at <= now);
      if (due.length === 0) continue;
      this.#keep(rule, key, { ...run, stall: due.reduce(fired, armed) });
      for (const { begun } of due) this.#enter(rule, { messageId: begun[0] ?? null, key, begun });
    }
  }

  /** What was armed for a trigger that is no more is forgotten. */
  forgetStalls(): void {
    for (const [id, state] of this.#journeys) {
      const rule = this.#options.rules.journeys.get(id);
      if (rule?.stall === undefined && state.answers !== undefined) this.#set(id, withoutAnswers(state));
      for (const [key, run] of runsOf(state)) {
        if (run.stall === undefined) continue;
        if (rule?.stall !== undefined && rule.triggerKey === run.stall.trigger) continue;
        this.#set(id, withRun(this.#journeys.get(id), key, withoutStall(run), this.#options.now));
        this.touched = true;
      }
    }
  }

  *#armed(): Iterable<Armed> {
    const { journeys } = this.#options.rules;
    for (const [id, state] of this.#journeys) {
      const rule = journeys.get(id);
      if (rule?.stall === undefined) continue;
      const { stall } = rule;
      for (const [key, run] of runsOf(state)) {
        const armed = run.stall;
        if (armed === undefined || armed.marks.length === 0 || armed.trigger !== rule.triggerKey) continue;
        yield { rule, key, run, armed, next: firings(stall, armed) };
      }
    }
  }

  #stallOf(rule: JourneyRule, run: Run): ArmedStall {
    const { stall } = run;
    return stall?.trigger === rule.triggerKey ? stall : { trigger: rule.triggerKey, marks: [] };
  }

  /** A slice of it; the rest a moment later. */
  #release(range: HeldRange): void {
    const { now } = this.#options;
    const to = Math.min(range.to, range.from + releasedALookMax);
    const triggers = this.#take(range, to);
    this.#replace(range, to === range.to ? undefined : { ...range, from: to, dueAt: now + 1 });
    for (const { journeyId, messageId, key } of triggers) {
      const rule = this.#options.rules.journeys.get(journeyId);
      if (rule?.journey.state === 'running') this.#enter(rule, { messageId, key: key ?? null });
    }
  }

  /** What a merge or a split hands on triggers nothing: each has its row. Of somebody who is deleted nothing is told. */
  disinherit(isTold = true): void {
    if (this.#held.length === 0) return;
    for (const range of this.#held) {
      const triggers = this.#take(range, range.to);
      if (isTold) triggers.forEach((trigger) => this.inherited(trigger));
    }
    this.#held = [];
    this.touched = true;
  }

  inherited({ journeyId, messageId, key }: HeldTrigger): void {
    const rule = this.#options.rules.journeys.get(journeyId);
    if (rule?.journey.state === 'running')
      this.skip(rule, { messageId, key: key ?? null }, 'inherited', null);
  }

  #take({ number, from, items }: HeldRange, to: number): readonly HeldTrigger[] {
    if (items !== undefined) return items.slice(from, to);
    const triggers = this.#options.heldTriggers(number, from, to);
    this.#whole.effects.push({ type: 'triggers_let_go', range: number, from, to });
    return triggers;
  }

  #replace(before: HeldRange, after: HeldRange | undefined): void {
    const others = this.#held.filter(({ number }) => number !== before.number);
    this.#held = after === undefined ? others : [...others, after];
    this.touched = true;
  }

  #enter(rule: JourneyRule, triggered: Triggered): void {
    const { personId, now, rules } = this.#options;
    const { effects } = this.#whole;
    const { key, messageId, begun = [] } = triggered;
    const state = this.#journeys.get(rule.id);
    const run = runOf(state, key);
    const admission = admit({
      rule,
      personId,
      key,
      run,
      hasRoom: hasRoom(state, key, now),
      now,
      globalHoldout: rules.globalHoldout,
      unmet: () => this.#whole.unmetFilter(rule),
    });
    if (admission.run !== undefined) this.#keep(rule, key, admission.run);
    if (admission.type === 'skipped') {
      const { reason, detail } = admission;
      if (reason === 'held_out' && (run?.heldOutAt ?? null) === null) {
        effects.push({ type: 'held_out', journeyId: rule.id, at: now, triggerMessageId: messageId });
      }
      this.skip(rule, triggered, reason, detail);
      return;
    }
    effects.push({
      type: 'journey_entered',
      journeyId: rule.id,
      key,
      at: now,
      triggerMessageId: messageId,
      ruleVersion: rule.definitionVersion,
      evidence: this.#whole.entryEvidence(rule, begun),
    });
  }

  #keep({ id }: JourneyRule, key: string | null, run: Run): void {
    this.#set(id, withRun(this.#journeys.get(id), key, run, this.#options.now));
    this.touched = true;
  }
}

function withoutAnswers({ keys, ...state }: JourneyState): JourneyState {
  return { ...withoutStall(state), ...(keys && { keys }), ...(state.stall && { stall: state.stall }) };
}

function withoutStall({ entries, lastEnteredAt, heldOutAt, passedAt }: Run): Run {
  return { entries, lastEnteredAt, heldOutAt, ...(passedAt === undefined ? {} : { passedAt }) };
}

interface Armed {
  readonly rule: JourneyRule;
  readonly key: string | null;
  readonly run: Run;
  readonly armed: ArmedStall;
  readonly next: readonly Firing[];
}
