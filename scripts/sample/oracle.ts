/**
 * What ClickHouse must hold after a storefront was played: for each person and lane the exact ordered message ids.
 * A naive reading of spec C.1, sharing no code with the product; every call lies within five minutes of receive time
 * of the identify before it, which is how the storefront is played.
 */
import type { Call, EventCall, Visitor } from './calls.ts';

export interface Oracle {
  /** person id (as the storefront names it) to lane to message ids in order. */
  readonly people: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** Anonymous id to message ids. */
  readonly anonymous: ReadonlyMap<string, readonly string[]>;
  /** Message ids of repeats, once for each repeat. */
  readonly repeats: readonly string[];
  /** Of each person's event, by message id: the call that made it theirs. Its own, or the identify that claimed it. */
  readonly causes: ReadonlyMap<string, Call>;
  /** People who did this event, by name; what the sample segment and journey expect. */
  didEvent(name: string): ReadonlySet<string>;
}

export function expectationsOf(visitors: readonly Visitor[]): Oracle {
  const story = new Story();
  for (const visitor of visitors) for (const call of visitor.calls) story.tell(call);
  return story.end();
}

class Story {
  readonly #people = new Map<string, Map<string, string[]>>();
  readonly #waiting = new Map<string, EventCall[]>();
  readonly #claims = new Map<string, string>();
  readonly #did = new Map<string, Set<string>>();
  readonly #repeats: string[] = [];
  readonly #causes = new Map<string, Call>();

  tell(call: Call): void {
    if (call.type === 'show') return; // no event
    if (call.type === 'repeat') this.#repeats.push(call.of.messageId);
    else if (call.type === 'identify') {
      if (call.anonymousId === null || this.#claims.has(call.anonymousId)) return;
      this.#claims.set(call.anonymousId, call.userId);
      const past = this.#waiting.get(call.anonymousId) ?? [];
      this.#waiting.delete(call.anonymousId);
      const ordered = past.map((event, arrival) => ({ event, arrival }));
      ordered.sort((a, b) => sentTimestamp(a.event) - sentTimestamp(b.event) || a.arrival - b.arrival);
      for (const { event } of ordered) this.#give(call.userId, event, call);
    } else {
      const owner =
        call.userId ?? (call.anonymousId === null ? undefined : this.#claims.get(call.anonymousId));
      if (owner !== undefined) this.#give(owner, call, call);
      else if (call.anonymousId !== null) push(this.#waiting, call.anonymousId, call);
    }
  }

  end(): Oracle {
    const anonymous = new Map<string, string[]>();
    for (const [lane, events] of this.#waiting)
      anonymous.set(
        lane,
        events.map((event) => event.messageId),
      );
    const did = this.#did;
    return {
      people: this.#people,
      anonymous,
      repeats: this.#repeats,
      causes: this.#causes,
      didEvent: (name) => did.get(name) ?? new Set(),
    };
  }

  #give(person: string, event: EventCall, cause: Call): void {
    this.#causes.set(event.messageId, cause);
    const lanes = this.#people.get(person) ?? new Map<string, string[]>();
    this.#people.set(person, lanes);
    push(lanes, event.anonymousId ?? '', event.messageId);
    const did = this.#did.get(event.name) ?? new Set();
    this.#did.set(event.name, did.add(person));
  }
}

/** As it goes over the wire: the Track API carries whole seconds. */
function sentTimestamp(event: EventCall): number {
  return event.via === 'track' ? Math.floor(event.timestamp / 1000) * 1000 : event.timestamp;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
