/**
 * A journey that a stall triggers, for one run of a person: an A arms it, a B answers it, and when the time is up it fires,
 * once. What has fired stays fired: a B that comes later changes nothing, nor does an A from before the one that fired.
 *
 * States: unarmed; armed (a run of rules/stall.ts that is neither up nor answered); answered; fired, which is unarmed for
 * every A later than the one that fired. Pure.
 */
import type { Stall } from '../../rules/condition.ts';
import { stallMarksMax } from '../../rules/limits.ts';
import { ANSWER, isLaterOfStall, rememberForStall, stallVerdict } from '../../rules/stall.ts';
import type { Marks } from '../../rules/windows.ts';

export interface ArmedStall {
  /** Of the trigger that it was armed for: another trigger's events say nothing of this one. */
  readonly trigger: string;
  /** Of both kinds, latest first; bounded by rules/stall.ts. */
  readonly marks: Marks;
  /**
   * Not before this, ms: the time was up when the A was merged, and what answers it may be merged with it. A moment later
   * all of a release has been read.
   */
  readonly notBefore?: number;
  /** Time of the newest A that has fired, ms. */
  readonly firedUpTo?: number;
}

/** A B: which of a person's runs it answers. null: it says none, and answers all. */
export type Answer = readonly [time: number, messageId: string, key: string | null];
/** Of one journey of a person; those are kept that may answer an A which is still to come, late or from another person. */
export const answersMax = 16;

/** An A. The same object when it is from before what has fired. @param now of the look, ms. */
export function arm(
  stall: Stall,
  before: ArmedStall,
  { time, messageId }: { readonly time: number; readonly messageId: string },
  now: number,
): ArmedStall {
  if (time <= (before.firedUpTo ?? -Infinity)) return before;
  const after = { ...before, marks: rememberForStall(stall, before.marks, [time, messageId]) };
  return upAt(stall, after) <= now ? { ...after, notBefore: now + 1 } : after;
}

/** The B's that answer this run; one without a key is answered by any. */
export function answered(
  stall: Stall,
  before: ArmedStall,
  key: string | null,
  answers: readonly Answer[],
): ArmedStall {
  const marks = answers
    .filter(([, , answers]) => key === null || answers === null || answers === key)
    .reduceRight<Marks>(
      (kept, [time, id]) => rememberForStall(stall, kept, [time, id, ANSWER]),
      before.marks,
    );
  return marks === before.marks ? before : { ...before, marks };
}

export function withAnswer(answers: readonly Answer[], answer: Answer): readonly Answer[] {
  return [...answers, answer].sort(([a], [b]) => b - a).slice(0, answersMax);
}

/** When it fires if nothing answers it, ms; Infinity for never. */
export function firesAt(stall: Stall, armed: ArmedStall): number {
  return Math.max(upAt(stall, armed), armed.notBefore ?? -Infinity);
}

function upAt(stall: Stall, { marks }: ArmedStall): number {
  return stallVerdict({ ...stall, withinMs: null }, marks, -Infinity).changesAt;
}

/** Message id of the newest A of the run that is up. */
export function firingMessage(stall: Stall, { marks }: ArmedStall): string | null {
  return stallVerdict({ ...stall, withinMs: null }, marks, Infinity).events[0] ?? null;
}

export function fired({ trigger, marks }: ArmedStall): ArmedStall {
  const newest = marks.find(([, , value]) => value !== ANSWER);
  return { trigger, marks: [], ...(newest === undefined ? {} : { firedUpTo: newest[0] }) };
}

/** Of one person who did all that these two did. What was armed for a trigger that is no more is the other's to forget. */
export function joinStalls(a: ArmedStall | undefined, b: ArmedStall | undefined): ArmedStall | undefined {
  if (a === undefined || b === undefined || a.trigger !== b.trigger) return a ?? b;
  const firedUpTo = Math.max(a.firedUpTo ?? -Infinity, b.firedUpTo ?? -Infinity);
  const notBefore = Math.max(a.notBefore ?? -Infinity, b.notBefore ?? -Infinity);
  const marks = [...a.marks, ...b.marks]
    .filter(([time]) => time > firedUpTo)
    .sort((x, y) => (isLaterOfStall(x, y) ? -1 : 1))
    .slice(0, 2 * stallMarksMax); // and with the next mark as few as may be kept
  return {
    trigger: a.trigger,
    marks,
    ...(Number.isFinite(notBefore) ? { notBefore } : {}),
    ...(Number.isFinite(firedUpTo) ? { firedUpTo } : {}),
  };
}
