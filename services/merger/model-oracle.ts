/**
 * What the merger must come to, told as naively as it can be: every call takes its whole effect before the next, people
 * are nodes that point to whom they were merged into, a lane is a list. Nothing here is bounded, cached, asked or
 * released. For the model test only.
 */
import type { LaneKey } from '../../schemas/ids.ts';
import type { Identifier, IdentifierKind } from '../../schemas/lanes.ts';

export interface LaneCall {
  readonly type: 'event' | 'identify';
  /** Key of the lane. */
  readonly lane: LaneKey;
  readonly visitor: string | null;
  readonly named: Identifier | null;
  /** Identify: a further identifier. */
  readonly also: Identifier | null;
  readonly messageId: string;
  readonly receivedAt: number;
  readonly timestamp: number;
}
export type ControlCall =
  | {
      readonly type: 'merge';
      readonly primary: Identifier;
      readonly secondary: Identifier;
      readonly receivedAt: number;
    }
  | {
      readonly type: 'delete' | 'suppress' | 'unsuppress';
      readonly named: Identifier;
      readonly receivedAt: number;
    };
export type Call = LaneCall | ControlCall;

export function isLaneCall(call: Call): call is LaneCall {
  return call.type === 'event' || call.type === 'identify';
}

export interface Person {
  id: string | null;
  email: string | null;
  into: Person | null;
  deleted: boolean;
}
export interface MergedCall {
  readonly person: Person;
  readonly messageId: string;
  readonly type: 'event' | 'identify';
  readonly once: boolean;
  readonly mergedAt: number;
}
interface Lane {
  claim: { readonly person: Person; readonly at: number } | null;
  waiting: LaneCall[];
  readonly seen: Map<string, number>;
}

const DAY = 86_400_000;
const MINUTE = 60_000;

export class Oracle {
  readonly merged = new Map<string, MergedCall[]>();
  readonly dropped: string[] = [];
  readonly #lanes = new Map<string, Lane>();
  readonly #owners = new Map<string, Person>();
  readonly #suppressed = new Map<string, readonly Identifier[]>();
  readonly #repeatMs: number;

  constructor(repeatMs: number) {
    this.#repeatMs = repeatMs;
  }

  take(call: Call): void {
    if (isLaneCall(call)) this.#takeInLane(call);
    else if (call.type === 'merge') this.#merge(call.primary, call.secondary);
    else if (call.type === 'delete') this.#delete(this.owner(call.named));
    else if (call.type === 'suppress') this.#suppress(call.named);
    else {
      for (const each of this.#suppressed.get(keyOf(call.named)) ?? []) this.#suppressed.delete(keyOf(each));
    }
  }

  owner(identifier: Identifier): Person | undefined {
    return this.#owners.get(keyOf(identifier));
  }

  #takeInLane(call: LaneCall): void {
    const lane = this.#lane(call.lane);
    const message = `${call.named === null ? '' : keyOf(call.named)} ${call.messageId}`;
    const before = lane.seen.get(message);
    if (before !== undefined && Math.abs(call.receivedAt - before) < this.#repeatMs) {
      this.dropped.push(`${call.lane} duplicate_message ${call.messageId}`);
      return;
    }
    lane.seen.set(message, call.receivedAt);
    if (call.named === null) this.#takeNameless(lane, call);
    else if ([call.named, call.also].some((each) => each !== null && this.#suppressed.has(keyOf(each)))) {
      this.dropped.push(`${call.lane} identifier_suppressed ${call.messageId}`);
    } else this.#takeNamed(lane, call, this.#resolve(call.named, call.also));
  }

  #takeNameless(lane: Lane, call: LaneCall): void {
    const { claim } = lane;
    if (claim === null) lane.waiting.push(call);
    else if (isClaimable(call, claim.at)) {
      this.#emit(call, claim.person, Math.max(call.receivedAt, claim.at), true);
    }
  }

