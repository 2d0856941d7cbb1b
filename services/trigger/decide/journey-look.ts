/**
 * The journeys of one look at a person: triggers lead to entries or to a row that says why not, those of a release wait for
 * the identify behind it, and stalls are armed, answered and fire. Works on a copy and hands back a new state. Pure.
 */
import type { SkipReason } from '../../../schemas/skip-reasons.ts';
import type { JsonObject } from '../../rules/paths.ts';
import type { Stall } from '../../rules/condition.ts';
import { admit } from './admission.ts';
import { answered, arm, fired, firesAt, firingMessage, withAnswer, type ArmedStall } from './armed-stall.ts';
import type { Effect } from './effects.ts';
import { answerAll, hasRoom, newRun, runOf, runsOf, withRun, type JourneyState, type Run } from './runs.ts';
import { heldTriggersMax, type HeldTrigger, type Person } from './state.ts';
import type { JourneyRule, WorkspaceRules } from './workspace-rules.ts';

/**
 * How long a trigger waits for the identify behind its release. The identify follows in the same lane, so this only
 * bounds the wait for one that never comes.
 */
export const heldTriggerMsMax = 5 * 60_000;

/** What asks a journey to take the person in. */
export interface Triggered {
  /** null: time did. */
  readonly messageId: string | null;
  /** Which of the person's runs is meant. */
  readonly key: string | null;
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
  readonly effects: Effect[];
  /** Pointer of the filter that does not hold; null: they hold. */
  readonly unmet: (rule: JourneyRule) => string | null;
}

export class JourneyLook {
  readonly #options: JourneyLookOptions;
  readonly #journeys: Map<string, JourneyState>;
  #held: readonly HeldTrigger[];
  touched = false;

  constructor(person: Person, options: JourneyLookOptions) {
    this.#options = options;
    this.#journeys = new Map(Object.entries(person.journeys));
    this.#held = person.held;
  }

  get state(): Pick<Person, 'journeys' | 'held'> {
    return { journeys: Object.fromEntries(this.#journeys), held: this.#held };
  }

  /** When something of this is due although nothing happens, ms; Infinity for never. */
  get changesAt(): number {
    let next = Infinity;
    for (const { at } of this.#held) next = Math.min(next, at + heldTriggerMsMax);
    for (const { at } of this.#armed()) next = Math.min(next, at);
    return next;
  }

  /** @param heldFor the anonymous id whose identify it waits for; null: it waits for nothing. */
  start(rule: JourneyRule, triggered: Triggered, heldFor: string | null): void {
    const { messageId, key } = triggered;
    if (heldFor === null || messageId === null || this.#held.length >= heldTriggersMax) {
      this.#enter(rule, triggered);
      return;
    }
    const held = { anonymousId: heldFor, journeyId: rule.id, messageId, at: this.#options.now };
    this.#held = [...this.#held, { ...held, ...(key === null ? {} : { key }) }];
    this.touched = true;
  }

  skip(
    { id, definitionVersion }: JourneyRule,
    { messageId, key }: Triggered,
    reason: SkipReason,
    detail: JsonObject | null,
  ): void {
    this.#options.effects.push({
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
    for (const held of this.#held.filter((other) => other.anonymousId === anonymousId)) this.#release(held);
  }

  /** An event begins a stall. False: there is no room for another run. */
  arm(rule: JourneyRule, stall: Stall, { messageId, key, time }: StallEvent): boolean {
    const { now } = this.#options;
    const state = this.#journeys.get(rule.id);
    if (!hasRoom(state, key, now)) return false;
    const run = runOf(state, key) ?? newRun;
    const before = this.#stallOf(rule, run);
    const known = answered(stall, before, key, state?.answers ?? []);
    const after = arm(stall, known, { time, messageId }, now);
    if (after !== before) this.#keep(rule, key, { ...run, stall: after });
    return true;
  }

  /** An event answers a stall: that of its own key, or of every key when it has none; one without a key is anybody's. */
  answer(rule: JourneyRule, stall: Stall, { messageId, key, time }: StallEvent): void {
    const state: JourneyState = this.#journeys.get(rule.id) ?? newRun;
    const answers = withAnswer(state.answers ?? [], [time, messageId, key]);
    this.#journeys.set(rule.id, answerAll(stall, { ...state, answers }));
    this.touched = true;
  }

  /** What has waited long enough, and the stalls whose time is up. */
  passTime(): void {
    const { now } = this.#options;
    for (const held of this.#held.filter(({ at }) => at + heldTriggerMsMax <= now)) this.#release(held);
    for (const { rule, stall, key, run, armed, at } of [...this.#armed()]) {
      if (at > now) continue;
      const messageId = firingMessage(stall, armed);
      this.#keep(rule, key, { ...run, stall: fired(armed) });
      this.#enter(rule, { messageId, key });
    }
  }

  /** What was armed for a trigger that is no more is forgotten. */
  forgetStalls(): void {
    for (const [id, state] of this.#journeys) {
      const rule = this.#options.rules.journeys.get(id);
      if (rule?.stall === undefined && state.answers !== undefined)
        this.#journeys.set(id, withoutAnswers(state));
      for (const [key, run] of runsOf(state)) {
        if (run.stall === undefined) continue;
        if (rule?.stall !== undefined && rule.triggerKey === run.stall.trigger) continue;
        this.#journeys.set(id, withRun(this.#journeys.get(id), key, withoutStall(run), this.#options.now));
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
        const at = firesAt(stall, armed);
        if (at !== Infinity) yield { rule, stall, key, run, armed, at };
      }
    }
  }

  #stallOf(rule: JourneyRule, run: Run): ArmedStall {
    const { stall } = run;
    return stall?.trigger === rule.triggerKey ? stall : { trigger: rule.triggerKey, marks: [] };
  }

  #release(held: HeldTrigger): void {
    this.#held = this.#held.filter((other) => other !== held);
    this.touched = true;
    const rule = this.#options.rules.journeys.get(held.journeyId);
    if (rule?.journey.state !== 'running') return;
    this.#enter(rule, { messageId: held.messageId, key: held.key ?? null });
  }

  #enter(rule: JourneyRule, triggered: Triggered): void {
    const { personId, now, rules, effects, unmet } = this.#options;
    const { key, messageId } = triggered;
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
      unmet: () => unmet(rule),
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
    });
  }

  #keep({ id }: JourneyRule, key: string | null, run: Run): void {
    this.#journeys.set(id, withRun(this.#journeys.get(id), key, run, this.#options.now));
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
  readonly stall: Stall;
  readonly key: string | null;
  readonly run: Run;
  readonly armed: ArmedStall;
  /** When it fires, ms. */
  readonly at: number;
}
