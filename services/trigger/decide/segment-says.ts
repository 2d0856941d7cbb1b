/** Whether somebody is in a segment, in a sentence: what `explain` shows to people. Pure. */
export interface AskedOfSegment {
  readonly isManual: boolean;
  /** ISO 8601; undefined: they are not in it. */
  readonly since: string | undefined;
  /** When that changes if nothing more happens, ISO 8601; undefined: never. */
  readonly changesAt: string | undefined;
  /** What people did before the rule was there is still being read. */
  readonly isOpen: boolean;
}

export function segmentSays({ isManual, since, changesAt, isOpen }: AskedOfSegment): string {
  if (isManual)
    return since === undefined
      ? 'the person is not in it: a manual segment has no rule, and no call has put them in (add_customers), or one has taken them out'
      : `a call put the person in at ${since}, and they stay until one takes them out (remove_customers)`;
  const is = since === undefined ? 'the person is not in it' : `the person has been in it since ${since}`;
  if (isOpen)
    return `${is}; what people did before is being read, and until it is in nobody enters or leaves`;
  if (changesAt === undefined) return is;
  return `${is}; if nothing more happens they ${since === undefined ? 'enter' : 'leave'} at ${changesAt}`;
}
