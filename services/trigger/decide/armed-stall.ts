/**
 * A journey that a stall triggers, for one run of a person: an A arms it, a B answers it, and when the time is up it fires,
 * once. A release may bring several that are up at one moment, and each of them fires. What has fired stays fired: a B that
 * comes later changes nothing, nor does an A that would have begun the same stall earlier.
 *
 * States of each A: begun; restarted by another in its time, or within the time of one that began before; answered; fired.
 * Pure.
 */
import type { Stall } from '../../rules/condition.ts';
import { stallMarksMax } from '../../rules/limits.ts';
import {
  ANSWER,
  FIRED,
  IN_FIRED,
  isAnswer,
  isLaterOfStall,
  stallRuns,
  withStallMark,
  type StallRun,
} from '../../rules/stall.ts';
import type { Mark, Marks } from '../../rules/windows.ts';
import { triggerAgeMsMax } from './trigger-age.ts';

export interface ArmedStall {
  /** Of the trigger that it was armed for: another trigger's events say nothing of this one. */
  readonly trigger: string;
  /** A's, and the B's that answer one of them, latest first; at most stallMarksMax, but right after two people joined. */
  readonly marks: Marks;
  /**
   * Not before this, ms: the time was up when the A was merged, and what answers it may be merged with it. A moment later
   * all of a release has been read.
   */
  readonly notBefore?: number;
  /** Time of the newest A that had to make room for others, ms: of what is no later, nothing can be told any more. */
  readonly forgottenUpTo?: number;
}

/** A stall that is neither answered nor fired yet. */
export interface Firing {
  /** When it fires if nothing answers it, ms. */
  readonly at: number;
  /** Message ids of its A's, latest first; one at least. */
  readonly begun: readonly string[];
}

/** A B: which of a person's runs it answers. null: it says none, and answers all. */
export type Answer = readonly [time: number, messageId: string, key: string | null];
/** Of one journey of a person; those are kept that may answer an A which is still to come, late or from another person. */
export const answersMax = 16;

/** An A with the B's that its run has had. The same object when it is known. @param now of the look, ms. */
export function arm(
  stall: Stall,
  before: ArmedStall,
  { mark, answers }: { readonly mark: Mark; readonly answers: Marks },
  now: number,
): ArmedStall {
  if (before.marks.some((known) => !isAnswer(known) && known[1] === mark[1])) return before;
  const joined = [mark, ...answers].reduce(withStallMark, before.marks);
  const marks = tidy(stall, markedAsTold(stall, joined, mark), now);
  const after = { ...before, marks };
  const isUp = pending(stall, after).some((run) => upAt(stall, run) <= now);
  return isUp ? { ...after, notBefore: now + 1 } : after;
}

/** Within the time of a stall that has fired it is a part of it, whatever comes later and divides the A's otherwise. */
function markedAsTold(stall: Stall, marks: Marks, mark: Mark): Marks {
  const run = stallRuns(stall, marks).find(({ begun }) => begun.includes(mark));
  if (run === undefined || !hasFired(run)) return marks;
  return marks.map((one) => (one === mark ? [mark[0], mark[1], IN_FIRED] : one));
}

/** Too old to say whether anything answered it, or began in its place. */
export function isForgotten({ forgottenUpTo = -Infinity }: ArmedStall, time: number): boolean {
  return time <= forgottenUpTo;
}

/** @param answers what its run has had. */
export function answered(stall: Stall, before: ArmedStall, answers: Marks): ArmedStall {
  return { ...before, marks: tidy(stall, answers.reduce(withStallMark, before.marks)) };
}

/** The B's that answer the run of this key, as marks; a run without a key is answered by any. */
export function answersOf(answers: readonly Answer[], key: string | null): Marks {
  return answers
    .filter(([, , answers]) => key === null || answers === null || answers === key)
    .map(([time, id]) => [time, id, ANSWER]);
}

export function withAnswer(answers: readonly Answer[], answer: Answer): readonly Answer[] {
  return [...answers, answer].sort(([a], [b]) => b - a).slice(0, answersMax);
}

/** Its newest A is neither answered nor fired. */
export function isWaiting({ marks: [newest] }: ArmedStall): boolean {
  return newest !== undefined && newest[2] === undefined;
}

/** In the order in which they fire. */
export function firings(stall: Stall, armed: ArmedStall): readonly Firing[] {
  const { notBefore = -Infinity } = armed;
  return pending(stall, armed).map((run) => ({
    at: Math.max(upAt(stall, run), notBefore),
    begun: run.begun.map(([, messageId]) => messageId),
  }));
}

