/** What the page says of the client: options of the In-App Plugin in its snippet, or data attributes of our script. */
export interface Settings {
  readonly siteId?: string;
  /** Nobody unidentified is asked for without it (spec E row 46). */
  readonly anonymousInApp?: boolean;
  /** true: the page has the library's own plugin show messages, so this one shows none. */
  readonly enabled?: boolean;
  /** Of the settings document; needed to send what waited for consent. */
  readonly writeKey?: string;
  /** true: nothing of a visitor leaves the browser before `consent(true)`. */
  readonly consent?: boolean;
  /** Of the settings document: the workspace asks for consent, whatever the page says. */
  readonly workspaceConsent?: { readonly eventsMax: number; readonly daysMax: number };
  readonly consentEventsMax?: number;
  readonly consentDaysMax?: number;
  /** false: exit intent, scrolling and dwelling are not sent as events. */
  readonly signals?: boolean;
}
