/** What tests ask of a browser, whichever it is. */
export interface Browser {
  /** Somebody who has never been here: cookies and storage of their own. */
  visitor(): Promise<Visitor>;
  close(): Promise<void>;
}

export interface Visitor {
  /** Resolves when the page has loaded. What an earlier page left in cookies is there. */
  goto(url: string): Promise<void>;
  /** The value of an expression in the page, awaited, as JSON. */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}
