/**
 * A call of a page about its visitor, decided at its place among the visitor's events: what is known then counts, whatever
 * was known at the poll. Each call that comes again is answered as before and changes nothing. Pure.
 */
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { assert, unreachable } from '../../runtime/errors.ts';
import type { Happened } from './effects.ts';
import { hasRoom } from './caps.ts';
import { judge, type Judgement, type Moment, type Refusal, type TextRefusal } from './judge.ts';
import {
  answeredOf,
  isCounted,
  withAnswered,
  withClosed,
  withCounted,
  withLedger,
  withReport,
  withShown,
} from './ledger.ts';
import { LookReasons } from './look-reasons.ts';
import { takenBack } from './not-shown.ts';
import { chosenVariant } from './variants.ts';
import { erased, ledgerOf, type Answered, type Visitor } from './visitor.ts';
import type { MessageRule, WorkspaceMessages } from './workspace-messages.ts';

/** The first is of a showing that did not come to be (not-shown.ts). */
export type ReportEvent = 'not_shown' | Reaction;
type Reaction = 'clicked' | 'dismissed' | 'snoozed' | 'submitted';

export type Call =
  | {
      readonly type: 'look';
      readonly moment: Moment;
      /** What the poll could not fill in, by message. */
      readonly unfilled: ReadonlyMap<string, TextRefusal>;
    }
  | {
      readonly type: 'show';
      readonly moment: Moment;
      readonly messageId: string;
      readonly exposure: string;
      /** What the client has in hand; null: it does not say. */
      readonly variant: string | null;
      /** The client's own plugin has shown it already: it is counted, whatever would have been decided. */
      readonly isDone: boolean;
    }
  | {
      readonly type: 'report';
      readonly at: number;
      readonly messageId: string;
      readonly exposure: string;
      readonly event: ReportEvent;
      readonly action: string | null;
      readonly minutes: number | null;
    }
  | { readonly type: 'consent'; readonly at: number; readonly isGiven: boolean }
  | { readonly type: 'link'; readonly at: number; readonly linkedId: string };

export interface Answer {
  readonly taken: boolean;
  readonly reason: string | null;
  readonly variant: string | null;
}
export interface CallDecision {
  readonly visitor: Visitor;
  readonly happened: readonly Happened[];
  readonly answer: Answer;
  /** That it took to judge; absent for none. */
  readonly steps?: number;
}

export const snoozeMinutesUsual = 60;
const MINUTE_MS = 60_000;
/** Of judging one in a look, beside what its audience asks: steps of services/rules/rule-steps.ts. */
const stepsAMessage = 120;

export function decideCall(visitor: Visitor, messages: WorkspaceMessages, call: Call): CallDecision {
  switch (call.type) {
    case 'look':
      return decideLook(visitor, messages, call);
    case 'show': {
      const patterns = new PatternSteps();
      return { ...decideShow(visitor, messages, call, patterns), steps: patterns.taken };
    }
    case 'report':
      return decideReport(visitor, messages, call);
    case 'consent':
      return done(
        call.isGiven ? { ...visitor, hasWithdrawn: false } : erased(visitor, { hasWithdrawn: true }),
      );
    case 'link':
      return done({ ...visitor, linkedId: call.linkedId });
    default:
      return unreachable(call);
  }
}

function done(visitor: Visitor, happened: readonly Happened[] = []): CallDecision {
  return { visitor, happened, answer: { taken: true, reason: null, variant: null } };
}

function refused(visitor: Visitor, reason: string, happened: readonly Happened[] = []): CallDecision {
  return { visitor, happened, answer: { taken: false, reason, variant: null } };
}

/** Time never goes back for a visitor, whichever gateway's clock a call has. */
export function momentFor(visitor: Visitor, moment: Moment): Moment {
  return { ...moment, at: Math.max(moment.at, visitor.lastAt, visitor.lastShownAt ?? 0) };
}

/** What stands in the way of each message is counted; what may be shown is not yet. */
function decideLook(
  visitor: Visitor,
  messages: WorkspaceMessages,
  { moment: asked, unfilled }: Extract<Call, { readonly type: 'look' }>,
): CallDecision {
  const moment = momentFor(visitor, asked);
  const patterns = new PatternSteps();
  patterns.spend(stepsAMessage * messages.running.length);
  const reasons = new LookReasons(unfilled);
  let counted: Counted = { visitor, happened: [] };
  for (const rule of messages.running) {
    const judged = judge(counted.visitor, rule, moment, patterns);
    const reason = reasons.of(counted.visitor, rule, judged);
    if (reason === undefined) continue;
    const next = withReason(counted.visitor, rule, reason, moment.at);
    counted = { visitor: next.visitor, happened: [...counted.happened, ...next.happened] };
  }
  return { ...done(counted.visitor, counted.happened), steps: patterns.taken };
}

interface Counted {
  readonly visitor: Visitor;
  readonly happened: readonly Happened[];
}

function withJudgement(visitor: Visitor, rule: MessageRule, judgement: Judgement, at: number): Counted {
  if (judgement.outcome === 'held_out') return withReason(visitor, rule, 'held_out', at);
  if (judgement.outcome === 'refused') return withReason(visitor, rule, judgement.reason, at);
  return { visitor, happened: [] };
}

