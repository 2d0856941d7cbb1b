/**
 * May this message be shown to this visitor now? The checks in their order, each with the reason that it gives; the first
 * that does not hold decides. The same checks answer a poll, the moment of showing, and *why not*. Pure.
 */
import { evaluate, type Evidence } from '../../rules/evaluate.ts';
import { isHeldOut } from '../../rules/holdout.ts';
import { suppressMsUsual } from '../../rules/message.ts';
import { pageMatches, type Page } from '../../rules/page-rules.ts';
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { countWithin, type Marks } from '../../rules/windows.ts';
import { isBotAgent } from '../../runtime/bot-agents.ts';
import { unreachable } from '../../runtime/errors.ts';
import { attributeAt } from './attributes.ts';
import { capReason, hasRoom, type Cap } from './caps.ts';
import { chosenVariant } from './variants.ts';
import { firstShownAt, ledgerOf, openMsMax, type Ledger, type Visitor } from './visitor.ts';
import type { MessageRule } from './workspace-messages.ts';

/** Where and when a message would be shown. */
export interface Moment {
  /** ms. */
  readonly at: number;
  /** null: not known, and then only messages for every page match. */
  readonly page: Page | null;
  readonly agent?: string | null;
  /** The client says that it knows who this is. */
  readonly isIdentified?: boolean;
  /** The client goes by the page rules itself. */
  readonly isAnyPage?: boolean;
  /** The showing that asks. */
  readonly exposure?: string;
}

export type NotEligible = 'not_running' | 'outside_schedule' | 'page' | 'audience' | 'on_screen';
export type Refusal =
  | 'identified'
  | 'consent_withdrawn'
  | 'bot'
  | 'dismissed'
  | 'interacted'
  | 'snoozed'
  | 'frequency'
  | 'frequency_gap'
  | 'suppressed'
  | 'session_cap'
  | 'day_cap'
  | 'cap_gap'
  | 'another_message'
  | 'visitor_full'
  | TextRefusal;
/** Texts of the message cannot be filled in: told by the poll that tried (offers.ts), and no check of these. */
export type TextRefusal = 'text_too_costly' | 'text_unfillable';

export type Judgement = { readonly changesAt: number } & (
  | { readonly outcome: 'show'; readonly variant: string }
  | { readonly outcome: 'held_out' }
  | { readonly outcome: 'refused'; readonly reason: Refusal }
  | { readonly outcome: 'not_eligible'; readonly reason: NotEligible }
);

export interface Check {
  readonly reason: NotEligible | Refusal | 'held_out';
  /** When it may hold although nothing happens, ms; Infinity for never. Absent: it holds. */
  readonly fails?: { readonly until: number };
}

const never = { until: Infinity };

/** What the checks of one message go by. */
interface Asked {
  readonly visitor: Visitor;
  readonly rule: MessageRule;
  readonly moment: Moment;
  readonly ledger: Ledger;
  readonly patterns: PatternSteps;
}

type Step = readonly [reason: Check['reason'], run: (asked: Asked) => Check['fails']];

const capped = (reason: Cap): Step => [
  reason,
  ({ visitor, rule, moment }) => capReason(reason, visitor, rule, moment.at),
];

/** In their order. Whose arm and variant it is: the visitor's, for ever. */
const STEPS: readonly Step[] = [
  ['not_running', ({ rule }) => (rule.message.state === 'running' ? undefined : never)],
  ['outside_schedule', ({ rule, moment }) => outsideSchedule(rule, moment.at)],
  ['page', ({ rule, moment }) => (matchesPage(rule, moment) ? undefined : never)],
  ['audience', ({ visitor, rule, moment, patterns }) => outsideAudience(visitor, rule, moment.at, patterns)],
  [
    'on_screen',
    ({ visitor, rule, moment }) =>
      visitor.open?.messageId === rule.id ? isOpen(visitor, moment) : undefined,
  ],
  ['identified', ({ visitor, moment }) => when(visitor.isIdentified || moment.isIdentified === true)],
  ['consent_withdrawn', ({ visitor }) => when(visitor.hasWithdrawn)],
  ['bot', ({ visitor, moment }) => when(visitor.isBot || isBotAgent(moment.agent ?? ''))],
  ['dismissed', ({ ledger }) => when(ledger.dismissedAt !== null)],
  ['interacted', ({ ledger, rule }) => when(hasInteracted(ledger, rule))],
  ['snoozed', ({ ledger, moment }) => until(ledger.snoozedUntil, moment.at)],
  ['suppressed', ({ visitor, rule, moment }) => until(suppressedUntil(visitor, rule, moment.at), moment.at)],
  ...(['frequency', 'frequency_gap', 'session_cap', 'day_cap', 'cap_gap'] as const).map(capped),
  ['visitor_full', ({ visitor, rule }) => when(!hasRoom(visitor, rule))],
  ['another_message', ({ visitor, rule, moment }) => (isInline(rule) ? undefined : isOpen(visitor, moment))],
  ['held_out', ({ visitor, rule }) => when(isOutside(visitor, rule))],
];

