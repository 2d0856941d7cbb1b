/**
 * What a record of a person's stream means: the heart of the trigger. Pure: state, rules and record in; state and
 * effects out.
 *
 * The order within one event (spec C.1 row 16): what time alone has changed, what new definitions have changed, then
 * the event's marks, the segments that turn, then the journeys. A release is history first and then the identify;
 * triggers of the history wait for the identify, so that filters see what the identify says.
 */
import { matches, propertyAt, windowTime, type RuleEvent } from '../../rules/matching.ts';
import { marksOf } from '../../rules/memory.ts';
import { parseJsonObject } from '../../rules/paths.ts';
import type { Effect } from './effects.ts';
import { Look, type SegmentTurn } from './look.ts';
import { caughtUp } from './pass-time.ts';
import { applyIdentify, applyTraits, attributeAt, withKnown, type Known, type Profile } from './profile.ts';
import { objectLinks } from './object-links.ts';
import { applyRelate } from './relationships.ts';
import { newPerson, ruleStateBytesMax, withClaim, type Person } from './state.ts';
import type { Decision, Subject } from './subject.ts';
import { ruleEventOf } from './rule-event.ts';
import { runKeyOf } from './runs.ts';
import type { Triggered } from './journey-look.ts';
import { triggerAgeMsMax } from './trigger-age.ts';
import { watchersFor, type Watchers } from './watchers.ts';
import { placingKey, segmentKey, type JourneyRule, type Rule } from './workspace-rules.ts';

/** A record of kind event, with what is dear to decode asked for on demand. */
export interface PersonEvent {
  readonly type: 'event' | 'page' | 'screen' | 'identify' | 'relate' | 'traits' | 'membership';
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
  /** Whether the rule counts it as it comes; what does not is in the rule's past. Absent: every rule does. */
  readonly counts?: ((rule: Rule) => boolean) | undefined;
  /** Somebody did or said it who became the person later, and whom it triggered then. */
  readonly isInherited?: boolean;
  details(): {
    readonly id: string | null;
    readonly email: string | null;
    readonly attributes_at: number | null;
    readonly properties: string | null;
    /** JSON of the call; at least of what is about a device (services/rules/devices.ts). */
    readonly context: string | null;
    readonly bot: boolean;
  };
}

export function decideEvent(subject: Subject, event: PersonEvent): Decision {
  const { subject: current, effects, patternSteps } = caughtUp(subject);
  const decision = new EventDecision(current, event).decide();
  if (effects.length === 0 && patternSteps === 0) return decision;
  return {
    ...decision,
    effects: [...effects, ...decision.effects],
    patternSteps: patternSteps + (decision.patternSteps ?? 0),
  };
}

function newcomer({ firstSeenAt }: Subject): Person {
  return firstSeenAt === undefined ? newPerson : { ...newPerson, firstSeenAt };
}

