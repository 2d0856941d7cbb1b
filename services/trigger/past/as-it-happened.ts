/**
 * A history as if nothing had been sent late: each event comes to the person as long after it happened as it waited for
 * them, and not when it was received. What was imported, or sent by a device that had been offline, is then in its place.
 * Of whatever was received at its own time nothing changes. Pure.
 */
import { windowTime } from '../../rules/matching.ts';
import type { PersonEvent } from '../decide/decide.ts';
import type { PersonHistory } from '../decide/replay.ts';

/** When things come to a person: as they were received, or as they happened. */
export type ComesBy = 'arrival' | 'event_time';

export function asItHappened(history: PersonHistory): PersonHistory {
  const identifiedAt = identifyTimes(history.events);
  const events = history.events.map((event) => {
    const mergedAt = comesAt(event, identifiedAt);
    return mergedAt === event.mergedAt ? event : { ...event, mergedAt };
  });
  return { ...history, events: events.sort((a, b) => a.mergedAt - b.mergedAt) }; // sorting is stable
}

/** ms by which at most something comes later as it was received than as it happened, or the other way round. */
export function comesLaterMs({ events }: PersonHistory): number {
  const identifiedAt = identifyTimes(events);
  return events.reduce((most, event) => {
    return Math.max(most, Math.abs(event.mergedAt - comesAt(event, identifiedAt)));
  }, 0);
}

/** ms by which it was received after it happened. */
function latenessOf({ timestamp, receivedAt }: PersonEvent): number {
  return receivedAt - windowTime(timestamp, receivedAt);
}

function isHappening({ type }: PersonEvent): boolean {
  return type === 'event' || type === 'page' || type === 'screen';
}

function comesAt(event: PersonEvent, identifiedAt: ReadonlyMap<number, number>): number {
  const { type, mergedAt, receivedAt, previouslyAnonymous } = event;
  if (type === 'identify') return ownTime(event) ?? identifiedAt.get(mergedAt) ?? mergedAt;
  if (!isHappening(event)) return mergedAt;
  const at = windowTime(event.timestamp, receivedAt);
  const claimedAt = previouslyAnonymous ? identifiedAt.get(mergedAt) : undefined;
  return claimedAt === undefined ? at + mergedAt - receivedAt : Math.max(at, claimedAt);
}

/** ms; undefined: who called said none. */
function ownTime({ timestamp, receivedAt, mergedAt }: PersonEvent): number | undefined {
  if (timestamp === receivedAt) return undefined;
  return windowTime(timestamp, receivedAt) + mergedAt - receivedAt;
}

/**
 * By the moment at which each identify was decided, when it happened. Most calls of a server say no time of their own, so
 * one without counts as sent as late as what was received last before it.
 */
function identifyTimes(events: readonly PersonEvent[]): ReadonlyMap<number, number> {
  const byArrival = events.filter(isHappening).sort((a, b) => a.receivedAt - b.receivedAt);
  const times = new Map<number, number>();
  let [next, lateness] = [0, 0];
  for (const one of events) {
    const { type, mergedAt } = one;
    for (; (byArrival[next]?.receivedAt ?? Infinity) <= mergedAt; next += 1) {
      const event = byArrival[next];
      if (event !== undefined) lateness = latenessOf(event);
    }
    if (type === 'identify') times.set(mergedAt, ownTime(one) ?? mergedAt - lateness);
  }
  return times;
}
