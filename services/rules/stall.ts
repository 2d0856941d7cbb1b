/**
 * The stall: an A, and no B in the time after it (spec D.2).
 *
 * Runs: an A begins one, unless one is running and the stall ignores another A within its time. A run that began at a is
 * answered by a B in (a, a + W], else it is up at a + W. A B at the very time of an A comes before it. The last run
 * decides: the condition holds from a + W until another A begins a run, or until A is older than `within`.
 *
 * What is remembered are marks of both, latest first. `restart` needs the newest A and what came after it; more is kept
 * only for what arrives late: all of it up to a bound, above which a late event may find its neighbours forgotten.
 */
import type { Stall } from './condition.ts';
import { stallMarksMax } from './limits.ts';
import type { Mark, Marks } from './windows.ts';

/** Value of the mark of a B; that of an A has none. One event may be both, and leaves two marks. */
export const ANSWER = 'b';
/**
 * Values of marks of an A, of a journey's stall that has been told: of the A that began it, and of those in its time. It stays
 * as it was told, whatever comes later and would divide the A's otherwise.
 */
export const FIRED = 'f';
export const IN_FIRED = 'i';

export type Timing = Pick<Stall, 'forMs' | 'rearm'>;

export interface StallVerdict {
  readonly result: boolean;
  readonly value: 'none' | 'running' | 'answered' | 'stalled' | 'expired';
  /** The newest A of the last run, and what answered it: latest first. */
  readonly events: readonly string[];
  readonly changesAt: number;
}

export function stallVerdict(
  stall: Timing & { readonly withinMs: number | null },
  marks: Marks,
  now: number,
): StallVerdict {
  const run = lastRun(stall, marks);
  if (run === undefined) return { result: false, value: 'none', events: [], changesAt: Infinity };
  const { start, newest, answer } = run;
  if (answer !== null) {
    return { result: false, value: 'answered', events: [answer[1], newest[1]], changesAt: Infinity };
  }
  const [events, upAt] = [[newest[1]], start[0] + stall.forMs];
  if (now < upAt) return { result: false, value: 'running', events, changesAt: upAt };
  const endsAt = stall.withinMs === null ? Infinity : start[0] + stall.withinMs;
  if (now < endsAt) return { result: true, value: 'stalled', events, changesAt: endsAt };
  return { result: false, value: 'expired', events, changesAt: Infinity };
}

export function rememberForStall(stall: Timing, marks: Marks, mark: Mark): Marks {
  const after = withStallMark(marks, mark);
  return after === marks ? marks : trimmed(stall, after);
}

/** In its place; the same list when it is there. */
export function withStallMark(marks: Marks, mark: Mark): Marks {
  let at = 0;
  while (at < marks.length && isLaterOfStall(marks[at], mark)) at += 1;
  return isSame(marks[at], mark) ? marks : [...marks.slice(0, at), mark, ...marks.slice(at)];
}

interface Run {
  readonly start: Mark;
  /** The newest A within its time. */
  readonly newest: Mark;
  readonly answer: Mark | null;
}

function lastRun(stall: Timing, marks: Marks): Run | undefined {
  let run: Run | undefined;
  for (let i = marks.length - 1; i >= 0; i -= 1) {
    const mark = marks[i];
    if (mark !== undefined) run = after(stall, run, mark);
  }
  return run;
}

/** One of the runs that marks are of, for whoever asks for more than the last. */
export interface StallRun {
  /** Its A's, latest first; where an A begins a run anew it is the only one. */
  readonly begun: Marks;
  readonly answer: Mark | null;
  /** Another A in its time began a run in its place. */
  readonly isRestarted: boolean;
}