export function fired({ trigger, marks, forgottenUpTo }: ArmedStall, { begun }: Firing): ArmedStall {
  const first = begun.at(-1);
  return {
    trigger,
    marks: marks.map((mark) =>
      !isAnswer(mark) && begun.includes(mark[1])
        ? [mark[0], mark[1], mark[1] === first ? FIRED : IN_FIRED]
        : mark,
    ),
    ...(forgottenUpTo === undefined ? {} : { forgottenUpTo }),
  };
}

/** Within its bound, in marks. The oldest make room, and of those that had not fired the newest A is told. */
export function bounded(
  stall: Stall,
  armed: ArmedStall,
): { readonly armed: ArmedStall; readonly beyond: readonly string[] } {
  if (armed.marks.length <= stallMarksMax) return { armed, beyond: [] };
  const runs = [...stallRuns(stall, armed.marks)];
  const beyond: string[] = [];
  let { forgottenUpTo = -Infinity } = armed;
  for (let left = armed.marks.length; left > stallMarksMax && runs.length > 1; left = marksOf(runs).length) {
    const gone = runs.shift();
    const [newest] = gone?.begun ?? [];
    if (gone === undefined || newest === undefined) break;
    if (isPending(gone)) beyond.push(newest[1]);
    forgottenUpTo = Math.max(forgottenUpTo, newest[0]);
  }
  return { armed: { ...armed, marks: marksOf(runs), forgottenUpTo }, beyond };
}

/**
 * Of one person who did all that these two did. What was armed for a trigger that is no more makes room, or is the other's to
 * forget. @param triggerKey of the trigger as it is; undefined: there is none.
 */
export function joinStalls(
  a: ArmedStall | undefined,
  b: ArmedStall | undefined,
  triggerKey: string | undefined,
): ArmedStall | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.trigger !== b.trigger) return b.trigger === triggerKey ? b : a;
  const notBefore = Math.max(a.notBefore ?? -Infinity, b.notBefore ?? -Infinity);
  const forgottenUpTo = Math.max(a.forgottenUpTo ?? -Infinity, b.forgottenUpTo ?? -Infinity);
  const marks = new Map<string, Mark>();
  for (const mark of [...a.marks, ...b.marks]) {
    const one = `${isAnswer(mark) ? ANSWER : ''} ${mark[1]}`;
    if (!marks.has(one) || mark[2] === FIRED || mark[2] === IN_FIRED) marks.set(one, mark);
  }
  return {
    trigger: a.trigger,
    marks: [...marks.values()].sort((x, y) => (isLaterOfStall(x, y) ? -1 : 1)),
    ...(Number.isFinite(notBefore) ? { notBefore } : {}),
    ...(Number.isFinite(forgottenUpTo) ? { forgottenUpTo } : {}),
  };
}

function upAt({ forMs }: Stall, { begun }: StallRun): number {
  return (begun.at(-1)?.[0] ?? Infinity) + forMs;
}

function pending(stall: Stall, { marks }: ArmedStall): readonly StallRun[] {
  return stallRuns(stall, marks).filter(isPending);
}

function isPending(run: StallRun): boolean {
  return run.answer === null && !run.isRestarted && !hasFired(run);
}

function hasFired({ begun }: StallRun): boolean {
  return begun.at(-1)?.[2] === FIRED;
}

/**
 * What may matter to anything that is still to come: a B only as the answer of a stall, an A that was restarted only where
 * those beside it are further apart than the time, and nothing that is over and older than what an A can be about.
 */
function tidy(stall: Stall, marks: Marks, now = -Infinity): Marks {
  const oldest = now - triggerAgeMsMax - stall.forMs;
  const runs = stallRuns(stall, marks);
  const kept: StallRun[] = [];
  for (const [index, run] of runs.entries()) {
    if (!isPending(run) && (run.begun[0]?.[0] ?? 0) < oldest) continue;
    const [before, next] = [kept.at(-1), runs[index + 1]];
    if (before?.isRestarted === true && run.isRestarted && isWithin(stall, before, next)) continue;
    kept.push({ ...run, begun: fewer(run.begun) });
  }
  return marksOf(kept);
}

function isWithin({ forMs }: Stall, { begun: [a] }: StallRun, next: StallRun | undefined): boolean {
  const b = next?.begun[0];
  return a !== undefined && b !== undefined && b[0] - a[0] <= forMs;
}

/** Of one run: when it began, and the newest that came within its time. */
function fewer(begun: Marks): Marks {
  return begun.length <= begunMax ? begun : [...begun.slice(0, begunMax - 1), ...begun.slice(-1)];
}
const begunMax = stallMarksMax / 2;

function marksOf(runs: readonly StallRun[]): Marks {
  return runs.toReversed().flatMap(({ begun, answer }) => (answer === null ? begun : [answer, ...begun]));
}
