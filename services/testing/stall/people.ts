/**
 * People who do A, and B in time or not, around a stop of an hour: what is received before it, what waits through it,
 * and what must be told in the end. Some are known when it begins; of others the past waits in their lane, and the
 * identify that claims it waits on the log.
 */
import type { CollectedEvent } from '../../../schemas/records.ts';
import { collectedEvent } from '../collected-event.ts';
import type { Random } from '../random.ts';
import { stallMs } from './stall-service.ts';

const MINUTE_MS = 60_000;
export const hourMs = 60 * MINUTE_MS;
/** How long before the stop the first events are. */
export const beforeMs = MINUTE_MS / 2;
/** Of an anonymous past: no A of it is due before the identify, which would make it one that is told too late. */
const PAST_MS_MAX = 8 * MINUTE_MS;
const EVENTS_MAX = 10;

export interface Call {
  readonly lane: string;
  readonly event: CollectedEvent;
}

interface Done {
  readonly person: number;
  readonly name: 'A' | 'B';
  readonly at: number;
  readonly messageId: string;
}

export interface Hour {
  /** In the order in which they are received. */
  readonly calls: readonly Call[];
  /** Message ids of the A's after which no B came in time. */
  readonly stalled: readonly string[];
  /** A's that would have been told by a clock before the B that prevents it was read. */
  readonly prevented: number;
}

/** @param stopAt when everything stops, for an hour. */
export function makeHour(random: Random, people: number, stopAt: number): Hour {
  const calls: Call[] = [];
  const done: Done[] = [];
  for (let person = 0; person < people; person += 1) live(random, { person, stopAt, calls, done });
  calls.sort((a, b) => a.event.received_at - b.event.received_at);
  const isPrevented = (a: Done): Done | undefined =>
    done.find((b) => b.person === a.person && b.name === 'B' && b.at >= a.at && b.at < a.at + stallMs);
  const as = done.filter(({ name }) => name === 'A');
  return {
    calls,
    stalled: as.filter((a) => isPrevented(a) === undefined).map(({ messageId }) => messageId),
    prevented: as.filter((a) => (isPrevented(a)?.at ?? 0) > stopAt).length,
  };
}

interface Life {
  readonly person: number;
  readonly stopAt: number;
  readonly calls: Call[];
  readonly done: Done[];
}

function live(random: Random, { person, stopAt, calls, done }: Life): void {
  const from = stopAt - beforeMs;
  const id = `p${String(person)}`;
  const device = `d${String(person)}`;
  const identifyAt = random.chance(0.5) ? from : from + random.below(beforeMs + hourMs);
  let number = 0;
  const call = (at: number, fields: Partial<CollectedEvent>): string => {
    number += 1;
    const messageId = `${id}-${String(number)}`;
    const event = collectedEvent({ message_id: messageId, received_at: at, anonymous_id: device, ...fields });
    const lane = event.anonymous_id === null ? `default:i:${id}` : `default:a:${device}`;
    calls.push({ lane, event });
    return messageId;
  };
  const named = { identifier_kind: 'id', identifier: id } as const;
  call(identifyAt, { type: 'identify', name: null, id, ...named });
  for (let count = random.below(EVENTS_MAX); count > 0; count -= 1) {
    const name = random.chance(0.6) ? 'A' : 'B';
    const isPast = identifyAt > from && random.chance(0.5);
    const earliest = isPast ? Math.max(from, identifyAt - PAST_MS_MAX) : identifyAt + 1;
    const latest = isPast ? identifyAt : stopAt + hourMs;
    const at = earliest + random.below(Math.max(1, latest - earliest));
    // By the device, or from a server that knows the person: another lane, in another partition.
    const fields = isPast ? {} : { ...named, ...(random.chance(0.5) && { anonymous_id: null }) };
    done.push({ person, name, at, messageId: call(at, { name, ...fields }) });
  }
}
