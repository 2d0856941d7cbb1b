/**
 * What is known of one visitor (one anonymous id), as it is stored: what they did as far as messages ask for it, and what
 * was shown to them. Plain data, and all of it bounded. Times are receive times, ms.
 */
import type { Marks } from '../../rules/windows.ts';

export interface Item {
  readonly product_id?: string;
  readonly sku?: string;
  readonly variant_id?: string;
  readonly name?: string;
  readonly category?: string;
  readonly price?: number;
  readonly currency?: string;
  readonly image_url?: string;
  readonly url?: string;
}
export interface CartLine extends Item {
  readonly quantity: number;
}

/** What a visitor has counted for the conditions of one message. */
export interface RuleMarks {
  /** By the name of the condition (mark-key.ts). */
  readonly marks: Readonly<Record<string, Marks>>;
}

/** The ledger of one message. */
export interface Ledger {
  readonly shown: number;
  /** Of the last exposureCapMax, latest first. */
  readonly times: readonly number[];
  readonly variant: string | null;
  readonly version: number;
  readonly clickedAt: number | null;
  readonly dismissedAt: number | null;
  readonly submittedAt: number | null;
  readonly snoozedUntil: number | null;
  /** When it was first held out instead of shown, of this version. */
  readonly heldOutAt: number | null;
  /** Hours since 1970 in which a refusal was last counted, by reason; `held_out` among them. */
  readonly counted: Readonly<Record<string, number>>;
  /** When it was first shown, of this version: conversions count from here, as they do from `heldOutAt`. */
  readonly firstShownAt: number | null;
}

/** What was answered to a show, so that the same exposure gets the same answer. */
export interface Answered {
  readonly exposure: string;
  readonly messageId: string;
  /** null: it was shown. */
  readonly reason: string | null;
  /** Reports taken, as `event`, or of a button `clicked:action`. */
  readonly reports: readonly string[];
  /** When it was shown; absent of what was not, and of what was kept before this was. */
  readonly at?: number;
}

export interface Visitor {
  readonly anonymousId: string;
  /** First and last event. 0: none yet. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly sessions: number;
  readonly sessionAt: number;
  readonly pages: number;
  readonly sessionPages: number;
  readonly lastPageAt: number;
  /** Of identifies without an identifier, and of the first touch. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly timezone: string | null;
  /** Latest first. */
  readonly items: readonly Item[];
  readonly cart: readonly CartLine[];
  /** Products looked at, by category. */
  readonly categories: Readonly<Record<string, number>>;
  readonly orders: number;
  readonly lastOrderAt: number | null;
  readonly isBot: boolean;
  /** Somebody has been named in this lane. */
  readonly isIdentified: boolean;
  /** Who, as soon as identity has said so. */
  readonly personId: string | null;
  readonly hasWithdrawn: boolean;
  /** Of a visitor known by a token of their client's: the anonymous id that they turned out to have. */
  readonly linkedId: string | null;
  readonly rules: Readonly<Record<string, RuleMarks>>;
  readonly ledgers: Readonly<Record<string, Ledger>>;
  /** Of the last exposureCapMax in each group, latest first. */
  readonly groups: Readonly<Record<string, readonly number[]>>;
  readonly lastShownAt: number | null;
  /** What is on the screen, as far as anybody has said. */
  readonly open: { readonly messageId: string; readonly exposure: string; readonly at: number } | null;
  /** Latest last. */
  readonly answered: readonly Answered[];
}

export const attributesMax = 50;
export const attributeCharsMax = 500;
export const itemsMax = 10;
export const cartLinesMax = 20;
export const categoriesMax = 20;
export const ledgersMax = 200;
export const groupsMax = 50;
export const answeredMax = 60;
export const reportsMax = 30;
/** All that is kept of one. It is read and written whole, for each record and for each poll, which anybody may make. */
export const visitorBytesMax = 128 * 1_024;
/** What was answered and reported, as JSON: a page chooses the texts. Above it the oldest go, as above answeredMax. */
export const answeredBytesMax = 64 * 1_024;
/** What is counted for conditions; above it nothing more is counted for the visitor, and each time is told. */
export const ruleMarksBytesMax = 64 * 1_024;
/** A session ends after so long without an event (contract, *On-site messages*). */
export const sessionMsMax = 30 * 60_000;
/** A message that nobody closed counts as on the screen for so long. */
export const openMsMax = 10 * 60_000;

export function newVisitor(anonymousId: string): Visitor {
  return {
    anonymousId,
    firstAt: 0,
    lastAt: 0,
    sessions: 0,
    sessionAt: 0,
    pages: 0,
    sessionPages: 0,
    lastPageAt: 0,
    attributes: {},
    timezone: null,
    items: [],
    cart: [],
    categories: {},
    orders: 0,
    lastOrderAt: null,
    isBot: false,
    isIdentified: false,
    personId: null,
    hasWithdrawn: false,
    linkedId: null,
    rules: {},
    ledgers: {},
    groups: {},
    lastShownAt: null,
    open: null,
    answered: [],
  };
}

export const newLedger: Ledger = {
  shown: 0,
  times: [],
  variant: null,
  version: 0,
  clickedAt: null,
  dismissedAt: null,
  submittedAt: null,
  snoozedUntil: null,
  heldOutAt: null,
  counted: {},
  firstShownAt: null,
};

export function ledgerOf(visitor: Visitor, messageId: string): Ledger {
  return Object.hasOwn(visitor.ledgers, messageId) ? (visitor.ledgers[messageId] ?? newLedger) : newLedger;
}

/** null: never. What was stored before this was kept apart has its oldest showing. */
export function firstShownAt(ledger: Ledger): number | null {
  return ledger.firstShownAt ?? ledger.times.at(-1) ?? null;
}

/** What stays of a visitor who withdrew their consent, or whose person was deleted: that, and who they must not be. */
export function erased(visitor: Visitor, keep: Pick<Visitor, 'hasWithdrawn'>): Visitor {
  const { anonymousId, isIdentified, lastAt } = visitor;
  return { ...newVisitor(anonymousId), isIdentified, lastAt, ...keep };
}
