/**
 * What a record of a person's stream means: the heart of the trigger. Pure: state, rules and record in; state and
 * effects out.
 *
 * The order within one event (spec C.1 row 16): what time alone has changed, what new definitions have changed, then
 * the event's marks, the segments that turn, then the journeys. A release is history first and then the identify;
 * triggers of the history wait for the identify, so that filters see what the identify says.
 */
import { matches, windowTime, type RuleEvent } from '../../rules/matching.ts';
import { marksOf } from '../../rules/memory.ts';
import { parseJsonObject, type JsonObject } from '../../rules/paths.ts';
import type { Effect } from './effects.ts';
import { Look } from './look.ts';
import { applyIdentify, attributeAt, withKnown, type Known, type Profile } from './profile.ts';
import { applyRelate } from './relationships.ts';
import { newPerson, ruleStateBytesMax, withClaim, type Person } from './state.ts';
import { watchersFor, type WorkspaceRules } from './workspace-rules.ts';

/** Spec C.1 rows 11 and 12: an older event counts for segments and history, and triggers no journey. */
export const triggerAgeMsMax = 72 * 3_600_000;

export interface Subject {
  readonly personId: string;
  /** undefined: nothing is known of the person yet. */
  readonly person: Person | undefined;
  /** Size of what is kept of the person but for the profile; absent for nothing. */
  readonly storedBytes?: number;
  /** Read only when something asks for it. */
  readonly profile: () => Profile;
  readonly rules: WorkspaceRules;
}

/** A record of kind event, with what is dear to decode asked for on demand. */
export interface PersonEvent {
  readonly type: 'event' | 'page' | 'screen' | 'identify' | 'relate';
  readonly name: string | null;
  readonly messageId: string;
  readonly anonymousId: string | null;
  readonly timestamp: number;
  readonly receivedAt: number;
  readonly mergedAt: number;
  readonly previouslyAnonymous: boolean;
  readonly byCioId: boolean;
  /** What identity says of the person; null: it was not asked about this event. */
  readonly known: Known | null;
  readonly details: () => {
    readonly id: string | null;
    readonly email: string | null;
    readonly attributes_at: number | null;
    readonly properties: string | null;
  };
}

export interface Decision {
  readonly person: Person;
  /** Present when it is to be stored. */
  readonly profile?: Profile;
  readonly effects: readonly Effect[];
}

export function decideEvent(subject: Subject, event: PersonEvent): Decision {
  return new EventDecision(subject, event).decide();
}

const noSegments: ReadonlySet<string> = new Set();

class EventDecision {
  readonly #subject: Subject;
  readonly #event: PersonEvent;
  readonly #isNew: boolean;
  readonly #before: Person;
  readonly #look: Look;
  readonly #firstSeenAt: number;
  readonly #effects: Effect[] = [];
  #profile: Profile | undefined;

  constructor(subject: Subject, event: PersonEvent) {
    this.#subject = subject;
    this.#event = event;
    this.#isNew = subject.person === undefined;
    this.#before = subject.person ?? newPerson;
    this.#firstSeenAt = Math.min(this.#before.firstSeenAt, windowTime(event.timestamp, event.receivedAt));
    this.#look = new Look(this.#before, {
      personId: subject.personId,
      rules: subject.rules,
      now: Math.max(this.#before.evaluatedAt, event.mergedAt),
      cause: event,
      attribute: (path) => attributeAt(this.#currentProfile(), subject.personId, this.#firstSeenAt, path),
      relationships: () => this.#currentProfile().relationships ?? [],
      firstSeenAt: this.#firstSeenAt,
    });
  }

