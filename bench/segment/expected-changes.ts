/**
 * Who has to enter and leave which segment, when and why, said without a word of how it is done: somebody is in a segment
 * at a moment when, of the events that have come by then, so many happened less than its time ago.
 */
import { windowMs, type WatchingSegment } from '../trigger/watching-segments.ts';
import type { ShopEvent } from './shop-events.ts';

/** Of one person and one segment, in its order. */
export interface Change {
  readonly change: 'entered' | 'left';
  /** ms */
  readonly at: number;
  /** Of the event that caused it; null: time did. */
  readonly event: number | null;
}

interface Counting {
  readonly id: string;
  readonly event: string;
  readonly above: number;
  readonly atLeast: number;
  readonly withinMs: number;
}

export interface Happened {
  readonly number: number;
  readonly cameAt: number;
  readonly at: number;
}

export interface Window {
  readonly atLeast: number;
  readonly withinMs: number;
}

export class ExpectedChanges {
  readonly #segments: readonly Counting[];
  /** By segment, and in it by person. */
  readonly #happened: readonly Map<number, Happened[]>[];

  constructor(segments: readonly WatchingSegment[]) {
    this.#segments = segments.map(countingOf);
    this.#happened = segments.map(() => new Map<number, Happened[]>());
  }

  /** In the order in which they come. */
  take({ person, name, price, number, mergedAt, timestamp }: ShopEvent): void {
    for (const [index, { event, above }] of this.#segments.entries()) {
      if (event !== name || price <= above) continue;
      const ofPeople = this.#happened[index];
      const happened = ofPeople?.get(person) ?? [];
      happened.push({ number, cameAt: mergedAt, at: timestamp });
      ofPeople?.set(person, happened);
    }
  }

  /** @param until ms; what changes by then is in. */
  *changes(until: number): Generator<{
    readonly person: number;
    readonly segmentId: string;
    readonly changes: readonly Change[];
  }> {
    for (const [index, segment] of this.#segments.entries()) {
      for (const [person, happened] of this.#happened[index] ?? []) {
        const changes = changesOf(happened, segment, until);
        if (changes.length > 0) yield { person, segmentId: segment.id, changes };
      }
    }
  }
}

/** @param happened in the order in which it came. */
export function changesOf(
  happened: readonly Happened[],
  { atLeast, withinMs }: Window,
  until: number,
): readonly Change[] {
  const comes = happened.map(({ number, cameAt }) => ({ at: cameAt, event: number }));
  const ends = happened.map(({ at }) => ({ at: at + withinMs, event: null }));
  const moments = [...ends, ...comes].sort((a, b) => a.at - b.at).filter(({ at }) => at <= until);
  const changes: Change[] = [];
  let [come, isIn] = [0, false];
  for (const { at, event } of moments) {
    if (event !== null) come += 1;
    const inWindow = happened.slice(0, come).filter((each) => each.at > at - withinMs);
    if (inWindow.length >= atLeast === isIn) continue;
    isIn = !isIn;
    changes.push({ change: isIn ? 'entered' : 'left', at, event });
  }
  return changes;
}

function countingOf({ id, body }: WatchingSegment): Counting {
  const { event, where, count } = body.when;
  return { id, event, above: where[0]?.value ?? NaN, atLeast: count.at_least, withinMs: windowMs };
}
