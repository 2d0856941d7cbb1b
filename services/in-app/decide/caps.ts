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
  const counted = timesCounted(visitor, rule);
  switch (cap) {
    case 'frequency':
      return frequency.mode === 'times' && ledger.shown >= frequency.times ? { until: Infinity } : undefined;
    case 'frequency_gap': {
      const gapMs = frequency.mode === 'times' ? frequency.gapMs : 0;
      return within(ledger.times[0], gapMs, at);
    }
    case 'session_cap': {
      // Within a session that is over everything may be shown again: it is over by its first event.
      const shown = counted.filter((time) => time >= visitor.sessionAt).length;
      return caps.session !== null && shown >= caps.session ? { until: Infinity } : undefined;
    }
    case 'day_cap': {
      const today = dayOf(at, visitor.timezone);
      const shown = counted.filter((time) => dayOf(time, visitor.timezone) === today).length;
      return caps.day !== null && shown >= caps.day ? { until: Infinity } : undefined;
    }
    case 'cap_gap': {
      const last = caps.group === null ? (visitor.lastShownAt ?? undefined) : counted[0];
      return within(last, caps.gapMs ?? 0, at);
    }
    default:
      return unreachable(cap);
  }
}

/** Latest first; of the message, or of all of its group. */
function timesCounted(visitor: Visitor, { id, message }: MessageRule): readonly number[] {
  const { group } = message.caps;
  if (group === null) return ledgerOf(visitor, id).times;
  return Object.hasOwn(visitor.groups, group) ? (visitor.groups[group] ?? []) : [];
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
