/** What Customer.io's own plugin tells of a message: an ordinary event of the visitor's, with the message as a number (spec B). */
import { parseJsonObject } from '../../rules/paths.ts';
import type { Happened } from './effects.ts';
import type { VisitorEvent } from './fold-event.ts';
import { withLedger } from './ledger.ts';
import { ledgerOf, type Visitor } from './visitor.ts';
import type { WorkspaceMessages } from './workspace-messages.ts';

const NAME = 'Report Content Event';

export interface Reported {
  readonly visitor: Visitor;
  readonly happened: readonly Happened[];
}

/** Clicks: a view is counted where it is decided or logged, and a plain close is told of by nobody. */
export function contentReport(visitor: Visitor, event: VisitorEvent, messages: WorkspaceMessages): Reported {
  const untouched = { visitor, happened: [] };
  if (event.name !== NAME || event.type !== 'event') return untouched;
  const { actionType, contentId, actionName } = parseJsonObject(event.properties);
  if (actionType !== 'clicked_content') return untouched;
  // Only what can be such a number is made text of: of an object that is up to whoever sent it, and may throw.
  const isName = typeof contentId === 'number' || typeof contentId === 'string';
  const rule = isName ? messages.byContentId.get(String(contentId)) : undefined;
  if (rule === undefined) return untouched;
  const { id } = rule;
  const at = event.receivedAt;
  const { variant, times, version: shown } = ledgerOf(visitor, id);
  const version = times.length === 0 ? rule.version : shown;
  const happened: Happened = {
    messageId: id,
    version,
    variant,
    event: 'clicked',
    action: typeof actionName === 'string' ? actionName : null,
    at,
    causeMessageId: event.messageId,
  };
  // One that was shown under a token has no ledger here, and no room is taken for it.
  const next = times.length === 0 ? visitor : withLedger(visitor, id, { clickedAt: at });
  return { visitor: next, happened: [happened] };
}
