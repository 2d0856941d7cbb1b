/**
 * People who become one, and people who go. Pure. The absorbed person's state moves to the survivor's partition
 * (spec C.3): what it counted counts on, its journeys are the survivor's history, its attributes fill what is unset.
 * Nothing that moves triggers a journey by event; a segment that turns because of it does.
 */
import { joinMarks } from '../../rules/memory.ts';
import type { Marks } from '../../rules/windows.ts';
import type { Decision, Subject } from './decide.ts';
import type { Effect } from './effects.ts';
import { Look } from './look.ts';
import { attributeAt, mergeProfiles, newProfile, withKnown, type Known, type Profile } from './profile.ts';
import {
  heldTriggersMax,
  newPerson,
  ruleStateBytesMax,
  withClaim,
  type HeldTrigger,
  type JourneyState,
  type Person,
  type RuleState,
} from './state.ts';
import { segmentKey, type Rule, type WorkspaceRules } from './workspace-rules.ts';

/** What moves from the absorbed person to the survivor. */
export interface Moved {
  /** null: nothing was seen. */
  readonly firstSeenAt: number | null;
  readonly evaluatedAt: number;
  readonly identified: boolean;
  readonly rules: Readonly<Record<string, RuleState>>;
  readonly journeys: Readonly<Record<string, JourneyState>>;
  readonly claims: readonly string[];
  readonly held: readonly HeldTrigger[];
  readonly profile: Profile;
}

export function movedState(person: Person | undefined, profile: Profile): Moved {
  const { firstSeenAt, evaluatedAt, identified, rules, journeys, claims, held } = person ?? newPerson;
  return {
    firstSeenAt: Number.isFinite(firstSeenAt) ? firstSeenAt : null,
    evaluatedAt,
    identified,
    rules,
    journeys,
    claims,
    held,
    profile,
  };
}

/** What identity says when it merges two people or takes them apart. */
export interface Change {
  /** ms */
  readonly at: number;
  /** Identifiers of the person whose record it is, now. */
  readonly known: Known | null;
}

/** The survivor takes in what has moved. */
export function decideAbsorb(subject: Subject, moved: Moved, { at, known }: Change): Decision {
  const { rules, personId } = subject;
  const before = subject.person ?? { ...newPerson, stamp: rules.stamp };
  const firstSeenAt = Math.min(before.firstSeenAt, moved.firstSeenAt ?? Infinity);
  const joinedProfiles = mergeProfiles(subject.profile(), moved.profile);
  const { profile: both } = joinedProfiles;
  const merged = known === null ? both : withKnown(both, known).profile;
  const full = (subject.storedBytes ?? 0) >= ruleStateBytesMax;
  const movedRules = full ? {} : moved.rules;
  const leftOut = [
    ...leftOutOf('attributes', joinedProfiles.refused, at),
    ...leftOutOf('relationships', joinedProfiles.refusedRelationships, at),
    ...leftOutOf('rules', full ? Object.keys(moved.rules) : [], at),
  ];
  const profile = { ...merged, version: merged.version + 1 };
  const now = Math.max(before.evaluatedAt, moved.evaluatedAt, at);
  const options = {
    personId,
    rules,
    now,
    attribute: (path: string) => attributeAt(profile, personId, firstSeenAt, path),
    relationships: () => profile.relationships ?? [],
    firstSeenAt,
  };
  const catchUp = new Look(before, options);
  catchUp.catchUp(before.stamp);
  const current = catchUp.finish(before);
  const joined: Person = {
    ...current,
    firstSeenAt,
    identified: before.identified || moved.identified,
    rules: mergeRules(current.rules, movedRules, rules),
    journeys: mergeJourneys(current.journeys, moved.journeys),
    claims: moved.claims.reduce(withClaim, before.claims),
    held: [...current.held, ...moved.held].slice(0, heldTriggersMax),
  };
  const look = new Look(joined, options);
  look.startJourneysOf(look.turnSegments(look.allSegments(), null), null);
  const changed: Effect = {
    type: 'profile_changed',
    state: 'alive',
    absorbedInto: null,
    at,
    profile,
    firstSeenAt,
  };
  return {
    person: look.finish(joined),
    profile,
    effects: [...catchUp.effects, ...leftOut, changed, ...look.effects],
  };
}

