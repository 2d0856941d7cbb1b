/** What a poll is answered: the messages that may be shown, the best first, and when to ask again. Pure. */
import type { ContentKind } from '../../rules/message.ts';
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { momentFor } from './decide-call.ts';
import { hasRoom } from './caps.ts';
import { judge, type Judgement, type Moment } from './judge.ts';
import { isCounted } from './ledger.ts';
import type { Visitor } from './visitor.ts';
import type { MessageRule, WorkspaceMessages } from './workspace-messages.ts';

export interface Offer {
  readonly rule: MessageRule;
  readonly variant: string;
}
export interface Offers {
  readonly offers: readonly Offer[];
  readonly pollSeconds: number;
  /** Something stands in the way that has not been counted in this hour: the poll is to be written down as a look. */
  readonly hasNews: boolean;
}

export const offersMax = 10;
/** While a rule is about to change by time alone. */
export const pollSecondsSoon = 2;
export const pollSecondsUsual = 10;
/** Of who can get nothing. */
export const pollSecondsIdle = 60;
const soonMs = 60_000;
const LASTING = new Set(['identified', 'consent_withdrawn', 'bot']);

export function offersFor(visitor: Visitor, messages: WorkspaceMessages, asked: Moment): Offers {
  const moment = momentFor(visitor, asked);
  const patterns = new PatternSteps();
  const judged = messages.running.map((rule) => ({
    rule,
    judgement: judge(visitor, rule, moment, patterns),
  }));
  const shown = judged.flatMap(({ rule, judgement }) =>
    judgement.outcome === 'show' ? [{ rule, variant: judgement.variant }] : [],
  );
  // Who goes by the page rules itself chooses by them.
  const offers = moment.isAnyPage === true ? shown.slice(0, offersMax) : inPlace(shown);
  return {
    offers,
    pollSeconds: pollSecondsOf(visitor, judged, moment),
    hasNews: lookedAt(visitor, messages, judged, moment).some(({ rule, judgement }) =>
      isNews(visitor, rule, judgement, moment.at),
    ),
  };
}

interface Judged {
  readonly rule: MessageRule;
  readonly judgement: Judgement;
}

/** A look counts what it can say is eligible: of a page that nobody here knows, the messages of every page. */
function lookedAt(
  visitor: Visitor,
  messages: WorkspaceMessages,
  judged: readonly Judged[],
  moment: Moment,
): readonly Judged[] {
  if (moment.isAnyPage !== true) return judged;
  const unknown = { ...moment, isAnyPage: false };
  const patterns = new PatternSteps();
  return messages.running.map((rule) => ({ rule, judgement: judge(visitor, rule, unknown, patterns) }));
}

/** One of those that lie over the page, and one for each place within it. */
function inPlace(offers: readonly Offer[]): readonly Offer[] {
  const taken = new Set<string>();
  const placed = offers.filter((offer) => {
    const place = placeOf(offer);
    if (taken.has(place)) return false;
    taken.add(place);
    return true;
  });
  return placed.slice(0, offersMax);
}

function placeOf({ rule, variant }: Offer): string {
  const content = rule.message.variants.find(({ id }) => id === variant)?.content;
  const kind: ContentKind = content?.kind ?? 'modal';
  return kind === 'inline' ? `inline ${content?.element ?? ''}` : 'over the page';
}

function isNews(visitor: Visitor, rule: MessageRule, judgement: Judgement, at: number): boolean {
  if (!hasRoom(visitor, rule)) return false;
  if (judgement.outcome === 'held_out') return !isCounted(visitor, rule.id, 'held_out', at);
  if (judgement.outcome !== 'refused') return false;
  return !isCounted(visitor, rule.id, judgement.reason, at);
}

function pollSecondsOf(
  visitor: Visitor,
  judged: readonly Judged[],
  { at, isIdentified = false }: Moment,
): number {
  const isHopeless = isIdentified || visitor.isIdentified || visitor.hasWithdrawn || visitor.isBot;
  const reasons = judged.map(({ judgement }) =>
    judgement.outcome === 'refused' ? judgement.reason : judgement.outcome,
  );
  if (isHopeless || judged.length === 0 || reasons.every((reason) => LASTING.has(reason))) {
    return pollSecondsIdle;
  }
  const isSoon = judged.some(({ judgement }) => judgement.changesAt - at <= soonMs);
  return isSoon ? pollSecondsSoon : pollSecondsUsual;
}
