/**
 * Whether a trigger of a journey leads to an entry, and if not why (contract, *Definitions*). Asked in this order: room for
 * the run, frequency, filters, and then, of who is eligible, whether the person is held out: so those who are held out are
 * comparable with those who enter, at every trigger. Pure.
 */
import type { SkipReason } from '../../../schemas/skip-reasons.ts';
import { entriesNeeded, mayEnter } from '../../rules/frequency.ts';
import { isHeldOut } from '../../rules/holdout.ts';
import type { JsonObject } from '../../rules/paths.ts';
import { newRun, passesOf, type Run } from './runs.ts';
import type { JourneyRule } from './workspace-rules.ts';

export interface Asked {
  readonly rule: JourneyRule;
  readonly personId: string;
  readonly key: string | null;
  readonly run: Run | undefined;
  /** The run can be kept. */
  readonly hasRoom: boolean;
  /** ms */
  readonly now: number;
  /** Share of the workspace's people whom every journey leaves out, 0 to 1. */
  readonly globalHoldout: number;
  /** Pointer of the filter that does not hold; null: they hold. */
  readonly unmet: () => string | null;
}

export type Admission =
  | { readonly type: 'entered'; readonly run: Run }
  | {
      readonly type: 'skipped';
      readonly reason: SkipReason;
      readonly detail: JsonObject | null;
      /** What is kept of it: whoever is held out counts as if they had entered. */
      readonly run?: Run;
    };

/** In place of a journey's id, which is never empty. */
const EVERY_JOURNEY = '';

export function admit(asked: Asked): Admission {
  const { rule, personId, key, run = newRun, now } = asked;
  const { frequency, holdout } = rule.journey;
  if (!asked.hasRoom) return { type: 'skipped', reason: 'key_limit', detail: null };
  const passes = passesOf(asked.run);
  const last = passes[0] ?? null;
  if (!mayEnter(frequency, last, now, passes)) {
    const detail = { mode: frequency.mode, last_at: timeOf(last), ...heldOutIn(run) };
    return { type: 'skipped', reason: 'frequency', detail };
  }
  const pointer = asked.unmet();
  if (pointer !== null) return { type: 'skipped', reason: 'filters_not_met', detail: { pointer } };
  const passedAt = [now, ...passes].slice(0, entriesNeeded(frequency));
  if (isHeldOut(EVERY_JOURNEY, personId, asked.globalHoldout)) {
    return { type: 'skipped', reason: 'global_holdout', detail: null, run: { ...run, passedAt } };
  }
  if (isLeftOut(run, holdout, () => isHeldOut(rule.id, personId, holdout, key))) {
    const heldOut = { ...run, passedAt, heldOutAt: run.heldOutAt ?? now };
    return { type: 'skipped', reason: 'held_out', detail: null, run: heldOut };
  }
  return { type: 'entered', run: { ...run, passedAt, entries: run.entries + 1, lastEnteredAt: now } };
}

/** Whoever has passed and never entered was held out, by the journey or by the workspace: since when, ms; null: they were not. */
export function heldOutSince(run: Run): number | null {
  return run.entries > 0 ? null : (run.heldOutAt ?? passesOf(run)[0] ?? null);
}

/** What keeps them out now is that they count as if they had entered. */
function heldOutIn(run: Run): JsonObject {
  const since = heldOutSince(run);
  return since === null ? {} : { held_out_at: timeOf(since) };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Whoever was assigned once stays so, also as another person after a merge: or the two groups would mix. */
function isLeftOut(run: Run, share: number, drawn: () => boolean): boolean {
  if (share <= 0) return false;
  if (run.entries > 0) return false;
  return run.heldOutAt !== null || drawn();
}
