/**
 * Steps one after the other, and nothing of another kind in a time after them where the condition says so. Events of one
 * time are in the order of their receipt, then of their message ids, and an event is one step only.
 *
 * Taken from the end, the latest event of the last step and then always the latest one before it is the sequence that
 * began last and ended last of all that there are: if any lies within a window this one does. What comes, however late,
 * can only move its events towards now. So what lies before its first is forgotten, and the rest kept up to a bound:
 * above it what arrives in order is still exact, and a late event may find its neighbours forgotten.
 */
import type { SequenceCondition } from './condition.ts';
import { sequenceMarksMax } from './limits.ts';
import { compareText } from './operators.ts';
import type { Mark, Marks } from './windows.ts';

type Sequence = Pick<SequenceCondition, 'steps' | 'withinMs' | 'without'>;

interface Happened {
  readonly time: number;
  readonly messageId: string;
  readonly receivedAt: number;
}

/** @param matched numbers of the steps; that of `without` is the one behind the last. */
export function sequenceMark({ time, messageId, receivedAt }: Happened, matched: readonly number[]): Mark {
  const bits = matched.reduce((sum, step) => sum | (1 << step), 0);
  return [time, messageId, `${bits.toString(36)}.${receivedAt.toString(36)}`];
}

export interface SequenceVerdict {
  readonly result: boolean;
  readonly changesAt: number;
}

export function sequenceVerdict(sequence: Sequence, marks: Marks, now: number): SequenceVerdict {
  const { steps, withinMs, without } = sequence;
  const never = { result: false, changesAt: Infinity };
  const chain = chainOf(marks, steps.length);
  const [end, start] = [chain?.[0], chain?.at(-1)];
  if (end === undefined || start === undefined) return never;
  const endsAt = withinMs === null ? Infinity : start[0] + withinMs;
  if (now >= endsAt || answerTo(end, sequence, marks) !== undefined) return never;
  const upAt = without === null ? -Infinity : end[0] + without.forMs;
  if (now >= upAt) return { result: true, changesAt: endsAt };
  return { result: false, changesAt: upAt < endsAt ? upAt : Infinity };
}

/** As many steps as were gone within the window, latest first, and in front of them what answered the last. */
export function sequenceEvents(
  sequence: Sequence,
  marks: Marks,
  now: number,
): { steps: number; events: Marks } {
  const { steps, withinMs } = sequence;
  const since = withinMs === null ? -Infinity : now - withinMs;
  for (let gone = steps.length; gone > 0; gone -= 1) {
    const chain = chainOf(marks, gone) ?? [];
    const [end, start] = [chain[0], chain.at(-1)];
    if (end === undefined || start === undefined || start[0] <= since) continue;
    const answer = gone === steps.length ? answerTo(end, sequence, marks) : undefined;
    return { steps: gone, events: answer === undefined ? chain : [answer, ...chain] };
  }
  return { steps: 0, events: [] };
}

export function rememberForSequence(sequence: Sequence, marks: Marks, mark: Mark): Marks {
  let at = 0;
  while (at < marks.length && isLaterOfSequence(marks[at], mark)) at += 1;
  if (marks[at]?.[1] === mark[1] && marks[at]?.[0] === mark[0]) return marks;
  return trimmed(sequence, [...marks.slice(0, at), mark, ...marks.slice(at)]);
}

/** The latest sequence of the first `length` steps, latest first. */
function chainOf(marks: Marks, length: number): Marks | undefined {
  const chain: Mark[] = [];
  let step = length - 1;
  for (const mark of marks) {
    if (!isStep(mark, step)) continue;
    chain.push(mark);
    step -= 1;
    if (step < 0) return chain;
  }
  return undefined;
}

/** The first that came within the time after the end, at its own time not. */
function answerTo(end: Mark, { steps, without }: Sequence, marks: Marks): Mark | undefined {
  if (without === null) return undefined;
  return marks.findLast(
    (mark) => isStep(mark, steps.length) && mark[0] > end[0] && mark[0] <= end[0] + without.forMs,
  );
}

function trimmed(sequence: Sequence, marks: Marks): Marks {
  const { length } = sequence.steps;
  const chain = chainOf(marks, length);
  const [end, start] = [chain?.[0], chain?.at(-1)];
  const needed = start === undefined ? marks : marks.slice(0, marks.indexOf(start) + 1);
  if (needed.length <= sequenceMarksMax) return needed;
  const decisive = new Set<Mark>(needed.slice(0, sequenceMarksMax / 2));
  for (let steps = 1; steps <= length; steps += 1) {
    for (const mark of chainOf(needed, steps) ?? []) decisive.add(mark);
  }
  const answer = end === undefined ? undefined : answerTo(end, sequence, needed);
  if (answer !== undefined) decisive.add(answer);
  return needed.filter((mark) => decisive.has(mark));
}

function isStep(mark: Mark, step: number): boolean {
  return (Number.parseInt(mark[2] ?? '', 36) & (1 << step)) !== 0; // reads up to the dot
}
/** Of what may not come after the last step, and no step. */
export function isAnswerOfSequence({ steps }: Sequence, mark: Mark): boolean {
  return Number.parseInt(mark[2] ?? '', 36) === 1 << steps.length; // reads up to the dot
}
function receivedAt([, , value = '']: Mark): number {
  return Number.parseInt(value.slice(value.indexOf('.') + 1), 36);
}
export function isLaterOfSequence(a: Mark | undefined, b: Mark): boolean {
  if (a === undefined) return false;
  if (a[0] !== b[0]) return a[0] > b[0];
  const [x, y] = [receivedAt(a), receivedAt(b)];
  return x === y ? compareText(a[1], b[1]) > 0 : x > y;
}
