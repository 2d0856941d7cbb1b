/**
 * What a counting condition remembers of a person: the latest matching events, as many as it needs and no more.
 *
 * "At least n within W" holds at T while the n-th latest is later than T − W, so n marks decide it, the moment at which
 * it stops holding is known, and the marks of two people merge into the marks that one person with both histories would
 * have. `at_most n` is `not at_least n+1`. `distinct` keeps the latest mark of each of the n latest values.
 */
import type { Count } from './condition.ts';

/** Time in ms, message id and, for a distinct count, the value. Plain data: marks are stored as JSON. */
export type Mark = readonly [time: number, messageId: string, value?: string];

/** Latest first; equal times by message id, so that the order of arrival leaves no trace. */
export type Marks = readonly Mark[];

/** Marks that a count needs. */
export function marksNeeded(count: Count): number {
  return isAtMost(count) ? count.n + 1 : count.n;
}

/** Such a count is the negation of one more. */
export function isAtMost(count: Count): boolean {
  return count.type === 'at_most' || count.type === 'distinct_at_most';
}

export function addMark(marks: Marks, mark: Mark, count: Count): Marks {
  const others = withoutValue(marks, mark);
  if (others === undefined) return marks; // this value has a later mark
  let at = 0;
  while (at < others.length && isLaterMark(others[at], mark)) at += 1;
  if (isSameMark(others[at], mark)) return marks;
  const needed = marksNeeded(count);
  if (at >= needed) return marks;
  return [...others.slice(0, at), mark, ...others.slice(at, needed - 1)];
}

export interface WindowVerdict {
  readonly result: boolean;
  /** Marks inside the window, as far as they are kept. */
  readonly value: number;
  /** When the result changes if nothing more happens, ms; Infinity for never. */
  readonly changesAt: number;
}

/** A mark exactly `withinMs` old is outside. */
export function countWithin(marks: Marks, count: Count, withinMs: number | null, now: number): WindowVerdict {
  const value = withinMs === null ? marks.length : marks.filter(([time]) => time > now - withinMs).length;
  const needed = marksNeeded(count);
  const reached = value >= needed;
  const result = isAtMost(count) ? !reached : reached;
  const last = reached ? marks[needed - 1] : undefined;
  const changesAt = last === undefined || withinMs === null ? Infinity : last[0] + withinMs;
  return { result, value, changesAt };
}

export function isLaterMark(a: Mark | undefined, b: Mark): boolean {
  if (a === undefined) return false;
  return a[0] === b[0] ? a[1] > b[1] : a[0] > b[0];
}

/** Of one event: it is counted once, however often it comes. */
export function isSameMark(a: Mark | undefined, b: Mark): boolean {
  return a !== undefined && a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}

/** The marks less an older one of the same value; undefined when the value's mark there is the later one. */
function withoutValue(marks: Marks, mark: Mark): Marks | undefined {
  if (mark[2] === undefined) return marks;
  const same = marks.find(([, , value]) => value === mark[2]);
  if (same === undefined) return marks;
  return isLaterMark(same, mark) ? undefined : marks.filter((other) => other !== same);
}
