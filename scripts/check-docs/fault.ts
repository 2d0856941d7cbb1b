/** What the check of the documents found wrong. */
export interface Fault {
  readonly rule: 'row' | 'rows' | 'proof' | 'counts' | 'link' | 'citation';
  readonly path: string;
  /** What is wrong, and what to do where that is not plain. */
  readonly message: string;
}

/** The files of a checkout, by their path from its root, with `/`. */
export interface Tree {
  readonly paths: readonly string[];
  /** @throws when there is no such file. */
  read(path: string): string;
}
