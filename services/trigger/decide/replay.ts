/**
 * What a journey would have done with a person: their history goes through the code that decides about what comes, with
 * the journey a draft before `from` and running from then on. Nobody enters anything. Pure.
 *
 * As far as the history says: it has what people did and when they were identified; attributes and objects are those of
 * the profile that is given, as in the rule as SQL.
 */
import { assert } from '../../runtime/errors.ts';
import { decideEvent, type PersonEvent } from './decide.ts';
import type { Effect } from './effects.ts';
import { dueOf, type HeldTrigger } from './held-triggers.ts';
import { passTime } from './pass-time.ts';
import type { Profile } from './profile.ts';
import type { Person } from './state.ts';
import type { Subject } from './subject.ts';
import type { WorkspaceRules } from './workspace-rules.ts';

export interface PersonHistory {
  readonly personId: string;
  /** In the order in which they came to the person, by `mergedAt`. */
  readonly events: readonly PersonEvent[];
  readonly profile: Profile;
  /** ms; Infinity: never. */
  readonly firstSeenAt: number;
}

export interface ReplayedRange {
  readonly journeyId: string;
  /** The journey is a draft. */
  readonly before: WorkspaceRules;
  /** It runs. */
  readonly live: WorkspaceRules;
  /** ms; [from, to). */
  readonly from: number;
  readonly to: number;
  /** ms; at the end time is passed so far and no further; absent: to the end. */
  readonly readTo?: number;
}

/** A trigger, with what it would have led to. */
export type Outcome = Extract<Effect, { readonly type: 'journey_entered' | 'journey_skipped' }>;

export interface Replayed {
  /** In their order. */
  readonly outcomes: readonly Outcome[];
  /** The person as of `to`, under the live rules. */
  readonly subject: Subject;
}

export function replay(history: PersonHistory, range: ReplayedRange): Replayed {
  const steps = replaySteps(history, range);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same event by event, for who shares a process: what rules cost is up to whoever wrote them. */
export function* replaySteps(history: PersonHistory, range: ReplayedRange): Generator<undefined, Replayed> {
  const replaying = new Replay(history, range);
  for (const event of history.events) {
    if (event.mergedAt >= range.to) break;
    replaying.take(event);
    yield undefined;
  }
  return replaying.end();
}

class Replay {
  readonly #history: PersonHistory;
  readonly #range: ReplayedRange;
  readonly #outcomes: Outcome[] = [];
  /** Triggers that wait for an identify, by range and place. */
  readonly #held = new Map<string, HeldTrigger>();
  #rules: WorkspaceRules;
  /** undefined: nothing has happened yet. */
  #person: Person | undefined;

  constructor(history: PersonHistory, range: ReplayedRange) {
    this.#history = history;
    this.#range = range;
    this.#rules = range.before;
  }

  take(event: PersonEvent): void {
    if (this.#passesTimeAlone(event)) return;
    this.#until(event.mergedAt);
    const { person, effects } = decideEvent(this.#subject(event.mergedAt - 1), event);
    this.#settle(person, effects);
  }

  end(): Replayed {
    const { from, to, live } = this.#range;
    const readTo = Math.min(this.#range.readTo ?? Infinity, to - 1);
    if (this.#rules !== live) this.#goLive(from);
    this.#pass(readTo);
    if (this.#range.readTo !== undefined) this.#letGo();
    return { outcomes: this.#outcomes, subject: this.#subject(readTo) };
  }

  /**
   * The identify that triggers wait for is not here yet, and what comes finds nothing that waits: they are decided when
   * their wait would be over.
   */
  #letGo(): void {
    for (let person = this.#person; person !== undefined && person.held.length > 0; person = this.#person) {
      const due = Math.min(...person.held.map(dueOf));
      assert(person.changesAt <= due, 'a person changes when what they wait for is over');
      this.#pass(due);
    }
  }

  /** An event of a moment comes before what time turns at it. */
  #until(at: number): void {
    const { from, live } = this.#range;
    if (this.#rules !== live && at >= from) this.#goLive(from);
    this.#pass(at - 1);
  }

  #goLive(from: number): void {
    this.#pass(from - 1);
    this.#rules = this.#range.live;
  }

  #pass(until: number): void {
    if (this.#person === undefined || this.#person.changesAt > until) return;
    const { person, effects } = passTime(this.#subject(until), this.#person, until);
    this.#settle(person, effects);
  }

  #settle(person: Person, effects: readonly Effect[]): void {
    this.#person = person;
    const { journeyId, from, to } = this.#range;
    for (const effect of effects) {
      switch (effect.type) {
        case 'journey_entered':
        case 'journey_skipped':
          if (effect.journeyId === journeyId && effect.at >= from && effect.at < to && !this.#isLater(effect))
            this.#outcomes.push(effect);
          break;
        case 'trigger_held':
          this.#held.set(placeOf(effect.range, effect.place), effect.trigger);
          break;
        case 'triggers_let_go':
          for (let place = effect.from; place < effect.to; place += 1)
            this.#held.delete(placeOf(effect.range, place));
          break;
        default: // of no concern to whoever asks about a journey
      }
    }
  }

  /**
   * What was said later lets triggers go that wait for it. A stall waits for nobody, and time is not passed for it: what
   * answers it may have come since, and whoever decides that knows of the stall from here.
   */
  #passesTimeAlone({ type, mergedAt }: PersonEvent): boolean {
    const { live, journeyId, readTo = Infinity } = this.#range;
    if (mergedAt <= readTo || (type !== 'identify' && type !== 'membership')) return false;
    return live.journeys.get(journeyId)?.stall !== undefined;
  }

  /** By time a segment turned when it had not been passed yet: a record that waited for that moment made it pass here. */
  #isLater({ at, triggerMessageId }: Outcome): boolean {
    const { readTo = Infinity } = this.#range;
    return triggerMessageId === null && at > readTo;
  }

  #subject(readTo: number): Subject {
    const { personId, profile, firstSeenAt } = this.#history;
    return {
      personId,
      firstSeenAt,
      person: this.#person,
      profile: () => profile,
      rules: this.#rules,
      heldTriggers: (range, from, to) =>
        Array.from({ length: to - from }, (_, index) => this.#held.get(placeOf(range, from + index))).filter(
          (trigger) => trigger !== undefined,
        ),
      readTo,
    };
  }
}

function placeOf(range: number, place: number): string {
  return `${String(range)} ${String(place)}`;
}