  decide(): Decision {
    const { rules } = this.#subject;
    this.#look.catchUp(this.#isNew ? rules.stamp : this.#before.stamp);
    let { claims, identified } = this.#before;
    if (this.#event.type === 'identify') {
      const { anonymousId } = this.#event;
      const isMoment = !identified || (anonymousId !== null && !claims.includes(anonymousId));
      this.#identify(isMoment);
      identified = true;
      if (anonymousId !== null) claims = withClaim(claims, anonymousId);
    } else if (this.#event.type === 'relate') this.#relate();
    else this.#happened();
    const person = this.#look.finish(this.#withOwn(claims, identified));
    const effects = [...this.#effects, ...this.#look.effects];
    return this.#profile === undefined ? { person, effects } : { person, profile: this.#profile, effects };
  }

  /** The same object when nothing of it is new, so that nothing has to be written. */
  #withOwn(claims: readonly string[], identified: boolean): Person {
    const before = this.#before;
    const firstSeenAt = this.#firstSeenAt;
    const same =
      !this.#isNew &&
      before.firstSeenAt === firstSeenAt &&
      before.claims === claims &&
      before.identified === identified;
    return same ? before : { ...before, firstSeenAt, claims, identified };
  }

  /** An event, page or screen. */
  #happened(): void {
    const { rules } = this.#subject;
    const { type, name, messageId } = this.#event;
    const look = this.#look;
    const watchers = watchersFor(rules, type, name);
    const ruleEvent = watchers === undefined ? undefined : this.#ruleEvent();
    if (this.#isSeenEarlier) this.#publishProfile(this.#currentProfile());
    const dirty = new Set(this.#segmentsTouched(this.#takeKnown()));
    const counts = this.#event.mergedAt >= (this.#before.clearedAt ?? -Infinity);
    const full = (this.#subject.storedBytes ?? 0) >= ruleStateBytesMax;
    const refused = new Set<string>();
    for (const { rule, condition } of counts ? (watchers?.counted ?? []) : []) {
      const marks = ruleEvent === undefined ? [] : marksOf(condition, ruleEvent, look.patterns);
      if (marks.length === 0) continue;
      if (full) {
        refused.add(rule.key);
        continue;
      }
      for (const mark of marks) look.count(rule, condition, mark);
      dirty.add(rule.key);
    }
    this.#refuse('rules', [...refused]);
    const held = this.#heldFor();
    const turns = look.turnSegments(dirty, messageId);
    look.startJourneysOf(turns, messageId, { held });
    if (!this.#mayTrigger()) return;
    for (const rule of watchers?.triggers ?? []) {
      const { trigger } = rule.journey;
      if (ruleEvent === undefined || trigger.type !== 'event' || !matches(trigger, ruleEvent, look.patterns))
        continue;
      look.startJourney(rule, messageId, held);
    }
  }

  #identify(isMoment: boolean): void {
    const { messageId, anonymousId, byCioId, known } = this.#event;
    const { id, email, attributes_at: at, properties } = this.#event.details();
    const by = [at ?? this.#event.receivedAt, messageId] as const;
    const before = this.#currentProfile();
    const call = { attributes: parseJsonObject(properties), by, id, email, byCioId, known };
    const { profile, changed, refused } = applyIdentify(before, call);
    this.#profile = profile;
    this.#refuse('attributes', refused);
    if (changed.length > 0 || this.#isSeenEarlier || this.#isNew) this.#publishProfile(profile);
    const look = this.#look;
    const turns = look.turnSegments(this.#segmentsTouched(changed.length > 0), messageId);
    if (anonymousId !== null) look.releaseHeld(anonymousId);
    look.startJourneysOf(turns, messageId);
    if (!isMoment || !this.#mayTrigger()) return;
    for (const rule of this.#subject.rules.onIdentified) look.startJourney(rule, messageId, null);
  }

  /** No event and no identify: the person belongs to objects, or no more. */
  #relate(): void {
    const named = this.#takeKnown();
    const before = this.#currentProfile();
    const own = before.relationships ?? [];
    const { relationships, refused } = applyRelate(own, this.#event.details().properties);
    this.#refuse('relationships', refused);
    const isOther = relationships !== own || this.#isSeenEarlier || this.#isNew;
    if (isOther) this.#publishProfile({ ...before, relationships });
    const look = this.#look;
    const touched = this.#segmentsTouched(named || relationships !== own);
    const turns = look.turnSegments(touched, this.#event.messageId);
    look.startJourneysOf(turns, this.#event.messageId);
  }

  /** An event from before the first touch so far. */
  get #isSeenEarlier(): boolean {
    return this.#firstSeenAt < this.#before.firstSeenAt;
  }

  /** Segments to look at because of who the person is, before anything is counted. */
  #segmentsTouched(profileChanged: boolean): ReadonlySet<string> {
    if (this.#isNew) return this.#look.allSegments();
    return profileChanged || this.#isSeenEarlier ? this.#look.segmentsThatUseProfile() : noSegments;
  }

  #refuse(what: 'attributes' | 'relationships' | 'rules', names: readonly string[]): void {
    if (names.length === 0) return;
    const { mergedAt: at, messageId, anonymousId } = this.#event;
    this.#effects.push({ type: 'left_out', what, names, at, messageId, anonymousId });
  }

  /** An event that named somebody whom its lane did not know. True when an identifier is another now. */
  #takeKnown(): boolean {
    const { known } = this.#event;
    if (known === null) return false;
    const before = this.#currentProfile();
    const { profile, changed } = withKnown(before, known);
    if (profile !== before) this.#profile = profile;
    return changed.length > 0;
  }

  #mayTrigger(): boolean {
    return this.#event.mergedAt - this.#event.timestamp <= triggerAgeMsMax;
  }

  /** History of a release whose identify is still to come; what merges in the minutes after it waits for nothing. */
  #heldFor(): string | null {
    const { previouslyAnonymous, anonymousId } = this.#event;
    if (!previouslyAnonymous || anonymousId === null) return null;
    return this.#before.claims.includes(anonymousId) ? null : anonymousId;
  }

  #ruleEvent(): RuleEvent | undefined {
    const { type, name, messageId, timestamp, receivedAt, details } = this.#event;
    if (type === 'identify' || type === 'relate') return undefined;
    let parsed: JsonObject | undefined;
    const properties = () => (parsed ??= parseJsonObject(details().properties));
    return { type, name, messageId, time: windowTime(timestamp, receivedAt), receivedAt, properties };
  }

  #currentProfile(): Profile {
    return this.#profile ?? this.#subject.profile();
  }

  #publishProfile(profile: Profile): void {
    this.#profile = { ...profile, version: profile.version + 1 };
    this.#effects.push({
      type: 'profile_changed',
      state: 'alive',
      absorbedInto: null,
      at: this.#event.mergedAt,
      profile: this.#profile,
      firstSeenAt: this.#firstSeenAt,
    });
  }
}
