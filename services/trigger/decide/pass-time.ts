/**
 * What time alone changes of a person: each change at its own moment, to the millisecond, however much later it is seen.
 * Pure.
 */
import { assert } from '../../runtime/errors.ts';
import type { Subject } from './subject.ts';
import type { Effect } from './effects.ts';
import { Look } from './look.ts';
import { attributeAt } from './profile.ts';
import type { Person } from './state.ts';

export interface Passed {
  readonly person: Person;
  readonly effects: readonly Effect[];
}

/** @param until ms; what is due then is included. */
export function passTime(subject: Subject, person: Person, until: number): Passed {
  const { personId, rules } = subject;
  const effects: Effect[] = [];
  let current = person;
  while (current.changesAt <= until) {
    const { firstSeenAt } = current;
    const look = new Look(current, {
      personId,
      rules,
      now: Math.max(current.evaluatedAt, current.changesAt),
      attribute: (path) => attributeAt(subject.profile(), personId, firstSeenAt, path),
      relationships: () => subject.profile().relationships ?? [],
      firstSeenAt,
    });
    look.catchUp(current.stamp);
    const next = look.finish(current);
    assert(next.changesAt > current.changesAt, 'a look at a moment leaves nothing due at it');
    effects.push(...look.effects);
    current = next;
  }
  return { person: current, effects };
}

/**
 * The subject of a record that was merged at `at`: what was due by then has happened. What is due between that up to which
 * everything has been read and `at` is not: such a record is held back (held-records.ts).
 */
export function caughtUp(subject: Subject, at: number): { subject: Subject; effects: readonly Effect[] } {
  const until = Math.min(subject.readTo, at);
  if (subject.person === undefined || subject.person.changesAt > until) return { subject, effects: [] };
  const { person, effects } = passTime(subject, subject.person, until);
  return { subject: { ...subject, person }, effects };
}
