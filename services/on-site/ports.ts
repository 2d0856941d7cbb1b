/** What the routes of on-site messages are given by the gateway. */
import type { Workspace } from '../../schemas/ids.ts';
import type { PageSigns } from './page-signs.ts';

export interface Page {
  readonly name: string;
  readonly path: string | null;
}

/** As services/in-app reads it. */
export interface Asked {
  readonly workspace: string;
  readonly lane: string;
  readonly anonymousId: string;
  readonly moment: {
    /** ms. */
    readonly at: number;
    readonly page: Page | null;
    readonly agent: string | null;
    readonly isIdentified: boolean;
    /** The client goes by the page rules itself. */
    readonly isAnyPage?: boolean;
  };
  readonly isToken?: boolean;
}

export interface Offered {
  readonly message_id: string;
  readonly version: number;
  readonly variant: string;
  readonly priority: number;
  readonly content: Readonly<Record<string, unknown>>;
  /** Of a client that goes by them itself: the page rules as a pattern, and how often. */
  readonly pattern?: string | null;
  readonly frequency?: { readonly count: number; readonly delay: number };
}
export interface Polled {
  readonly messages: readonly Offered[];
  readonly pollSeconds: number;
  readonly hasNews: boolean;
  /** Of messages whose texts could not be filled in: the look tells of them. */
  readonly unfilled: readonly string[];
  readonly linkedId: string | null;
}

/** The live view of the service in-app. Rejects with a retryable CodedError `in_app_unavailable`. */
export interface InAppView {
  poll(asked: Asked): Promise<Polled>;
  /** null: there is no such message. */
  why(asked: Asked & { readonly messageId: string }): Promise<unknown>;
}

export interface InAppAnswer {
  readonly taken: boolean;
  readonly reason: string | null;
  readonly variant: string | null;
}

/** A call that is decided in the order of the visitor's events. Every field as in schemas/avro/InAppRequest.avsc. */
export interface InAppCall {
  readonly kind: 'look' | 'show' | 'report' | 'consent' | 'link';
  readonly workspace: Workspace;
  readonly anonymousId: string;
  readonly requestId: string;
  readonly at: number;
  readonly messageId?: string;
  readonly exposure?: string;
  readonly variant?: string | null;
  readonly event?: string;
  readonly action?: string | null;
  readonly page?: Page | null;
  readonly agent?: string | null;
  readonly isIdentified?: boolean;
  readonly minutes?: number | null;
  readonly consent?: boolean;
  readonly linkedId?: string;
  readonly isAnyPage?: boolean;
  readonly unfilled?: readonly string[];
}

export interface InAppCalls {
  /** Resolves when the log has it. */
  send(call: InAppCall): Promise<void>;
  /** Resolves with what was decided, once that is committed. Rejects with a retryable CodedError `in_app_unavailable`. */
  decide(call: InAppCall): Promise<InAppAnswer>;
}

/** What a visitor says of their consent, at its place among their events. */
export interface ConsentSaid {
  readonly workspace: Workspace;
  readonly anonymousId: string;
  readonly isGiven: boolean;
  /** ms. */
  readonly at: number;
  readonly messageId: string;
}

export interface SiteKeys {
  site(siteId: string): Workspace | undefined;
  pipelines(writeKey: string): Workspace | undefined;
  app(appKey: string): Workspace | undefined;
}

export interface OnSiteOptions {
  readonly keys: SiteKeys;
  readonly view: InAppView;
  readonly calls: InAppCalls;
  /** ms of a call with this header; undefined: the header is no time. */
  readonly receiveTime: (header: string | string[] | undefined) => Promise<number | undefined>;
  readonly newId: () => string;
  readonly signs: PageSigns;
  /** Resolves when it is kept, as an event is: a withdrawal erases what waits of the visitor (contract, *Words*). */
  readonly recordConsent: (said: ConsentSaid) => Promise<void>;
}
