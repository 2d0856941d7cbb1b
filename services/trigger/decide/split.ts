/**
 * A person from whom something was split off, or to whom it went. Which of the counted events are whose cannot be told
 * from the counts, so both people start anew: what the rules have counted, and which journeys were entered, is
 * forgotten. Their past is read again (take-apart.ts) and memberships stay as they are until it is in; where nobody reads
 * the past, those that rested on it end at once. Nobody did anything, so no journey starts. Pure.
 */
import type { Decision, Subject } from './subject.ts';
import { Look } from './look.ts';
import type { Change } from './merge.ts';
import { caughtUp } from './pass-time.ts';
import { attributeAt, withKnown } from './profile.ts';
import { JourneyStates } from './journey-states.ts';
import { newPerson, withApart, type Person, type RuleState } from './state.ts';

export interface SplitChange extends Change {
  /** Of the fact. */
  readonly factNumber: number;
  /** Somebody reads the past. */
  readonly isReadAgain: boolean;
}

export function decideSplit(asked: Subject, { at, known, factNumber, isReadAgain }: SplitChange): Decision {
  const { subject, effects: passed, patternSteps: passedSteps } = caughtUp(asked);
  const { rules, personId } = subject;
  const before = subject.person ?? { ...newPerson, stamp: rules.stamp };
  const stored = subject.profile();
  const profile = known === null ? stored : withKnown(stored, known).profile;
  const options = {
    personId,
    rules,
    now: Math.max(before.evaluatedAt, at),
    attribute: (path: string) => attributeAt(profile, personId, before.firstSeenAt, path),
    relationships: () => profile.relationships ?? [],
    heldTriggers: subject.heldTriggers,
    firstSeenAt: before.firstSeenAt,
  };
  const catchUp = new Look(before, options);
  if (before.stamp !== rules.stamp) catchUp.catchUpWithDefinitions();
  const anew = { ...withoutRuleState(catchUp.finish(before), at), clearedBy: factNumber };
  const cleared = isReadAgain ? withApart(anew, [personId]) : anew;
  const look = new Look(cleared, options);
  look.journeys.disinherit();
  look.turnSegments(look.allSegments(), 'split');
  const person = look.finish(cleared);
  const patternSteps = passedSteps + catchUp.patterns.taken + look.patterns.taken;
  return { person, profile, effects: [...passed, ...catchUp.effects, ...look.effects], patternSteps };
}

/** Members stay members until they are looked at. */
function withoutRuleState(person: Person, clearedAt: number): Person {
  const members = [...person.rules].flatMap(([key, { version, since }]): [string, RuleState][] =>
    since === undefined ? [] : [[key, { version, marks: {}, since }]],
  );
  const nothing = { journeys: JourneyStates.none, changesAt: Infinity };
  return { ...person, ...nothing, rules: new Map(members), clearedAt };
}
