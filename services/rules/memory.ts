/**
 * What a condition remembers of a person's events, whichever condition it is: an event leaves marks, marks are kept, the
 * marks of two people join, and the marks answer at any moment. Plain data, so that a state can be stored and moved.
 */
import { matchersOf, type CountedCondition } from './condition.ts';
import { deviceMark, devicesThatPass, isLaterOfDevice, rememberDevice } from './devices.ts';
import { markOf, matches, type RuleEvent } from './matching.ts';
import type { PatternTests } from './pattern-steps.ts';
import {
  isAnswerOfSequence,
  isLaterOfSequence,
  rememberForSequence,
  sequenceEvents,
  sequenceMark,
  sequenceVerdict,
} from './sequence.ts';
import { ANSWER, isAnswer, isLaterOfStall, rememberForStall, stallVerdict } from './stall.ts';
import { addMark, countWithin, isLaterMark, marksNeeded, type Mark, type Marks } from './windows.ts';
import { unreachable } from '../runtime/errors.ts';

/** The marks that an event leaves: none when it has nothing to do with the condition. */
export function marksOf(
  condition: CountedCondition,
  event: RuleEvent,
  patterns?: PatternTests,
): readonly Mark[] {
  switch (condition.type) {
    case 'event': {
      const mark = matches(condition, event, patterns) ? markOf(condition, event) : undefined;
      return mark === undefined ? [] : [mark];
    }
    case 'stall': {
      const marks: Mark[] = [];
      const { time, messageId } = event;
      if (matches(condition.of, event, patterns)) marks.push([time, messageId]);
      if (matches(condition.without, event, patterns)) marks.push([time, messageId, ANSWER]);
      return marks;
    }
    case 'sequence': {
      const matched = matchersOf(condition).flatMap((matcher, step) =>
        matches(matcher, event, patterns) ? [step] : [],
      );
      return matched.length === 0 ? [] : [sequenceMark(event, matched)];
    }
    case 'device': {
      const mark = deviceMark(condition, event, patterns);
      return mark === undefined ? [] : [mark];
    }
    default:
      return unreachable(condition);
  }
}

/** The marks to keep with this one; the same list when it changes nothing. */
export function remember(condition: CountedCondition, marks: Marks, mark: Mark): Marks {
  switch (condition.type) {
    case 'event':
      return addMark(marks, mark, condition.count);
    case 'stall':
      return rememberForStall(condition, marks, mark);
    case 'sequence':
      return rememberForSequence(condition, marks, mark);
    case 'device':
      return rememberDevice(marks, mark);
    default:
      return unreachable(condition);
  }
}

/** The mark of what answers others and begins nothing. */
export function isOnlyAnswer(condition: CountedCondition, mark: Mark): boolean {
  if (condition.type === 'stall') return isAnswer(mark);
  return condition.type === 'sequence' && isAnswerOfSequence(condition, mark);
}

/** The order in which marks are kept. */
export function latestFirst({ type }: CountedCondition): (a: Mark, b: Mark) => number {
  const isLater = LATER[type];
  return (a, b) => (isLater(a, b) ? -1 : isLater(b, a) ? 1 : 0);
}
const LATER = {
  event: isLaterMark,
  stall: isLaterOfStall,
  sequence: isLaterOfSequence,
  device: isLaterOfDevice,
};

/** The marks of one person who did all that these two did. */
export function joinMarks(condition: CountedCondition, a: Marks, b: Marks): Marks {
  return b.reduceRight<Marks>((joined, mark) => remember(condition, joined, mark), a);
}

export interface MarksVerdict {
  readonly result: boolean;
  /** ms; Infinity for never. */
  readonly changesAt: number;
}

export function verdictOf(condition: CountedCondition, marks: Marks, now: number): MarksVerdict {
  switch (condition.type) {
    case 'event':
      return countWithin(marks, condition.count, condition.withinMs, now);
    case 'stall':
      return stallVerdict(condition, marks, now);
    case 'sequence':
      return sequenceVerdict(condition, marks, now);
    case 'device':
      return countWithin(devicesThatPass(marks), condition.count, condition.withinMs, now);
    default:
      return unreachable(condition);
  }
}

export interface Found {
  /** The number counted, the steps gone, the devices that pass, or how the stall stands. */
  readonly value: number | string;
  /** Message ids of the events that it rests on, latest first; no more than decide it. */
  readonly events: readonly string[];
}

export function foundIn(condition: CountedCondition, marks: Marks, now: number): Found {
  switch (condition.type) {
    case 'event': {
      const kept = marks.slice(0, marksNeeded(condition.count));
      const { value } = countWithin(kept, condition.count, condition.withinMs, now);
      return { value, events: kept.slice(0, value).map(([, id]) => id) };
    }
    case 'stall': {
      const { value, events } = stallVerdict(condition, marks, now);
      return { value, events };
    }
    case 'sequence': {
      const { steps, events } = sequenceEvents(condition, marks, now);
      return { value: steps, events: events.map(([, id]) => id) };
    }
    case 'device': {
      const had = devicesThatPass(marks);
      const { value } = countWithin(had, condition.count, condition.withinMs, now);
      return {
        value,
        events: had.slice(0, Math.min(value, marksNeeded(condition.count))).map(([, id]) => id),
      };
    }
    default:
      return unreachable(condition);
  }
}
