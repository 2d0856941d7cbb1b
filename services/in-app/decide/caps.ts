/** How often: of the message itself, in a session, on a day, since any other. Pure. */
import { unreachable } from '../../runtime/errors.ts';
import { dayOf } from './days.ts';
import { groupsMax, ledgerOf, ledgersMax, type Visitor } from './visitor.ts';
import type { MessageRule } from './workspace-messages.ts';

export type Cap = 'frequency' | 'frequency_gap' | 'session_cap' | 'day_cap' | 'cap_gap';

/** When the cap stands no longer in the way, ms; undefined: it does not. */
export function capReason(
  cap: Cap,
  visitor: Visitor,
  rule: MessageRule,
  at: number,
): { readonly until: number } | undefined {
  const { frequency, caps } = rule.message;
  const ledger = ledgerOf(visitor, rule.id);
  switch (cap) {
    case 'frequency':
      return frequency.mode === 'times' && ledger.shown >= frequency.times ? { until: Infinity } : undefined;
    case 'frequency_gap': {
      const gapMs = frequency.mode === 'times' ? frequency.gapMs : 0;
      return within(ledger.times[0], gapMs, at);
    }
    case 'session_cap': {
      // Within a session that is over everything may be shown again: it is over by its first event.
      if (caps.session === null) return undefined;
      const shown = timesCounted(visitor, rule).filter((time) => time >= visitor.sessionAt).length;
      return shown >= caps.session ? { until: Infinity } : undefined;
    }
    case 'day_cap': {
      if (caps.day === null) return undefined;
      const today = dayOf(at, visitor.timezone);
      const isToday = (time: number) => dayOf(time, visitor.timezone) === today;
      return timesCounted(visitor, rule).filter(isToday).length >= caps.day ? { until: Infinity } : undefined;
    }
    case 'cap_gap': {
      if (caps.gapMs === null) return undefined;
      const last = caps.group === null ? visitor.lastShownAt : timesCounted(visitor, rule)[0];
      return within(last ?? undefined, caps.gapMs, at);
    }
    default:
      return unreachable(cap);
  }
}

/**
 * Latest first; of the message, or of all of its group. What was shown before an edit brought the message into the group
 * stands in its ledger alone, and what was shown of messages that have left it, or are deleted, in the group's list alone.
 */
function timesCounted(
  { ledgers, groups }: Visitor,
  { id, message, groupIds }: MessageRule,
): readonly number[] {
  const { group } = message.caps;
  if (group === null) return Object.hasOwn(ledgers, id) ? (ledgers[id]?.times ?? []) : [];
  const times = Object.entries(ledgers).flatMap(([of, ledger]) => (groupIds.has(of) ? ledger.times : []));
  const inBoth = [...times];
  for (const time of Object.hasOwn(groups, group) ? (groups[group] ?? []) : []) {
    const index = inBoth.indexOf(time);
    if (index < 0) times.push(time);
    else inBoth.splice(index, 1);
  }
  return times.sort((a, b) => b - a);
}

function within(last: number | undefined, gapMs: number, at: number): { readonly until: number } | undefined {
  return last !== undefined && at < last + gapMs ? { until: last + gapMs } : undefined;
}

/** Without a ledger nothing is counted, and what is not counted is not shown. */
export function hasRoom(visitor: Visitor, { id, message }: MessageRule): boolean {
  const { group } = message.caps;
  const hasLedger = Object.hasOwn(visitor.ledgers, id) || Object.keys(visitor.ledgers).length < ledgersMax;
  const hasGroup =
    group === null || Object.hasOwn(visitor.groups, group) || Object.keys(visitor.groups).length < groupsMax;
  return hasLedger && hasGroup;
}
