/** What a poll is answered: the messages that may be shown, the best first, and when to ask again. Pure. */
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { momentFor } from './decide-call.ts';
import { hasRoom } from './caps.ts';
import { judge, type Judgement, type Moment, type TextRefusal } from './judge.ts';
import { isCounted } from './ledger.ts';
import { LookReasons } from './look-reasons.ts';
import { placeOf, Places, type Chosen } from './places.ts';
import type { Visitor } from './visitor.ts';
import type { MessageRule, WorkspaceMessages } from './workspace-messages.ts';

/** As a client gets it: what is not set is absent. */
export type FilledContent = Readonly<Record<string, unknown>>;
/** The texts of a message with what the visitor did in them. */
export type Filled =
  | { readonly ok: true; readonly content: FilledContent }
  | { readonly ok: false; readonly reason: TextRefusal };

export interface Offer extends Chosen {
  readonly content: FilledContent;
}
export interface Unfilled {
  readonly rule: MessageRule;
  readonly reason: TextRefusal;
}
/** Told, since texts may ask for the time, which no decision does. */
export type Fill = (rule: MessageRule, variant: string) => Filled;

export interface Offers {
  readonly offers: readonly Offer[];
  /** What would have been offered if its texts could be filled in. */
  readonly unfilled: readonly Unfilled[];
  readonly pollSeconds: number;
  /** Something stands in the way that has not been counted in this hour: the poll is to be written down as a look. */
  readonly hasNews: boolean;
}

export const offersMax = 10;
/** After so many in one poll no more are tried: each may cost what a message may. */
export const unfilledMax = 10;
/** While a rule is about to change by time alone. */
export const pollSecondsSoon = 2;
export const pollSecondsUsual = 10;
/** Of who can get nothing. */
export const pollSecondsIdle = 60;
const soonMs = 60_000;
const LASTING = new Set(['identified', 'consent_withdrawn', 'bot']);

export function offersFor(visitor: Visitor, messages: WorkspaceMessages, asked: Moment, fill: Fill): Offers {
  const moment = momentFor(visitor, asked);
  const patterns = new PatternSteps();
  const judged = messages.running.map((rule) => ({
    rule,
    judgement: judge(visitor, rule, moment, patterns),
  }));
  const shown = judged.flatMap(({ rule, judgement }) =>
    judgement.outcome === 'show' ? [{ rule, variant: judgement.variant }] : [],
  );
  const { offers, unfilled } = choose(shown, fill, new Places(moment.isAnyPage !== true));
  const looked = lookedAt(visitor, messages, judged, moment);
  const reasons = new LookReasons(new Map(unfilled.map(({ rule, reason }) => [rule.id, reason])));
  return {
    offers,
    unfilled,
    pollSeconds: pollSecondsOf(visitor, judged, moment),
    hasNews: looked.some(({ rule, judgement }) => {
      const reason = reasons.of(visitor, rule, judgement);
      return (
        reason !== undefined && hasRoom(visitor, rule) && !isCounted(visitor, rule.id, reason, moment.at)
      );
    }),
  };
}

/** The message that is offered in the place of one that may be shown; undefined: it is offered itself, or no page is known. */
export function offeredBefore(
  chosen: Chosen,
  visitor: Visitor,
  {
    messages,
    moment,
    fill,
  }: { readonly messages: WorkspaceMessages; readonly moment: Moment; readonly fill: Fill },
): string | undefined {
  if (moment.isAnyPage === true) return undefined;
  const { offers } = offersFor(visitor, messages, moment, fill);
  if (offers.some(({ rule }) => rule === chosen.rule)) return undefined;
  return offers.find((offer) => placeOf(offer) === placeOf(chosen))?.rule.id;
}

/** One for each place, of those whose texts can be filled in. */
function choose(shown: readonly Chosen[], fill: Fill, places: Places): Pick<Offers, 'offers' | 'unfilled'> {
  const offers: Offer[] = [];
  const unfilled: Unfilled[] = [];
  for (const chosen of shown) {
    if (offers.length >= offersMax || unfilled.length >= unfilledMax) break;
    if (places.isTaken(chosen)) continue;
    const filled = fill(chosen.rule, chosen.variant);
    if (!filled.ok) unfilled.push({ rule: chosen.rule, reason: filled.reason });
    else {
      offers.push({ ...chosen, content: filled.content });
      places.take(chosen);
    }
  }
  return { offers, unfilled };
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