  #takeNamed(lane: Lane, call: LaneCall, person: Person): void {
    const at = call.receivedAt;
    if (call.type === 'identify' && call.visitor !== null && lane.claim === null) {
      lane.claim = { person, at };
      const claimed = lane.waiting.filter((each) => isClaimable(each, at));
      claimed.sort((a, b) => a.timestamp - b.timestamp);
      for (const each of claimed) this.#emit(each, person, at, true);
      lane.waiting = [];
    }
    this.#emit(call, person, at, false);
  }

  #emit({ lane, messageId, type }: LaneCall, person: Person, mergedAt: number, once: boolean): void {
    const list = this.merged.get(lane) ?? [];
    list.push({ person, messageId, type, once, mergedAt });
    this.merged.set(lane, list);
  }

  /** Spec A.1 (PUT) and C.3, for an id and an email. */
  #resolve(path: Identifier, also: Identifier | null): Person {
    const twins = also === null ? null : this.#twins(path, also);
    if (twins !== null) this.#absorb(twins[0], twins[1]);
    let person = this.owner(path);
    const other = also === null ? undefined : this.owner(also);
    if (person === undefined && other !== undefined && attribute(other, path.kind) === null) person = other;
    person ??= { id: null, email: null, into: null, deleted: false };
    this.#give(person, path);
    if (also !== null) this.#give(person, also);
    return person;
  }

  #twins(a: Identifier, b: Identifier): readonly [Person, Person] | null {
    const [byId, byEmail] = a.kind === 'id' ? [this.owner(a), this.owner(b)] : [this.owner(b), this.owner(a)];
    if (byId === undefined || byEmail === undefined || byId === byEmail) return null;
    return byId.email === null && byEmail.id === null ? [byId, byEmail] : null;
  }

  #give(person: Person, { kind, value }: Identifier): void {
    if (attribute(person, kind) !== null || this.owner({ kind, value }) !== undefined) return;
    if (kind === 'id') person.id = value;
    else person.email = value;
    this.#owners.set(keyOf({ kind, value }), person);
  }

  #merge(primary: Identifier, secondary: Identifier): void {
    const [to, from] = [this.owner(primary), this.owner(secondary)];
    if (to !== undefined && from !== undefined && to !== from) this.#absorb(to, from);
  }

  #absorb(to: Person, from: Person): void {
    for (const each of identifiersOf(from)) {
      this.#owners.delete(keyOf(each));
      this.#give(to, each);
    }
    from.into = to;
  }

  #delete(person: Person | undefined): void {
    if (person === undefined) return;
    for (const each of identifiersOf(person)) this.#owners.delete(keyOf(each));
    person.deleted = true;
  }

  #suppress(named: Identifier): void {
    if (this.#suppressed.has(keyOf(named))) return;
    const person = this.owner(named);
    const blocked = person === undefined ? [named] : identifiersOf(person);
    for (const each of blocked) this.#suppressed.set(keyOf(each), blocked);
    this.#delete(person);
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = { claim: null, waiting: [], seen: new Map() }));
    return lane;
  }
}

/** Who this person is in the end; null when deleted. */
export function personToday(person: Person): Person | null {
  if (person.into !== null) return personToday(person.into);
  return person.deleted ? null : person;
}

export function identifiersOf(person: Person): readonly Identifier[] {
  return (['id', 'email'] as const).flatMap((kind) => {
    const value = person[kind];
    return value === null ? [] : [{ kind, value }];
  });
}

function attribute(person: Person, kind: IdentifierKind): string | null {
  return kind === 'id' ? person.id : person.email;
}
function isClaimable({ receivedAt }: LaneCall, at: number): boolean {
  return receivedAt >= at - 30 * DAY && receivedAt <= at + 5 * MINUTE;
}
export function keyOf({ kind, value }: Identifier): string {
  return `${kind}:${kind === 'email' ? value.toLowerCase() : value}`;
}
