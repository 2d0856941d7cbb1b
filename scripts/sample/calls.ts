/** What a visitor of the sample storefront does, call by call. */

export type Call = EventCall | IdentifyCall | RepeatCall | ShowCall;
/** Which unmodified client sends it: @customerio/cdp-analytics-node or customerio-node. */
export type Via = 'pipelines' | 'track';

export interface EventCall {
  readonly type: 'event' | 'page';
  readonly via: Via;
  readonly anonymousId: string | null;
  readonly userId: string | null;
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Goes with Pipelines calls; the Track API carries none. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly messageId: string;
  /** ms; the Track API carries whole seconds. */
  readonly timestamp: number;
}
export interface IdentifyCall {
  readonly type: 'identify';
  readonly via: Via;
  readonly anonymousId: string | null;
  readonly userId: string;
  readonly traits: Readonly<Record<string, unknown>>;
  readonly messageId: string;
  readonly timestamp: number;
}
/** A client that sends an event again, under the same message id. */
export interface RepeatCall {
  readonly type: 'repeat';
  readonly of: EventCall;
}
/** A page asks whether it may show the sample's on-site message; what it shows is perhaps clicked. */
export interface ShowCall {
  readonly type: 'show';
  readonly anonymousId: string;
  readonly exposure: string;
  /** The page's url. */
  readonly page: string;
  readonly isClicked: boolean;
}

export interface Visitor {
  readonly number: number;
  readonly kind: 'browser' | 'buyer' | 'quiz' | 'two-devices' | 'leaver' | 'shared-device' | 'bot';
  /** In the order in which they are made. */
  readonly calls: readonly Call[];
  /** What comes from the first identify on is made when everybody else's past is there. */
  readonly isLate: boolean;
}
