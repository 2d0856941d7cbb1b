/** A place in a log of segments: the number of a segment, and bytes from its start. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}
