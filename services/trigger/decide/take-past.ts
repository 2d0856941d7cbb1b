/** What a person did before a rule was there, from the reader of the past; and a look at somebody for whom it is all in. Pure. */
import { joinMarks } from '../../rules/memory.ts';
import type { PastOfPerson } from '../past-messages.ts';
import { lookAt } from './look-at.ts';
import { caughtUp } from './pass-time.ts';
import { ruleStateBytesMax, withApart, type Person } from './state.ts';
import type { Decision, Subject } from './subject.ts';
import { isOfBeforeSplit } from './take-apart.ts';

/** undefined: the rule is another by now, and nothing changes. */
export function decidePast(asked: Subject, person: Person, past: PastOfPerson): Decision | undefined {
  const rule = asked.rules.rulesByKey.get(past.rule);
  const condition = rule?.events.find(({ pointer }) => pointer === past.pointer);
  if (rule?.version !== past.version || condition === undefined) return undefined;
  const { subject, effects, patternSteps } = caughtUp({ ...asked, person });
  const before = subject.person ?? person;
  const look = lookAt(subject, before);
  if (before.stamp !== subject.rules.stamp) look.catchUpWithDefinitions();
  const refusal = refused(asked, person, past);
  if (refusal === undefined) {
    look.joinPast(rule, past.pointer, (own) => joinMarks(condition, own, past.marks));
    const turns = look.turnSegments(new Set([rule.key]), 'definition');
    look.startJourneysOf(turns, null, { only: ({ journey }) => journey.includeCurrent === true });
  }
  const taken = look.finish(before);
  const isAgain = refusal === 'read again';
  return {
    person: isAgain ? withApart(taken, [asked.personId]) : taken,
    effects: [...effects, ...(refusal === undefined || isAgain ? [] : [refusal]), ...look.effects],
    patternSteps: patternSteps + look.patterns.taken,
  };
}

/** Everything that the person's rules say now, of which some may not have been asked yet. */
export function decideRefresh(asked: Subject, person: Person): Decision {
  const { subject, effects, patternSteps } = caughtUp({ ...asked, person });
  const before = subject.person ?? person;
  const look = lookAt(subject, before);
  if (before.stamp !== subject.rules.stamp) look.catchUpWithDefinitions();
  return {
    person: look.finish(before),
    effects: [...effects, ...look.effects],
    patternSteps: patternSteps + look.patterns.taken,
  };
}

/** After a split that the reader did not know of all is read again. Without room the person counts on without it, and is told so. */
function refused({ storedBytes = 0 }: Subject, person: Person, past: PastOfPerson) {
  const isSplit = isOfBeforeSplit(person, past);
  if (isSplit && person.clearedBy !== undefined) return 'read again';
  if (!isSplit && storedBytes < ruleStateBytesMax) return undefined;
  const cause = { at: past.asOf, messageId: null, anonymousId: null };
  return { type: 'left_out', what: 'rules', names: [past.rule], ...cause } as const;
}
