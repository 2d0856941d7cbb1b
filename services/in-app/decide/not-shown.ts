/**
 * A showing that was decided and did not come to be: the page had changed by then, or could not draw it. It is decided and
 * written before anybody sees it, so only the page can say. What it used up of frequencies and caps is given back; in what is
 * measured the visitor stays where they were put, as who is held out does whether or not they would have seen anything.
 *
 * A page that says so of what it has shown gains a showing: within a minute, of a message that nothing else was told of, and
 * once an hour.
 */
import type { Happened } from './effects.ts';
import { answeredOf, isCounted, withAnswered, withClosed, withCounted, withLedger } from './ledger.ts';
import { ledgerOf, type Visitor } from './visitor.ts';
import type { WorkspaceMessages } from './workspace-messages.ts';

const REASON = 'not_shown';
export const notShownMsMax = 60_000;

export interface TakenBack {
  readonly visitor: Visitor;
  readonly happened: readonly Happened[];
  /** Why it counts as shown; null: it does not, by this or by what was said before. */
  readonly reason: 'unknown_exposure' | 'too_late' | null;
}

export function takenBack(
  visitor: Visitor,
  messages: WorkspaceMessages,
  said: { readonly messageId: string; readonly exposure: string; readonly at: number },
): TakenBack {
  const { messageId, exposure } = said;
  const stays = { visitor, happened: [] };
  const answered = answeredOf(visitor, exposure);
  if (answered?.messageId !== messageId) return { ...stays, reason: 'unknown_exposure' };
  if (answered.reason !== null) {
    return { ...stays, reason: answered.reason === REASON ? null : 'unknown_exposure' };
  }
  const at = Math.max(said.at, visitor.lastShownAt ?? 0);
  const { at: shownAt = -Infinity, reports } = answered;
  if (at > shownAt + notShownMsMax || reports.length > 0 || isCounted(visitor, messageId, REASON, at)) {
    return { ...stays, reason: 'too_late' };
  }
  const group = messages.byId.get(messageId)?.message.caps.group ?? null;
  const without = withoutShowing(visitor, { messageId, group, shownAt });
  const told = withAnswered(withClosed(without, exposure), { ...answered, reason: REASON });
  const { variant, version } = ledgerOf(visitor, messageId);
  const of = { messageId, version, variant, at, exposure };
  return {
    visitor: withCounted(told, messageId, REASON, at),
    happened: [
      { ...of, event: 'eligible' },
      { ...of, event: 'refused', reason: REASON },
    ],
    reason: null,
  };
}

function withoutShowing(
  visitor: Visitor,
  {
    messageId,
    group,
    shownAt,
  }: { readonly messageId: string; readonly group: string | null; readonly shownAt: number },
): Visitor {
  const { shown, times } = ledgerOf(visitor, messageId);
  const next = withLedger(visitor, messageId, { shown: shown - 1, times: without(times, shownAt) });
  const ofGroup = group !== null && Object.hasOwn(next.groups, group) ? next.groups[group] : undefined;
  const groups =
    group === null || ofGroup === undefined
      ? next.groups
      : { ...next.groups, [group]: without(ofGroup, shownAt) };
  const left = Object.values(next.ledgers).flatMap(({ times: [last = 0] }) => last);
  const lastShownAt = next.lastShownAt === shownAt ? Math.max(0, ...left) || null : next.lastShownAt;
  return { ...next, groups, lastShownAt };
}

function without(times: readonly number[], time: number): readonly number[] {
  const index = times.indexOf(time);
  return index < 0 ? times : times.toSpliced(index, 1);
}
