/** What becomes of a visitor's ledger when something is shown, refused or reported. Pure. */
import { createHash } from 'node:crypto';
import { exposureCapMax } from '../../rules/message.ts';
import {
  answeredBytesMax,
  answeredMax,
  firstShownAt,
  ledgerOf,
  reportsMax,
  type Answered,
  type Ledger,
  type Visitor,
} from './visitor.ts';
import type { MessageRule } from './workspace-messages.ts';

const HOUR_MS = 3_600_000;
/** A longer one is known again by its digest. */
const reportCharsKept = 100;

export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS);
}

/** Has this been counted in this hour? */
export function isCounted(visitor: Visitor, messageId: string, reason: string, at: number): boolean {
  const { counted } = ledgerOf(visitor, messageId);
  return Object.hasOwn(counted, reason) && counted[reason] === hourOf(at);
}

export function withCounted(visitor: Visitor, messageId: string, reason: string, at: number): Visitor {
  const { counted } = ledgerOf(visitor, messageId);
  return withLedger(visitor, messageId, { counted: { ...counted, [reason]: hourOf(at) } });
}

export function withLedger(visitor: Visitor, messageId: string, changes: Partial<Ledger>): Visitor {
  const ledger = { ...ledgerOf(visitor, messageId), ...changes };
  return { ...visitor, ledgers: { ...visitor.ledgers, [messageId]: ledger } };
}

export interface Shown {
  readonly exposure: string;
  readonly variant: string;
  readonly at: number;
}

export function withShown(visitor: Visitor, rule: MessageRule, { exposure, variant, at }: Shown): Visitor {
  const { id, version, message } = rule;
  const before = ledgerOf(visitor, id);
  const shown = withLedger(visitor, id, {
    shown: before.shown + 1,
    times: latest(before.times, at),
    variant,
    version,
    snoozedUntil: null,
    firstShownAt: (before.version === version ? firstShownAt(before) : null) ?? at,
  });
  const { group } = message.caps;
  const groups =
    group === null
      ? visitor.groups
      : {
          ...visitor.groups,
          [group]: latest(Object.hasOwn(visitor.groups, group) ? (visitor.groups[group] ?? []) : [], at),
        };
  const isInline = message.variants.every(({ content }) => content.kind === 'inline');
  const open = isInline ? visitor.open : { messageId: id, exposure, at };
  return { ...shown, groups, lastShownAt: at, open };
}

function latest(times: readonly number[], at: number): readonly number[] {
  return [at, ...times].slice(0, exposureCapMax);
}

export function answeredOf(visitor: Visitor, exposure: string): Answered | undefined {
  return visitor.answered.find((answered) => answered.exposure === exposure);
}

export function withAnswered(visitor: Visitor, answered: Answered): Visitor {
  const others = visitor.answered.filter(({ exposure }) => exposure !== answered.exposure);
  return { ...visitor, answered: latestAnswers([...others, answered]) };
}

/** Of the latest as many as may be kept, at least one. */
function latestAnswers(answers: readonly Answered[]): readonly Answered[] {
  let [from, bytes] = [answers.length, 0];
  while (from > 0 && answers.length - from < answeredMax) {
    bytes += bytesOf(answers[from - 1]);
    if (bytes > answeredBytesMax && from < answers.length) break;
    from -= 1;
  }
  return answers.slice(from);
}

function bytesOf(answered: Answered | undefined): number {
  return Buffer.byteLength(JSON.stringify(answered ?? null));
}

/** undefined: it was taken before, or there were more than anybody clicks. */
export function withReport(visitor: Visitor, answered: Answered, told: string): Visitor | undefined {
  const report =
    told.length <= reportCharsKept ? told : createHash('sha256').update(told).digest('base64url');
  if (answered.reports.includes(report) || answered.reports.length >= reportsMax) return undefined;
  const reported = { ...answered, reports: [...answered.reports, report] };
  if (bytesOf(reported) > answeredBytesMax) return undefined;
  const answers = visitor.answered.map((other) => (other === answered ? reported : other));
  // Where it is one of the oldest it may go with them: what was reported of it is told all the same.
  return { ...visitor, answered: latestAnswers(answers) };
}

/** It is not on the screen any more. */
export function withClosed(visitor: Visitor, exposure: string): Visitor {
  return visitor.open?.exposure === exposure ? { ...visitor, open: null } : visitor;
}
