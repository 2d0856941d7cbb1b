/**
 * A person from whom something was split off, or to whom it went. Which of the counted events are whose cannot be told
 * from the counts, so both people start anew: what the rules have counted, and which journeys were entered, is
 * forgotten, and memberships that rested on it end. Nobody did anything, so no journey starts. Pure.
 */
import type { Decision, Subject } from './subject.ts';
import { Look } from './look.ts';
import type { Change } from './merge.ts';
import { caughtUp } from './pass-time.ts';
import { attributeAt, withKnown } from './profile.ts';
import { JourneyStates } from './journey-states.ts';
import { newPerson, type Person, type RuleState } from './state.ts';

export function decideSplit(asked: Subject, { at, known }: Change): Decision {
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
  const cleared = withoutRuleState(catchUp.finish(before), at);
  const look = new Look(cleared, options);
  look.journeys.disinherit();
  look.turnSegments(look.allSegments(), null);
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