/** A refusal and a holdout count once an hour; a ledger that there is no room for counts nothing. */
function withReason(visitor: Visitor, rule: MessageRule, reason: Refusal | 'held_out', at: number): Counted {
  if (!hasRoom(visitor, rule) || isCounted(visitor, rule.id, reason, at)) return { visitor, happened: [] };
  const { variant, heldOutAt, version } = ledgerOf(visitor, rule.id);
  const of = { messageId: rule.id, version: rule.version, at };
  const isHeldOut = reason === 'held_out';
  const arm = isHeldOut ? 'holdout' : variant;
  let next = withCounted(visitor, rule.id, reason, at);
  // Of a new version it is counted anew, as what is shown of it is: else its orders would be those of the first version.
  if (isHeldOut && (heldOutAt === null || version !== rule.version)) {
    next = withLedger(next, rule.id, { heldOutAt: at, version: rule.version });
  }
  const told: Happened = isHeldOut
    ? { ...of, variant: arm, event: 'held_out' }
    : { ...of, variant: arm, event: 'refused', reason };
  return { visitor: next, happened: [{ ...of, variant: arm, event: 'eligible' }, told] };
}

function decideShow(
  visitor: Visitor,
  messages: WorkspaceMessages,
  call: Extract<Call, { readonly type: 'show' }>,
  patterns: PatternSteps,
): CallDecision {
  const { exposure, messageId } = call;
  const before = answeredOf(visitor, exposure);
  if (before !== undefined) return answeredBefore(visitor, before);
  // The showing was decided, and counted, in the lane of who they are.
  if (call.isDone && visitor.linkedId !== null) return done(visitor);
  const rule = messages.byId.get(messageId);
  if (rule === undefined) return refused(visitor, 'not_running');
  const moment = momentFor(visitor, { ...call.moment, exposure });
  const judgement = judge(visitor, rule, moment, patterns);
  if (judgement.outcome === 'show' || (call.isDone && hasRoom(visitor, rule))) {
    const variant = chosenVariant(visitor, rule, call.variant);
    if (call.variant !== null && call.variant !== variant && !call.isDone) {
      return otherVariant(visitor, { exposure, messageId });
    }
    return shown(visitor, rule, { exposure, variant, at: moment.at });
  }
  const counted = withJudgement(visitor, rule, judgement, moment.at);
  const reason = judgement.outcome === 'held_out' ? 'held_out' : judgement.reason;
  const answered = { exposure, messageId, reason, reports: [] };
  return refused(withAnswered(counted.visitor, answered), reason, counted.happened);
}

function answeredBefore(visitor: Visitor, { reason, messageId }: Answered): CallDecision {
  if (reason !== null) return refused(visitor, reason);
  const { variant } = ledgerOf(visitor, messageId);
  return { visitor, happened: [], answer: { taken: true, reason: null, variant } };
}

/**
 * The client has the texts of another variant than the visitor's, and shows nothing: what counted as shown here would use up
 * a frequency, and keep other messages away, unseen. The next poll offers what may be shown.
 */
function otherVariant(visitor: Visitor, of: Pick<Answered, 'exposure' | 'messageId'>): CallDecision {
  const reason = 'other_variant';
  return refused(withAnswered(visitor, { ...of, reason, reports: [] }), reason);
}

function shown(
  visitor: Visitor,
  rule: MessageRule,
  showing: { readonly exposure: string; readonly variant: string; readonly at: number },
): CallDecision {
  const { exposure, variant, at } = showing;
  const counted = withShown(visitor, rule, showing);
  const next = withAnswered(counted, { exposure, messageId: rule.id, reason: null, reports: [], at });
  const of = { messageId: rule.id, version: rule.version, variant, at, exposure };
  const happened: Happened[] = [
    { ...of, event: 'eligible' },
    { ...of, event: 'shown' },
  ];
  return { visitor: next, happened, answer: { taken: true, reason: null, variant } };
}

function decideReport(
  visitor: Visitor,
  messages: WorkspaceMessages,
  call: Extract<Call, { readonly type: 'report' }>,
): CallDecision {
  const { messageId, exposure, event, action } = call;
  if (event === 'not_shown') {
    const { reason, happened, ...back } = takenBack(visitor, messages, call);
    return reason === null ? done(back.visitor, happened) : refused(visitor, reason);
  }
  const answered = answeredOf(visitor, exposure);
  if (answered?.reason !== null || answered.messageId !== messageId) {
    return refused(visitor, 'unknown_exposure');
  }
  // Of one showing there may be clicks of several buttons, and one of everything else, whatever led to it.
  const isOfButton = event === 'clicked' && action !== null;
  const told = withReport(visitor, answered, isOfButton ? `${event}:${action}` : event);
  if (told === undefined) return done(visitor);
  const at = Math.max(call.at, visitor.lastShownAt ?? 0);
  const next = withClosed(withReported(told, { ...call, event }, at), exposure);
  const { variant, version } = ledgerOf(visitor, messageId);
  assert(variant !== null, 'what was shown has a variant');
  const happened: Happened = {
    messageId,
    // As it was shown: by now there may be another.
    version,
    variant,
    event,
    action,
    at,
    exposure,
  };
  return done(next, [happened]);
}

function withReported(
  visitor: Visitor,
  {
    messageId,
    event,
    minutes,
  }: { readonly messageId: string; readonly event: Reaction; readonly minutes: number | null },
  at: number,
): Visitor {
  switch (event) {
    case 'clicked':
      return withLedger(visitor, messageId, { clickedAt: at });
    case 'dismissed':
      return withLedger(visitor, messageId, { dismissedAt: at });
    case 'submitted':
      return withLedger(visitor, messageId, { submittedAt: at });
    case 'snoozed': {
      const snoozedUntil = at + (minutes ?? snoozeMinutesUsual) * MINUTE_MS;
      return withLedger(visitor, messageId, { snoozedUntil });
    }
    default:
      return unreachable(event);
  }
}