const noSegments: ReadonlySet<string> = new Set();
const nothing = () => undefined;
/** Ids that a row names; the rest are counted. */
const objectsToldMax = 10;

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
    this.#before = subject.person ?? newcomer(subject);
    this.#firstSeenAt = Math.min(this.#before.firstSeenAt, windowTime(event.timestamp, event.receivedAt));
    this.#look = new Look(this.#before, {
      personId: subject.personId,
      rules: subject.rules,
      now: Math.max(this.#before.evaluatedAt, event.mergedAt),
      cause: event,
      heldTriggers: subject.heldTriggers,
      attribute: (path) => attributeAt(this.#currentProfile(), subject.personId, this.#firstSeenAt, path),
      relationships: () => this.#currentProfile().relationships ?? [],
      firstSeenAt: this.#firstSeenAt,
    });
  }

  decide(): Decision {
    const { rules } = this.#subject;
    if (!this.#isNew && this.#before.stamp !== rules.stamp) this.#look.catchUpWithDefinitions();
    let { claims, identified } = this.#before;
    if (this.#event.type === 'identify') {
      const { anonymousId } = this.#event;
      const isMoment = !identified || (anonymousId !== null && !claims.includes(anonymousId));
      this.#identify(isMoment);
      identified = true;
      if (anonymousId !== null) claims = withClaim(claims, anonymousId);
    } else if (this.#event.type === 'relate') this.#relate();
    else if (this.#event.type === 'membership') this.#membership();
    else if (this.#event.type === 'traits') this.#traits();
    else this.#happened();
    const person = this.#look.finish(this.#withOwn(claims, identified));
    const { effects: found, patterns } = this.#look;
    const effects = this.#effects.length === 0 ? found : [...this.#effects, ...found];
    return { person, profile: this.#profile, effects, patternSteps: patterns.taken };
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
    const ruleEvent = watchers === undefined ? undefined : ruleEventOf(this.#event);
    look.patterns.spend(watchers?.steps ?? 0);
    if (this.#isSeenEarlier) this.#publishProfile(this.#currentProfile());
    let dirty = this.#segmentsTouched(this.#takeKnown());
    const full = (this.#subject.storedBytes ?? 0) >= ruleStateBytesMax;
    if (watchers !== undefined && ruleEvent !== undefined && !this.#isCleared) {
      const counted = this.#count(watchers, ruleEvent, full);
      if (counted !== undefined) dirty = dirty.size === 0 ? counted : new Set([...dirty, ...counted]);
    }
    const held = this.#heldFor();
    const turns = look.turnSegments(dirty, 'call', messageId);
    this.#start(turns, held);
    if (ruleEvent === undefined) return;
    for (const rule of watchers?.triggers ?? []) this.#trigger(rule, ruleEvent, { held, full });
  }

  /** Keys of the rules that count the event. */
  #count(watchers: Watchers, event: RuleEvent, full: boolean): ReadonlySet<string> | undefined {
    const look = this.#look;
    let counted: Set<string> | undefined;
    let refused: Set<string> | undefined;
    for (const { rule, condition } of watchers.counted) {
      if (this.#event.counts?.(rule) === false) continue;
      const marks = marksOf(condition, event, look.patterns);
      if (marks.length === 0) continue;
      if (full) {
        (refused ??= new Set()).add(rule.key);
        continue;
      }
      for (const mark of marks) look.count(rule, condition, mark);
      (counted ??= new Set()).add(rule.key);
    }
    if (refused !== undefined) this.#refuse('rules', [...refused]);
    return counted;
  }

  /** It was merged before a split, which forgot what had been counted. */
  get #isCleared(): boolean {
    return this.#event.mergedAt < (this.#before.clearedAt ?? -Infinity);
  }

  #trigger(
    rule: JourneyRule,
    event: RuleEvent,
    { held, full }: { readonly held: string | null; readonly full: boolean },
  ): void {
    const { patterns, journeys } = this.#look;
    const { trigger, key: path } = rule.journey;
    if (trigger.type !== 'event' && trigger.type !== 'stall') return;
    const key = path === null ? null : runKeyOf(propertyAt(event, path));
    const triggered = { messageId: event.messageId, key, time: event.time };
    if (trigger.type === 'event') {
      if (!matches(trigger, event, patterns) || this.#isPastOf(rule)) return;
      if (this.#isTooOld) this.#skipTooOld(rule, triggered);
      else journeys.start(rule, triggered, held);
      return;
    }
    if (matches(trigger.without, event, patterns)) journeys.answer(rule, trigger, triggered);
    if (!matches(trigger.of, event, patterns) || rule.stall === undefined || this.#isPastOf(rule)) return;
    if (this.#isTooOld) this.#skipTooOld(rule, triggered);
    else if (full) journeys.skip(rule, triggered, 'key_limit', { state_bytes_max: ruleStateBytesMax });
    else journeys.arm(rule, trigger, triggered);
  }

  #skipTooOld(rule: JourneyRule, triggered: Triggered): void {
    const { mergedAt, timestamp } = this.#event;
    this.#look.journeys.skip(rule, triggered, 'too_old', { age_seconds: (mergedAt - timestamp) / 1_000 });
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
    const turns = look.turnSegments(this.#segmentsTouched(changed.length > 0), 'call', messageId);
    if (anonymousId !== null) look.journeys.releaseHeld(anonymousId);
    this.#start(turns);
    if (!isMoment) return;
    for (const rule of this.#subject.rules.onIdentified) {
      if (this.#isPastOf(rule)) continue;
      const triggered = { messageId, key: null };
      if (this.#isTooOld) this.#skipTooOld(rule, triggered);
      else look.journeys.start(rule, triggered, null);
    }
  }

  /** Journeys that these segments trigger. @param held anonymous id whose identify they wait for. */
  #start(turns: readonly SegmentTurn[], held: string | null = null): void {
    if (turns.length === 0) return;
    const only = (rule: JourneyRule): boolean => !this.#isToldOf(rule);
    this.#look.startJourneysOf(turns, this.#event.messageId, { only, held });
  }

  /** What it led to is told by who reads the past of the journey, or was when it came to another person. */
  #isPastOf(rule: JourneyRule): boolean {
    return this.#event.isInherited === true || this.#isToldOf(rule);
  }
  /** By who reads the past of the journey. */
  #isToldOf({ id }: JourneyRule): boolean {
    const placing = this.#subject.rules.rulesByKey.get(placingKey(id));
    return placing !== undefined && this.#event.counts?.(placing) === false;
  }

  /** No event and no identify: the person belongs to objects, or no more. */
  #relate(): void {
    const named = this.#takeKnown();
    const before = this.#currentProfile();
    const own = before.relationships ?? [];
    const { receivedAt: at } = this.#event;
    const time = { at, objectOf: this.#subject.objectOf ?? nothing };
    const applied = applyRelate(own, this.#event.details().properties, time);
    const { relationships, isOther } = applied;
    this.#refuse('relationships', applied.refused);
    this.#tellDeleted(applied.deleted);
    if (relationships !== own) this.#profile = { ...before, relationships };
    this.#effects.push(...objectLinks(own, relationships));
    if (isOther || this.#isSeenEarlier || this.#isNew) this.#publishProfile(this.#currentProfile());
    const touched = this.#segmentsTouched(named || isOther);
    this.#start(this.#look.turnSegments(touched, 'call', this.#event.messageId));
  }

  /** Objects that were deleted after the call: who waited in a lane meanwhile does not bring them back. */
  #tellDeleted(objects: readonly string[]): void {
    if (objects.length === 0) return;
    const { mergedAt: at, messageId, anonymousId } = this.#event;
    const detail = JSON.stringify({ objects: objects.slice(0, objectsToldMax), count: objects.length });
    this.#effects.push({ type: 'dropped', reason: 'object_deleted', at, messageId, anonymousId, detail });
  }

  /** What the visitor said of themselves fills what the person has not set. */
  #traits(): void {
    const { messageId, receivedAt: at } = this.#event;
    const named = this.#takeKnown();
    const attributes = parseJsonObject(this.#event.details().properties);
    const { profile, changed, refused } = applyTraits(this.#currentProfile(), { attributes, at, messageId });
    this.#profile = profile; // the same value said earlier is a first touch all the same
    this.#refuse('attributes', refused);
    if (changed.length > 0 || this.#isSeenEarlier || this.#isNew) this.#publishProfile(profile);
    const touched = this.#segmentsTouched(named || changed.length > 0);
    this.#start(this.#look.turnSegments(touched, 'call', messageId), this.#heldFor());
  }

  /** Somebody puts the person into a manual segment, or takes them out. */
  #membership(): void {
    const { name, messageId, anonymousId, mergedAt: at } = this.#event;
    const named = this.#takeKnown();
    if (this.#isSeenEarlier || this.#isNew) this.#publishProfile(this.#currentProfile());
    const look = this.#look;
    const turns = look.turnSegments(this.#segmentsTouched(named), 'call', messageId);
    const rule = this.#subject.rules.manual.get(segmentKey(name ?? ''));
    if (rule === undefined) {
      const detail = JSON.stringify({ segment_id: name });
      const reason = 'segment_unknown';
      this.#effects.push({ type: 'dropped', reason, at, messageId, anonymousId, detail });
    }
    const isMember = parseJsonObject(this.#event.details().properties)['action'] === 'add';
    const moved = rule === undefined ? [] : look.setMember(rule, isMember, 'call', messageId);
    this.#start([...turns, ...moved]);
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

  get #isTooOld(): boolean {
    return this.#event.mergedAt - this.#event.timestamp > triggerAgeMsMax;
  }

  /** History of a release whose identify is still to come; what merges in the minutes after it waits for nothing. */
  #heldFor(): string | null {
    const { previouslyAnonymous, anonymousId } = this.#event;
    if (!previouslyAnonymous || anonymousId === null) return null;
    return this.#before.claims.includes(anonymousId) ? null : anonymousId;
  }

  #currentProfile(): Profile {
    return this.#profile ?? this.#subject.profile();
  }

  #publishProfile(profile: Profile): void {
    const published = (this.#profile = { ...profile, version: profile.version + 1 });
    const [at, firstSeenAt] = [this.#event.mergedAt, this.#firstSeenAt];
    const told = { type: 'profile_changed', state: 'alive', absorbedInto: null, at, firstSeenAt } as const;
    this.#effects.push({ ...told, profile: published });
  }
}
