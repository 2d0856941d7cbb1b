/** On-site messages as parsed (contract, *On-site messages*). Times are ms since 1970, durations ms. */
import type { Condition, EventCondition, EventMatcher } from './condition.ts';
import type { PageRule } from './page-rules.ts';

export const messageStates = ['draft', 'running', 'stopped'] as const;
export const contentKinds = ['modal', 'overlay', 'inline', 'tooltip', 'banner'] as const;
export const positions = [
  'center',
  'top',
  'bottom',
  'left',
  'right',
  'top-left',
  'top-right',
  'bottom-left',
  'bottom-right',
] as const;
export type ContentKind = (typeof contentKinds)[number];
export type Position = (typeof positions)[number];

export interface Action {
  /** Names the click in what is measured. */
  readonly name: string;
  readonly label: string;
  readonly url: string | null;
  readonly close: boolean;
  /** Minutes until the message may be shown again; null: the action is no snooze. */
  readonly snooze: number | null;
}
export interface Form {
  readonly fields: readonly string[];
  readonly submit: string;
}
/** Texts are Liquid. */
export interface Content {
  readonly kind: ContentKind;
  readonly position: Position;
  /** CSS id or selector; of inline and tooltip. */
  readonly element: string | null;
  readonly title: string | null;
  readonly body: string | null;
  readonly html: string | null;
  readonly coupon: string | null;
  readonly actions: readonly Action[];
  readonly form: Form | null;
}
export interface Variant {
  readonly id: string;
  readonly weight: number;
  readonly content: Content;
}

export type MessageFrequency =
  /** On each page that matches, until somebody clicks, dismisses or submits it. */
  | { readonly mode: 'until_interacted' }
  /** Until dismissed. */
  | { readonly mode: 'always' }
  /** Also `once`. A dismissal ends it below n, too. */
  | { readonly mode: 'times'; readonly times: number; readonly gapMs: number };

export interface Caps {
  /** null: no cap. */
  readonly session: number | null;
  readonly day: number | null;
  readonly gapMs: number | null;
  /** Caps count all messages of the group. */
  readonly group: string | null;
}

export interface Conversion extends EventMatcher {
  readonly withinMs: number;
}

export interface Message {
  readonly name: string;
  readonly description: string | null;
  readonly state: (typeof messageStates)[number];
  /** null: everybody. */
  readonly audience: Condition | null;
  /** Any of them; none is every page. */
  readonly pages: readonly PageRule[];
  readonly frequency: MessageFrequency;
  readonly caps: Caps;
  /** null: who has bought lately, whatever the event is called. */
  readonly suppress: readonly EventCondition[] | null;
  readonly from: number | null;
  readonly until: number | null;
  /** The lowest goes first. */
  readonly priority: number;
  /** Share of visitors who never see it. */
  readonly holdout: number;
  readonly variants: readonly Variant[];
  /** null: an order within conversionMsUsual. */
  readonly conversion: Conversion | null;
}

export const conversionMsUsual = 7 * 86_400_000;
export const suppressMsUsual = 86_400_000;
export const priorityUsual = 100;
/** Of a message that has `content` and no variants. */
export const variantUsual = 'default';

/** What a visitor's ledger keeps of a message or a group is as much as the largest of these needs. */
export const exposureCapMax = 20;
export const pageRulesMax = 50;
export const pageRuleCharsMax = 200;
export const wildcardsMax = 10;
export const variantsMax = 20;
export const variantWeightMax = 1_000;
export const priorityMax = 1_000;
export const suppressMax = 20;
export const actionsMax = 10;
export const formFieldsMax = 10;
export const snoozeMinutesMax = 60 * 24 * 365;
export const htmlCharsMax = 20_000;
export const bodyCharsMax = 4_000;
