/** An attribute as a person has it, with who wrote it. */

/** Who wrote last: time in ms, then message id. */
export type Stamp = readonly [at: number, messageId: string];
/** null: removed. */
export interface Written {
  readonly value: unknown;
  readonly by: Stamp;
}
