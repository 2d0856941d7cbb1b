/** Why a visitor would see a message now, or would not: every check of judge.ts, the conditions, and the ledger. */
import { explain, type ExplainedCondition } from '../rules/explain.ts';
import { checkWords } from './check-words.ts';
import { checksOf, evidenceOf, judge, type Check, type Judgement, type Moment } from './decide/judge.ts';
import { momentFor } from './decide/decide-call.ts';
import type { Fill } from './decide/offers.ts';
import { chosenVariant } from './decide/variants.ts';
import { ledgerOf, type Visitor } from './decide/visitor.ts';
import type { MessageRule } from './decide/workspace-messages.ts';
import { TEXT_REFUSALS } from './requests.ts';

export interface Explained {
  readonly message_id: string;
  readonly version: number;
  readonly anonymous_id: string;
  readonly person_id: string | null;
  readonly outcome: string;
  readonly reason?: string;
  /** The reason in words. */
  readonly says?: string;
  readonly variant?: string;
  /** It may be shown, and this message is offered in its place. */
  readonly waits_for?: string;
  readonly checks: readonly {
    readonly check: string;
    readonly ok: boolean;
    /** In words, where it is not ok. */
    readonly says?: string;
    /** When it may hold although nothing happens. */
    readonly until?: string;
  }[];
  readonly audience: readonly ExplainedCondition[];
  readonly exposures: Readonly<Record<string, unknown>>;
  /** What stood in the way of polls, and in which hour last: they may know more than who asks here, such as the browser. */
  readonly counted: readonly { readonly reason: string; readonly hour: string; readonly says?: string }[];
}

const HOUR_MS = 3_600_000;

/** @param fill how its texts are filled in at a poll. */
export function explainMessage(visitor: Visitor, rule: MessageRule, asked: Moment, fill: Fill): Explained {
  const moment = momentFor(visitor, asked);
  const filled = fill(rule, chosenVariant(visitor, rule));
  const judged = judge(visitor, rule, moment);
  const judgement: Judgement =
    judged.outcome !== 'show' || filled.ok
      ? judged
      : { outcome: 'refused', reason: filled.reason, changesAt: judged.changesAt };
  const { audience } = rule.message;
  const reason = reasonOf(judgement);
  return {
    message_id: rule.id,
    version: rule.version,
    anonymous_id: visitor.anonymousId,
    person_id: visitor.personId,
    outcome: judgement.outcome,
    ...(reason !== undefined && { reason, says: checkWords[reason] }),
    ...('variant' in judgement && { variant: judgement.variant }),
    checks: [
      ...checksOf(visitor, rule, moment).map(({ reason, fails }) => ({
        check: reason,
        ok: fails === undefined,
        ...(fails !== undefined && { says: checkWords[reason] }),
        ...(fails !== undefined && Number.isFinite(fails.until) && { until: timeOf(fails.until) }),
      })),
      ...TEXT_REFUSALS.map((reason) => {
        const ok = filled.ok || filled.reason !== reason;
        return { check: reason, ok, ...(!ok && { says: checkWords[reason] }) };
      }),
    ],
    audience: audience === null ? [] : explain(audience, evidenceOf(visitor, rule, moment.at)).conditions,
    exposures: exposuresOf(visitor, rule.id),
    counted: Object.entries(ledgerOf(visitor, rule.id).counted).map(([reason, hour]) => ({
      reason,
      hour: timeOf(hour * HOUR_MS),
      ...(isCheck(reason) && { says: checkWords[reason] }),
    })),
  };
}

function reasonOf(judgement: Judgement): Check['reason'] | undefined {
  if ('reason' in judgement) return judgement.reason;
  return judgement.outcome === 'held_out' ? 'held_out' : undefined;
}

function isCheck(reason: string): reason is Check['reason'] {
  return Object.hasOwn(checkWords, reason);
}

function exposuresOf(visitor: Visitor, messageId: string) {
  const ledger = ledgerOf(visitor, messageId);
  const times = {
    last_at: ledger.times[0] ?? null,
    clicked_at: ledger.clickedAt,
    dismissed_at: ledger.dismissedAt,
    submitted_at: ledger.submittedAt,
    snoozed_until: ledger.snoozedUntil,
    held_out_at: ledger.heldOutAt,
  };
  return {
    total: ledger.shown,
    variant: ledger.variant,
    ...Object.fromEntries(Object.entries(times).map(([name, at]) => [name, at === null ? null : timeOf(at)])),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
