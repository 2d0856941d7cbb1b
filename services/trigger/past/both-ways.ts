/**
 * Whether it matters by which time a replay goes: what became of each trigger as it happened, beside what became of it as it
 * was received. Where nothing of a person came late the two are one, and nobody has to look twice. Pure.
 */
import type { Outcome, PersonHistory } from '../decide/replay.ts';
import { comesLaterMs } from './as-it-happened.ts';

/** Something of it came late: the two ways may differ, of any kind of trigger. @param lateMs what comes within came in time. */
export function mayDiffer(history: PersonHistory, lateMs: number): boolean {
  return comesLaterMs(history) > lateMs;
}

/** Triggers that lead by the one way to something else, or at another time, than by the other, or to nothing. */
export function differingTriggers(
  one: readonly Outcome[],
  other: readonly Outcome[],
  lateMs: number,
): number {
  const [ours, theirs] = [byTrigger(one), byTrigger(other)];
  let differing = 0;
  for (const trigger of new Set([...ours.keys(), ...theirs.keys()])) {
    const left = [...(theirs.get(trigger) ?? [])];
    const mine = ours.get(trigger) ?? [];
    const alone = mine.filter((outcome) => !taken(left, outcome, lateMs));
    differing += Math.max(alone.length, left.length);
  }
  return differing;
}

/** Of what time triggers there is no message. */
function byTrigger(outcomes: readonly Outcome[]): ReadonlyMap<string, readonly Outcome[]> {
  const found = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const trigger = `${outcome.triggerMessageId ?? ''}\0${outcome.key ?? ''}`;
    const known = found.get(trigger);
    if (known === undefined) found.set(trigger, [outcome]);
    else known.push(outcome);
  }
  return found;
}

/** Takes out of those that are left one that says the same. */
function taken(left: Outcome[], outcome: Outcome, lateMs: number): boolean {
  const at = left.findIndex(
    (other) => whatOf(other) === whatOf(outcome) && Math.abs(other.at - outcome.at) <= lateMs,
  );
  if (at === -1) return false;
  left.splice(at, 1);
  return true;
}

function whatOf(outcome: Outcome): string {
  return outcome.type === 'journey_entered' ? outcome.type : outcome.reason;
}
