/**
 * A person from whom something was split off, or to whom it went. Which of the counted events are whose cannot be told
 * from the counts, so both people start anew: what the rules have counted, and which journeys were entered, is
 * forgotten, and memberships that rested on it end. Nobody did anything, so no journey starts. Pure.
 */
import type { Decision, Subject } from './decide.ts';
import { Look } from './look.ts';
import type { Change } from './merge.ts';
import { attributeAt, withKnown } from './profile.ts';
import { newPerson, type Person, type RuleState } from './state.ts';

export function decideSplit(subject: Subject, { at, known }: Change): Decision {
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
    firstSeenAt: before.firstSeenAt,
  };
  const catchUp = new Look(before, options);
  catchUp.catchUp(before.stamp);
  const cleared = withoutRuleState(catchUp.finish(before), at);
  const look = new Look(cleared, options);
  look.turnSegments(look.allSegments(), null);
  return { person: look.finish(cleared), profile, effects: [...catchUp.effects, ...look.effects] };
}

/** Members stay members until they are looked at. */
function withoutRuleState(person: Person, clearedAt: number): Person {
  const members = Object.entries(person.rules).flatMap(([key, { version, since }]): [string, RuleState][] =>
    since === undefined ? [] : [[key, { version, marks: {}, since }]],
  );
  const nothing = { journeys: {}, held: [], changesAt: Infinity };
  return { ...person, ...nothing, rules: Object.fromEntries(members), clearedAt };
}
