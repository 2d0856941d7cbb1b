/** A look at a person as they are stored: what of them rules ask is read when it is asked for. Pure. */
import { Look } from './look.ts';
import { attributeAt } from './profile.ts';
import type { Person } from './state.ts';
import type { Subject } from './subject.ts';

/** @param at ms; not before the person was last looked at. */
export function lookAt(subject: Subject, person: Person, at = subject.readTo): Look {
  const { personId, rules, heldTriggers } = subject;
  const { firstSeenAt } = person;
  return new Look(person, {
    personId,
    rules,
    now: Math.max(person.evaluatedAt, at),
    attribute: (path) => attributeAt(subject.profile(), personId, firstSeenAt, path),
    relationships: () => subject.profile().relationships ?? [],
    firstSeenAt,
    heldTriggers,
  });
}
