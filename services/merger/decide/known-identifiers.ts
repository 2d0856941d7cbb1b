/** Who a person is, as identity said with its answer to a lane. */
export interface KnownIdentifiers {
  /** Number of the last fact about the person. */
  readonly asOf: number;
  readonly id: string | null;
  readonly email: string | null;
}
