/**
 * People who become one, and people who go. Pure. The absorbed person's state moves to the survivor's partition
 * (spec C.3): what it counted counts on, its journeys are the survivor's history, its attributes fill what is unset.
 * Nothing that moves triggers a journey by event; a segment that turns because of it does.
 */
import { joinMarks } from '../../rules/memory.ts';
import type { Marks } from '../../rules/windows.ts';
import type { Decision, Subject } from './subject.ts';
import type { Effect } from './effects.ts';
import type { HeldTrigger } from './held-triggers.ts';
import { JourneyLook } from './journey-look.ts';
import { JourneyStates, type StatesById } from './journey-states.ts';
import { Look } from './look.ts';
import { caughtUp } from './pass-time.ts';
import { objectLinks } from './object-links.ts';
import { attributeAt, mergeProfiles, newProfile, withKnown, type Known, type Profile } from './profile.ts';
import { withObjects } from './relationships.ts';
import {
  newPerson,
  ruleStateBytesMax,
  withApart,
  withClaim,
  type Person,
  type RuleState,
  type RuleStates,
} from './state.ts';
import { joinJourneys } from './runs.ts';
import { skipStallsBeyond } from './stalls-beyond.ts';
import { segmentKey, type ManualRule, type Rule, type WorkspaceRules } from './workspace-rules.ts';

/** What moves from the absorbed person to the survivor. */
export interface Moved {
  /** null: nothing was seen. */
  readonly firstSeenAt: number | null;
  readonly evaluatedAt: number;
  readonly identified: boolean;
  readonly rules: Readonly<Record<string, RuleState>>;
  readonly journeys: StatesById;
  readonly claims: readonly string[];
  /** Of what an earlier version sent. */
  readonly held?: readonly HeldTrigger[];
  /** Whose past is being read again since a split; absent: nobody's. */
  readonly apart?: readonly string[];
  /** As of Person. */
  readonly clearedBy?: number;
  readonly profile: Profile;
}

