/** What the client asks of whichever library the page sends its events by. */
export interface Tracker {
  /** undefined: there is none yet. */
  anonymousId(): string | undefined;
  /** undefined: nobody knows who they are. */
  userId(): string | undefined;
  track(event: string, properties: Readonly<Record<string, unknown>>): void;
  identify(traits: Readonly<Record<string, string>>): void;
}

/** What has happened in the page, told by the library. */
export interface PageStory {
  /** @param name as the page named itself. */
  paged(name: string | undefined): void;
  tracked(): void;
  /** The visitor is somebody else than before, or known now. */
  renamed(): void;
}