export function checksOf(visitor: Visitor, rule: MessageRule, moment: Moment): readonly Check[] {
  const patterns = new PatternSteps();
  const asked = { visitor, rule, moment, ledger: ledgerOf(visitor, rule.id), patterns };
  return STEPS.map(([reason, run]) => {
    const fails = run(asked);
    return fails === undefined ? { reason } : { reason, fails };
  });
}

/** @param patterns what is left of steps for all messages that are judged in this look. */
export function judge(
  visitor: Visitor,
  rule: MessageRule,
  moment: Moment,
  patterns = new PatternSteps(),
): Judgement {
  const asked = { visitor, rule, moment, ledger: ledgerOf(visitor, rule.id), patterns };
  for (const [reason, run] of STEPS) {
    const fails = run(asked);
    if (fails !== undefined) return { ...failed(reason), changesAt: fails.until };
  }
  return { outcome: 'show', variant: chosenVariant(visitor, rule), changesAt: Infinity };
}

function failed(reason: Check['reason']) {
  switch (reason) {
    case 'held_out':
      return { outcome: 'held_out' } as const;
    case 'not_running':
    case 'outside_schedule':
    case 'page':
    case 'audience':
    case 'on_screen':
      return { outcome: 'not_eligible', reason } as const;
    default:
      return { outcome: 'refused', reason } as const;
  }
}

function when(holds: boolean): Check['fails'] {
  return holds ? never : undefined;
}

function until(time: number | null, at: number): Check['fails'] {
  return time !== null && at < time ? { until: time } : undefined;
}

function outsideSchedule({ message }: MessageRule, at: number): Check['fails'] {
  if (message.until !== null && at >= message.until) return never;
  return until(message.from, at);
}

function matchesPage({ message }: MessageRule, { page, isAnyPage }: Moment): boolean {
  if (isAnyPage === true) return true;
  return page === null ? message.pages.length === 0 : pageMatches(message.pages, page);
}

/** Whom there are no steps left to ask about are outside of it. */
function outsideAudience(
  visitor: Visitor,
  rule: MessageRule,
  at: number,
  patterns: PatternSteps,
): Check['fails'] {
  const { audience } = rule.message;
  if (audience === null) return undefined;
  if (!patterns.has(rule.audienceSteps)) return never;
  const { result, changesAt } = evaluate(audience, evidenceOf(visitor, rule, at, patterns));
  return result ? undefined : { until: changesAt };
}

/** What a visitor's stream says to the conditions of a message. */
export function evidenceOf(
  visitor: Visitor,
  rule: MessageRule,
  now: number,
  patterns = new PatternSteps(),
): Evidence {
  return {
    now,
    marks: (pointer) => marksOf(visitor, rule, pointer),
    attribute: (path) => attributeAt(visitor, path),
    // No visitor is in a segment or belongs to an object, and no audience may ask (services/rules/parse-message.ts).
    inSegment: () => false,
    relationships: () => [],
    firstSeenAt: visitor.firstAt === 0 ? Infinity : visitor.firstAt,
    patterns,
  };
}

function marksOf(visitor: Visitor, rule: MessageRule, pointer: string): Marks {
  const counted = Object.hasOwn(visitor.rules, rule.id) ? visitor.rules[rule.id] : undefined;
  return counted?.marks[rule.markKeys.get(pointer) ?? ''] ?? [];
}

function hasInteracted({ clickedAt, submittedAt }: Ledger, { message }: MessageRule): boolean {
  switch (message.frequency.mode) {
    case 'until_interacted':
      return clickedAt !== null || submittedAt !== null;
    case 'times':
      return submittedAt !== null;
    case 'always':
      return false;
    default:
      return unreachable(message.frequency);
  }
}

/** null: nothing stands against it. */
function suppressedUntil(visitor: Visitor, rule: MessageRule, at: number): number | null {
  const { suppress } = rule.message;
  if (suppress === null) return visitor.lastOrderAt === null ? null : visitor.lastOrderAt + suppressMsUsual;
  let latest: number | null = null;
  for (const { pointer, count, withinMs } of suppress) {
    const { result, changesAt } = countWithin(marksOf(visitor, rule, pointer), count, withinMs, at);
    if (result) latest = Math.max(latest ?? 0, changesAt);
  }
  return latest;
}

/** One at a time, whichever tab it is in. */
function isOpen({ open, lastPageAt }: Visitor, { at, exposure }: Moment): Check['fails'] {
  if (open === null || open.exposure === exposure || lastPageAt > open.at) return undefined;
  return until(open.at + openMsMax, at);
}

/** What stands in the page itself is in nobody's way. */
function isInline({ message }: MessageRule): boolean {
  return message.variants.every(({ content }) => content.kind === 'inline');
}

/** Who was shown it once is not held out later, whatever becomes of the share. */
function isOutside(visitor: Visitor, { id, message }: MessageRule): boolean {
  if (firstShownAt(ledgerOf(visitor, id)) !== null) return false;
  return isHeldOut(`message:${id}`, visitor.anonymousId, message.holdout);
}
