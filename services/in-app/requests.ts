/** Requests of pages as calls; undefined: a kind that this version does not know, or one that lacks what it needs. */
import type { InAppRequest } from '../../schemas/records.ts';
import type { Call, ReportEvent } from './decide/decide-call.ts';
import type { Moment, TextRefusal } from './decide/judge.ts';

const REPORTS: readonly ReportEvent[] = ['clicked', 'dismissed', 'snoozed', 'submitted', 'not_shown'];

export function callOf(request: InAppRequest): Call | undefined {
  const { kind, at, message_id: messageId, exposure } = request;
  switch (kind) {
    case 'look':
      return { type: 'look', moment: momentOf(request), unfilled: unfilledOf(request) };
    case 'show': {
      if (messageId === null || exposure === null) return undefined;
      const isDone = request.event === 'shown';
      const { variant } = request;
      return { type: 'show', moment: momentOf(request), messageId, exposure, variant, isDone };
    }
    case 'report': {
      const event = REPORTS.find((known) => known === request.event);
      if (messageId === null || exposure === null || event === undefined) return undefined;
      const { action, minutes } = request;
      return { type: 'report', at, messageId, exposure, event, action, minutes };
    }
    case 'consent':
      return { type: 'consent', at, isGiven: request.consent === true };
    case 'link':
      return request.linked_id === null ? undefined : { type: 'link', at, linkedId: request.linked_id };
    default:
      return undefined;
  }
}

export const TEXT_REFUSALS: readonly TextRefusal[] = ['text_too_costly', 'text_unfillable'];

/** As unfilledText writes it. */
function unfilledOf({ unfilled }: InAppRequest): ReadonlyMap<string, TextRefusal> {
  const found = new Map<string, TextRefusal>();
  for (const text of unfilled) {
    const reason = TEXT_REFUSALS.find((known) => text.startsWith(`${known}:`));
    if (reason !== undefined) found.set(text.slice(reason.length + 1), reason);
  }
  return found;
}

export function unfilledText(messageId: string, reason: TextRefusal): string {
  return `${reason}:${messageId}`;
}

function momentOf({ at, page, path, agent, identified, any_page: isAnyPage }: InAppRequest): Moment {
  return {
    at,
    page: page === null ? null : { name: page, path },
    agent,
    isIdentified: identified,
    isAnyPage,
  };
}
