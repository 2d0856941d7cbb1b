/**
 * What time alone changes of a person: each change at its own moment, to the millisecond, however much later it is seen.
 * Pure.
 */
import { assert } from '../../runtime/errors.ts';
import type { Subject } from './subject.ts';
import type { Effect } from './effects.ts';
import { lookAt } from './look-at.ts';
import type { Person } from './state.ts';

export interface Passed {
  readonly person: Person;
  readonly effects: readonly Effect[];
  /** Steps of patterns that it took. */
  readonly patternSteps: number;
}

export interface CaughtUp extends Omit<Passed, 'person'> {
  readonly subject: Subject;
}

/** @param until ms; what is due then is included. */
export function passTime(subject: Subject, person: Person, until: number): Passed {
  const effects: Effect[] = [];
  let patternSteps = 0;
  let current = person;
  while (current.changesAt <= until) {
    const look = lookAt(subject, current, current.changesAt);
    look.catchUp(current.stamp);
    const next = look.finish(current);
    assert(next.changesAt > current.changesAt, 'a look at a moment leaves nothing due at it');
    effects.push(...look.effects);
    patternSteps += look.patterns.taken;
    current = next;
  }
  return { person: current, effects, patternSteps };
}

/**
 * The subject of a record that is its turn: everything that was due as far as all has been read has happened, also where the
 * record is late and was received before. So what a person goes through depends on the order of the log alone, and not on
 * when timers came to run.
 */
export function caughtUp(subject: Subject): CaughtUp {
  const { person: before, readTo } = subject;
  if (before === undefined || before.changesAt > readTo) return { subject, effects: [], patternSteps: 0 };
  const { person, ...passed } = passTime(subject, before, readTo);
  return { subject: { ...subject, person }, ...passed };
}
