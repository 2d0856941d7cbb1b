/** What the queue offers a page (contract, *On-site messages*). Texts come with their Liquid filled in. */
export interface Offer {
  readonly message_id: string;
  readonly version: number;
  readonly variant: string;
  readonly content: Content;
}

/** Whoever has nothing to say in a field leaves it out or sends null. */
export interface Content {
  readonly kind: 'modal' | 'overlay' | 'inline' | 'tooltip' | 'banner';
  readonly position?: string | null;
  /** Of inline and tooltip: a CSS id or selector. */
  readonly element?: string | null;
  readonly title?: string | null;
  readonly body?: string | null;
  readonly html?: string | null;
  readonly coupon?: string | null;
  readonly actions?: readonly Action[] | null;
  readonly form?: { readonly fields: readonly string[]; readonly submit: string } | null;
}

export interface Action {
  readonly name: string;
  readonly label: string;
  readonly url?: string | null;
  readonly close?: boolean | null;
  /** Minutes. */
  readonly snooze?: number | null;
}

export interface QueueAnswer {
  readonly messages: readonly Offer[];
  readonly poll_seconds: number;
}

/** What somebody did with a message that is on their screen. */
export type Reaction =
  | { readonly event: 'clicked'; readonly action?: string }
  | { readonly event: 'dismissed'; readonly action?: string }
  | { readonly event: 'snoozed'; readonly action?: string; readonly minutes: number }
  | { readonly event: 'submitted'; readonly answers: Readonly<Record<string, string>> };

/** What becomes of a showing that was asked for, and allowed. */
export type Outcome = Reaction | { readonly event: 'not_shown' };

/** A message on the screen. */
export interface Shown {
  isOpen(): boolean;
  /** Takes it away, without a word to anybody. */
  close(): void;
}

/** What the renderer, loaded when a message is due, leaves in the page. */
export interface Renderer {
  /** Whether the page has the element that the message belongs to. */
  hasPlace(content: Content): boolean;
  /** @param react is called for each reaction; the message has closed itself where that ends it. */
  show(content: Content, react: (reaction: Reaction) => void): Shown;
}