/** The survivor has no room for it. */
function leftOutOf(
  what: 'attributes' | 'relationships' | 'rules',
  names: readonly string[],
  at: number,
): readonly Effect[] {
  if (names.length === 0) return [];
  return [{ type: 'left_out', what, names, at, messageId: null, anonymousId: null }];
}

export interface Departure {
  readonly status: 'absorbed' | 'deleted';
  readonly absorbedBy: Person['absorbedBy'];
  /** ms */
  readonly at: number;
}

/** The person leaves every segment; what is left says where to forward, or that records are dropped. */
export function decideDeparture(subject: Subject, departure: Departure): Decision {
  const { status, absorbedBy, at } = departure;
  const person = subject.person ?? newPerson;
  const left = Object.entries(person.rules)
    .filter(([, { since }]) => since !== undefined)
    .map(([key, { version }]): Effect => {
      const rule = subject.rules.segmentsByKey.get(key);
      const ruleVersion = rule?.definitionVersion ?? version;
      const segmentId = key.slice(segmentKey('').length);
      return { type: 'segment_changed', segmentId, change: 'left', at, causeMessageId: null, ruleVersion };
    });
  const gone: Effect = {
    type: 'profile_changed',
    state: status,
    absorbedInto: absorbedBy?.personId ?? null,
    at,
    profile: { ...newProfile, version: subject.profile().version + 1 },
    firstSeenAt: Infinity,
  };
  return {
    person: { ...newPerson, status, absorbedBy, evaluatedAt: at },
    effects: [...left, gone],
  };
}

/** Marks of a version that is not in force here any more have nothing to count for. */
function mergeRules(ours: Person['rules'], theirs: Person['rules'], rules: WorkspaceRules): Person['rules'] {
  const merged = new Map(Object.entries(ours));
  for (const [key, moved] of Object.entries(theirs)) {
    const rule = rules.rulesByKey.get(key);
    if (rule?.version !== moved.version) continue;
    const own = merged.get(key);
    const marks = mergeRuleMarks(rule, own?.marks ?? {}, moved.marks);
    merged.set(key, own === undefined ? { version: moved.version, marks } : { ...own, marks });
  }
  return Object.fromEntries(merged);
}

function mergeRuleMarks(
  rule: Rule,
  ours: RuleState['marks'],
  theirs: RuleState['marks'],
): RuleState['marks'] {
  const none: Marks = [];
  return Object.fromEntries(
    rule.events
      .map((condition) => {
        const { pointer } = condition;
        return [pointer, joinMarks(condition, ours[pointer] ?? none, theirs[pointer] ?? none)] as const;
      })
      .filter(([, marks]) => marks.length > 0),
  );
}

/** Both histories count towards how often the survivor may enter. */
function mergeJourneys(ours: Person['journeys'], theirs: Person['journeys']): Person['journeys'] {
  const merged = new Map(Object.entries(ours));
  for (const [id, moved] of Object.entries(theirs)) {
    const own = merged.get(id);
    merged.set(id, own === undefined ? moved : joinJourneys(own, moved));
  }
  return Object.fromEntries(merged);
}

function joinJourneys(a: JourneyState, b: JourneyState): JourneyState {
  return {
    entries: a.entries + b.entries,
    lastEnteredAt: pick(Math.max, a.lastEnteredAt, b.lastEnteredAt),
    heldOutAt: pick(Math.min, a.heldOutAt, b.heldOutAt),
  };
}

function pick(choose: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : choose(a, b);
}