function movedState(person: Person | undefined, profile: Profile): Moved {
  const { firstSeenAt, evaluatedAt, identified, rules, journeys, claims, apart, clearedBy } =
    person ?? newPerson;
  return {
    firstSeenAt: Number.isFinite(firstSeenAt) ? firstSeenAt : null,
    evaluatedAt,
    identified,
    rules: Object.fromEntries(rules),
    journeys: journeys.byId,
    claims,
    ...(apart === undefined ? {} : { apart }),
    ...(clearedBy === undefined ? {} : { clearedBy }),
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
export function decideAbsorb(asked: Subject, moved: Moved, { at, known }: Change): Decision {
  const { subject, effects: passed, patternSteps: passedSteps } = caughtUp(asked);
  const { rules, personId } = subject;
  const before = subject.person ?? { ...newPerson, stamp: rules.stamp };
  const firstSeenAt = Math.min(before.firstSeenAt, moved.firstSeenAt ?? Infinity);
  const own = subject.profile();
  const joinedProfiles = mergeProfiles(ofToday(own, subject), ofToday(moved.profile, subject));
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
  const links = objectLinks(own.relationships ?? [], profile.relationships ?? []);
  const now = Math.max(before.evaluatedAt, moved.evaluatedAt, at);
  const options = {
    personId,
    rules,
    now,
    attribute: (path: string) => attributeAt(profile, personId, firstSeenAt, path),
    relationships: () => profile.relationships ?? [],
    heldTriggers: subject.heldTriggers,
    firstSeenAt,
  };
  const catchUp = new Look(before, options);
  if (before.stamp !== rules.stamp) catchUp.catchUpWithDefinitions();
  const current = catchUp.finish(before);
  const joined: Person = {
    ...withApart(splitAfter(current, moved.clearedBy), moved.apart ?? []),
    firstSeenAt,
    identified: before.identified || moved.identified,
    rules: mergeRules(current.rules, movedRules, rules),
    journeys: JourneyStates.of(mergeJourneys(current.journeys.byId, moved.journeys, rules)),
    claims: moved.claims.reduce(withClaim, before.claims),
  };
  const look = new Look(joined, options);
  tellStallsBeyond(look, joined, moved.journeys, rules);
  look.journeys.joinedStalls();
  for (const trigger of moved.held ?? []) look.journeys.inherited(trigger);
  const members = manualSegmentsOf(movedRules, rules);
  const put = members.flatMap((rule) => look.setMember(rule, true, 'merge'));
  look.startJourneysOf([...put, ...look.turnSegments(look.allSegments(), 'merge')], null);
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
    effects: [...passed, ...catchUp.effects, ...links, ...leftOut, changed, ...look.effects],
    patternSteps: passedSteps + catchUp.patterns.taken + look.patterns.taken,
  };
}

function tellStallsBeyond(
  { journeys: look }: Look,
  { journeys }: Person,
  moved: StatesById,
  rules: WorkspaceRules,
): void {
  for (const [id, theirs] of Object.entries(moved)) {
    const rule = rules.journeys.get(id);
    if (rule !== undefined) skipStallsBeyond(look, rule, journeys.stateOf(id), theirs);
  }
}

/** What was read of either before a split of one of them may be somebody else's. */
function splitAfter(person: Person, clearedBy: number | undefined): Person {
  if (clearedBy === undefined || (person.clearedBy ?? 0) >= clearedBy) return person;
  return { ...person, clearedBy };
}

/** Without objects that were deleted while the state was on its way. */
function ofToday(profile: Profile, { objectOf }: Subject): Profile {
  const { relationships: before } = profile;
  if (before === undefined || objectOf === undefined) return profile;
  return { ...profile, relationships: withObjects(before, objectOf).relationships };
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
export function decideDeparture(asked: Subject, departure: Departure): Decision & { readonly moved: Moved } {
  const { status, absorbedBy, at } = departure;
  const cause = status === 'absorbed' ? 'merge' : 'deletion';
  const { subject, effects: passed } = caughtUp(asked);
  const person = subject.person ?? newPerson;
  const profile = subject.profile();
  const left = [...person.rules]
    .filter(([, { since }]) => since !== undefined)
    .map(([key, { version }]): Effect => {
      const rule = subject.rules.segmentsByKey.get(key) ?? subject.rules.manual.get(key);
      const ruleVersion = rule?.definitionVersion ?? version;
      const segmentId = key.slice(segmentKey('').length);
      const told = { change: 'left', at, cause, causeMessageId: null, ruleVersion } as const;
      return { type: 'segment_changed', segmentId, ...told };
    });
  const effects: Effect[] = [];
  if (person.held.length > 0) letGo(subject, { person, at, isInherited: absorbedBy !== null }, effects);
  const gone: Effect = {
    type: 'profile_changed',
    state: status,
    absorbedInto: absorbedBy?.personId ?? null,
    at,
    profile: { ...newProfile, version: profile.version + 1 },
    firstSeenAt: Infinity,
  };
  return {
    moved: movedState(subject.person, profile),
    person: { ...newPerson, status, absorbedBy, evaluatedAt: at },
    effects: [...passed, ...effects, ...left, ...objectLinks(profile.relationships ?? [], []), gone],
  };
}

/** Manual segments that the absorbed person was in (spec C.3). */
function manualSegmentsOf(moved: Moved['rules'], { manual }: WorkspaceRules): readonly ManualRule[] {
  return Object.entries(moved).flatMap(([key, { version, since }]) => {
    const rule = manual.get(key);
    return rule?.version === version && since !== undefined ? [rule] : [];
  });
}

/** What waits for an identify. Of somebody who was deleted nothing is kept, and nothing is told. */
function letGo(
  { personId, rules, heldTriggers }: Subject,
  {
    person,
    at,
    isInherited,
  }: { readonly person: Person; readonly at: number; readonly isInherited: boolean },
  effects: Effect[],
): void {
  const now = Math.max(person.evaluatedAt, at);
  const whole = { effects, unmetFilter: () => null, entryEvidence: () => null }; // nobody enters
  new JourneyLook(person, { personId, rules, now, heldTriggers }, whole).disinherit(isInherited);
}

/** Marks of a version that is not in force here any more have nothing to count for. */
function mergeRules(ours: RuleStates, theirs: Moved['rules'], rules: WorkspaceRules): RuleStates {
  const merged = new Map(ours);
  for (const [key, moved] of Object.entries(theirs)) {
    const rule = rules.rulesByKey.get(key);
    if (rule?.version !== moved.version || 'manual' in rule) continue;
    const own = merged.get(key);
    const marks = mergeRuleMarks(rule, own?.marks ?? {}, moved.marks);
    const { version, since, changesAt, notBefore } = own ?? newRule(moved.version);
    merged.set(key, { version, marks, since, changesAt, notBefore });
  }
  return merged;
}

function newRule(version: number): RuleState {
  return { version, marks: {}, since: undefined, changesAt: undefined, notBefore: undefined };
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

function mergeJourneys(ours: StatesById, theirs: StatesById, { journeys }: WorkspaceRules): StatesById {
  const merged = new Map(Object.entries(ours));
  for (const [id, moved] of Object.entries(theirs)) {
    merged.set(id, joinJourneys(merged.get(id), moved, journeys.get(id)));
  }
  return Object.fromEntries(merged);
}
