/**
 * Triggers of a release that wait for the effects of the identify behind it (spec C.1 row 16). A release may have as many
 * as a lane has events, so what a person's state says of them is a range, and they themselves lie in the store, one by one.
 * Pure.
 *
 * A range is one of: waiting (for the identify, or for heldTriggerMsMax), releasing (what it waited for has come, and its
 * triggers are decided a slice at a moment, so that none of them holds up other people).
 */
export interface HeldTrigger {
  readonly journeyId: string;
  readonly messageId: string;
  /** Which of the person's runs; absent: the one without a key. */
  readonly key?: string;
}

export interface HeldRange {
  /** Names it among those of the person. */
  readonly number: number;
  /** Whose identify it waits for. */
  readonly anonymousId: string;
  /** When it began, ms. */
  readonly at: number;
  /** Places [from, to) of the triggers in the store. */
  readonly from: number;
  readonly to: number;
  /** It is releasing, and this is when the next slice is due, ms. */
  readonly dueAt?: number;
  /** Triggers of a state that an earlier version has stored: these, and none in the store. */
  readonly items?: readonly HeldTrigger[];
}

/**
 * How long triggers wait for the identify behind their release. The identify follows in the same lane, so this only bounds
 * the wait for one that never comes.
 */
export const heldTriggerMsMax = 5 * 60_000;
/** Of a person; as many as a lane has events. Those beyond are decided at once. */
export const heldTriggersMax = 1_000_000;
/** Visitors of one person whose identifies are awaited at once. */
export const heldRangesMax = 64;
/** Decided at one moment; the rest a millisecond later, and so on. */
export const releasedALookMax = 2_000;

export function dueOf({ at, dueAt }: HeldRange): number {
  return dueAt ?? at + heldTriggerMsMax;
}

/** The range that takes one more, with its place; undefined: there is no room. */
export function rangeFor(
  ranges: readonly HeldRange[],
  anonymousId: string,
  now: number,
): HeldRange | undefined {
  const sum = ranges.reduce((total, { from, to }) => total + to - from, 0);
  if (sum >= heldTriggersMax) return undefined;
  const open = ranges.find(
    (range) => range.anonymousId === anonymousId && range.dueAt === undefined && range.items === undefined,
  );
  if (open !== undefined) return open;
  if (ranges.length >= heldRangesMax) return undefined;
  const number = 1 + Math.max(0, ...ranges.map((range) => range.number));
  return { number, anonymousId, at: now, from: 0, to: 0 };
}

/** What earlier versions have stored: a list of triggers, each with whom it waits for and since when. */
export function rangesOfList(
  list: readonly (HeldTrigger & { readonly anonymousId: string; readonly at: number })[],
): readonly HeldRange[] {
  const ranges = new Map<string, HeldRange>();
  for (const { anonymousId, at, ...item } of list) {
    const before = ranges.get(anonymousId) ?? { number: ranges.size + 1, anonymousId, at, from: 0, to: 0 };
    const items = [...(before.items ?? []), item];
    ranges.set(anonymousId, { ...before, to: items.length, items });
  }
  return [...ranges.values()];
}