/** Oldest first. */
export function stallRuns(stall: Timing, marks: Marks): readonly StallRun[] {
  const runs: { begun: Mark[]; answer: Mark | null; isRestarted: boolean }[] = [];
  let run: Run | undefined;
  for (let i = marks.length - 1; i >= 0; i -= 1) {
    const mark = marks[i];
    if (mark === undefined) continue;
    const [before, last] = [run, runs.at(-1)];
    if (mark[2] === IN_FIRED) {
      if (last?.begun.at(-1)?.[2] === FIRED) last.begun.unshift(mark);
      continue;
    }
    run = after(stall, run, mark);
    if (run === undefined || run === before) continue;
    if (run.start === mark) {
      if (before !== undefined && last !== undefined) last.isRestarted = isOpen(stall, before, mark);
      runs.push({ begun: [mark], answer: null, isRestarted: false });
    } else if (isAnswer(mark)) {
      if (last !== undefined) last.answer = mark;
    } else last?.begun.unshift(mark);
  }
  return runs;
}

function after({ forMs, rearm }: Timing, run: Run | undefined, mark: Mark): Run | undefined {
  const begins: Run = { start: mark, newest: mark, answer: null };
  if (run === undefined) return isAnswer(mark) ? undefined : begins;
  if (mark[2] === FIRED) return begins;
  const isInTime = isOpen({ forMs }, run, mark);
  if (isAnswer(mark)) return isInTime ? { ...run, answer: mark } : run;
  return isInTime && rearm === 'ignore' ? { ...run, newest: mark } : begins;
}

function isOpen({ forMs }: Pick<Timing, 'forMs'>, { start, answer }: Run, mark: Mark): boolean {
  return answer === null && mark[0] <= start[0] + forMs;
}

function trimmed(stall: Timing, marks: Marks): Marks {
  if (stall.rearm === 'ignore') return marks.length > stallMarksMax ? fewRuns(stall, marks) : marks;
  const newest = marks.findIndex((mark) => !isAnswer(mark));
  const needed = thinned(newest === -1 ? marks : marks.slice(0, newest + 1), stall.forMs);
  if (needed.length <= stallMarksMax) return needed;
  const [first, a] = [needed.at(-2), needed.at(-1)]; // the first B after A decides
  const kept = needed.slice(0, stallMarksMax / 2);
  return first === undefined || a === undefined ? kept : [...kept, first, a];
}

/**
 * A B between two that are no further apart than the time answers no A that neither of them does. Marks are of one A at
 * most, at the end.
 */
function thinned(marks: Marks, forMs: number): Marks {
  const kept: Mark[] = [];
  for (const [index, mark] of marks.entries()) {
    const [later, earlier] = [kept.at(-1), marks[index + 1]];
    const between = later !== undefined && earlier !== undefined && isAnswer(mark) && isAnswer(earlier);
    if (!between || later[0] - earlier[0] > forMs) kept.push(mark);
  }
  return kept;
}

/** Begins where a run begins, so that those behind it begin where they did. */
function fewRuns(stall: Timing, marks: Marks): Marks {
  let run: Run | undefined;
  for (let i = marks.length - 1; i >= 0; i -= 1) {
    const mark = marks[i];
    if (mark === undefined) continue;
    run = after(stall, run, mark);
    if (run?.start === mark && i < stallMarksMax / 2) return marks.slice(0, i + 1);
  }
  const newest = marks.slice(0, stallMarksMax / 2);
  if (run === undefined) return newest;
  const { start, answer } = run;
  return [...newest, ...(answer === null || newest.includes(answer) ? [] : [answer]), start];
}

export function isAnswer(mark: Mark): boolean {
  return mark[2] === ANSWER;
}

/** At one time an A is later than a B; two of a kind by message id. */
export function isLaterOfStall(a: Mark | undefined, b: Mark): boolean {
  if (a === undefined) return false;
  if (a[0] !== b[0]) return a[0] > b[0];
  if (isAnswer(a) !== isAnswer(b)) return isAnswer(b);
  return a[1] > b[1];
}
function isSame(a: Mark | undefined, b: Mark): boolean {
  return a !== undefined && a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}
