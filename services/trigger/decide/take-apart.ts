/**
 * What somebody from whom something was split off, or to whom it went, has done: counted again from what ClickHouse says is
 * theirs. It is all of their past, so some of it may have been counted since the split; a mark is kept once. Pure.
 */
import { joinMarks } from '../../rules/memory.ts';
import type { PastOfPerson, ToldApart } from '../past-messages.ts';
import type { Look } from './look.ts';
import { lookAt } from './look-at.ts';
import { caughtUp } from './pass-time.ts';
import { ruleStateBytesMax, withApart, withoutApart, type Person } from './state.ts';
import type { Decision, Subject } from './subject.ts';

/** Whether it was read without a split that is known here: some of it may be somebody else's. */
export function isOfBeforeSplit(
  { clearedAt, clearedBy }: Person,
  { asOf, asOfFact }: Pick<PastOfPerson, 'asOf' | 'asOfFact'>,
): boolean {
  if (clearedBy !== undefined && asOfFact !== undefined) return clearedBy > asOfFact;
  return clearedAt !== undefined && clearedAt > asOf;
}

/** @param person as known, who may have taken in the one who was taken apart. */
export function decideApart(asked: Subject, person: Person, told: ToldApart): Decision {
  const { subject, effects, patternSteps } = caughtUp({ ...asked, person });
  const before = subject.person ?? person;
  const joining = lookAt(subject, before);
  if (before.stamp !== subject.rules.stamp) joining.catchUpWithDefinitions();
  const isFull = (asked.storedBytes ?? 0) >= ruleStateBytesMax;
  // Somebody of whom the person now consists was split since: it is read once more, with that known.
  const isMissed = isOfBeforeSplit(person, told);
  if (!isFull && !isMissed) join(joining, subject, told);
  const joined = joining.finish(before);
  const heard = told.isLast ? withoutApart(joined, told.personId) : joined;
  const counted = isMissed ? withApart(heard, [asked.personId]) : heard;
  const turning = lookAt(subject, counted);
  turning.turnSegments(turning.allSegments(), 'split');
  return {
    person: turning.finish(counted),
    effects: [...effects, ...joining.effects, ...(isFull ? [leftOut(told)] : []), ...turning.effects],
    patternSteps: patternSteps + joining.patterns.taken + turning.patterns.taken,
  };
}

function join(look: Look, { rules }: Subject, { rules: versions, found }: ToldApart): void {
  for (const { rule: key, pointer, marks } of found) {
    const rule = rules.rulesByKey.get(key);
    const condition = rule?.events.find((one) => one.pointer === pointer);
    // Another rule by now has a past of its own.
    if (rule === undefined || condition === undefined || rule.version !== versions[key]) continue;
    look.joinPast(rule, pointer, (own) => joinMarks(condition, own, marks));
  }
}

function leftOut({ asOf, found }: ToldApart) {
  const names = [...new Set(found.map(({ rule }) => rule))];
  return { type: 'left_out', what: 'rules', names, at: asOf, messageId: null, anonymousId: null } as const;
}
